"""Runs a template's programs as a sandbox does: in another process, which stays warm, from the programs' own folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest

from apps.blender import template

LOOP = """
import importlib, json, os, sys
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    job = json.loads(line)
    try:
        answer = {"report": importlib.import_module(job["program"]).run(job["params"], job["inputs"], job["output"])}
    except Exception as why:
        answer = {"error": f"{type(why).__name__}: {why}"}
    answers.write(json.dumps(answer, allow_nan=False) + "\\n")
    answers.flush()
"""


class Worker:
    """One process with one template's programs."""

    def __init__(self, log: Path, programs: str = template.programs) -> None:
        self.log = log
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("ab"),
            text=True,
            cwd=log.parent,
            env={"PYTHONPATH": programs, "PATH": "/usr/bin:/bin"},
        )

    def run(self, program: str, params: object, inputs: Path, output: Path) -> dict[str, Any]:
        """The program's report."""
        output.mkdir(exist_ok=True)
        job = {"program": program, "params": params, "inputs": str(inputs), "output": str(output)}
        pipes = self._process
        assert pipes.stdin and pipes.stdout
        print(json.dumps(job), file=pipes.stdin, flush=True)  # to the worker, not to people
        answer = json.loads(pipes.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return cast("dict[str, Any]", answer["report"])

    def busy(self) -> int:
        """How many of its threads run or want to."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum((task / "stat").read_text().rpartition(")")[2].split()[0] == "R" for task in tasks.iterdir())

    def close(self) -> None:
        """End it, as a sandbox does: Blender itself may hang at exit, after a scene with Python drivers."""
        self._process.kill()
        self._process.communicate(timeout=10)


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Worker]]:
    """Starts workers; they end with the tests."""
    if find_spec("bpy") is None:
        pytest.skip("bpy is not installed: pip install 'golem[blender]'")
    workers: list[Worker] = []

    def begin() -> Worker:
        workers.append(Worker(tmp_path_factory.mktemp("worker") / "log"))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.close()


@pytest.fixture(scope="session")
def worker(start: Callable[[], Worker]) -> Worker:
    """One warm worker for all tests, as for all jobs of a task."""
    return start()
