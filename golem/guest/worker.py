"""Runs a template's programs, one job after another, inside a sandbox. Standard library only.

Reads jobs as JSON lines from standard input, answers each with one JSON line on what was standard output:
    {"job": id, "program": "render", "params": {...}, "inputs": "/in/…", "output": "/out/…"}
    {"job": id, "ok": true, "report": {...}}  or  {"job": id, "ok": false, "error": "…", "memory": bool}
What a program prints goes to standard error, the job's log. A program is a module in /app, imported once, with
`run(params, inputs, output) -> report`, where `output` is an empty folder; it may keep what it loaded for the next job
of the same task.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

MAX_REPORT_BYTES = 4096  # the same bound as golem.model.spec.MAX_REPORT_BYTES


def answer(line: bytes) -> bytes:
    """Run one job and say what came of it."""
    job = json.loads(line)
    said: dict[str, object] = {"job": job["job"]}
    output = Path(job["output"])
    output.mkdir()
    try:
        report = importlib.import_module(job["program"]).run(job["params"], job["inputs"], job["output"]) or {}
        text = json.dumps(report, separators=(",", ":"))
        if len(text) > MAX_REPORT_BYTES:
            raise ValueError(f"the report has {len(text)} bytes, more than {MAX_REPORT_BYTES}")
        said.update(ok=True, report=report)
    except MemoryError:
        said.update(ok=False, error="out of memory", memory=True)
    except (Exception, SystemExit) as why:
        traceback.print_exc()
        said.update(ok=False, error=f"{type(why).__name__}: {why}"[:2000])
    with contextlib.suppress(OSError):
        output.rmdir()  # no files were made, or else it stays
    sys.stdout.flush()
    sys.stderr.flush()
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def main() -> None:
    """Serve jobs until there are no more."""
    jobs = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.path.insert(0, "/app")
    for line in jobs:
        answers.write(answer(line))


if __name__ == "__main__":
    main()
