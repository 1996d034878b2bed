"""Runs a template's jobs as a sandbox does, without one: in a process beside this one, which stays warm.

For programs of one's own: nothing keeps them apart from this machine but the calls that a worker gives up.
"""

from __future__ import annotations

import base64
import os
import select
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from shutil import copy2, copytree

from golem.adapters.launchers.wasm import WORKER as WASM_WORKER
from golem.adapters.launchers.wasm import fuel
from golem.errors import Malformed, Refused, TemplateFailed
from golem.model.ids import Cid
from golem.model.spec import Input, Job, Limits, Outcome, Resource, Status
from golem.model.value import evolve
from golem.node.collect import collect
from golem.wire.guest import Lines, job_line, outcome_of

WORKER = Path(__file__).parent.parent / "guest" / "worker.py"
READ_BYTES = 64 << 10
LOG_BYTES = 4 << 10  # of its end, for people


class Bench:
    """One worker for the programs in a folder, Python or WebAssembly. `folder`: for all jobs see; it must not exist."""

    def __init__(self, programs: str, folder: Path, *, is_wasm: bool = False) -> None:
        self._programs = programs
        self._is_wasm = is_wasm
        self._folder = folder
        self._contents: dict[Cid, Path] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lines = Lines()
        self._count = 0
        (folder / "tmp").mkdir(parents=True)

    def path(self, cid: Cid) -> Path:
        """Where content lies: what was given, or what a job made."""
        return self._contents[cid]

    def give(self, resource: Resource) -> Input:
        """Have jobs see a file or folder of this machine."""
        path = Path(resource.path).expanduser().absolute()
        size = sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
        return Input(name=resource.name, cid=self.keep(path), size_bytes=size)

    def keep(self, path: Path) -> Cid:
        """Content by a name that only this bench knows."""
        digest = sha256(str(path).encode()).digest()
        cid = Cid("b" + base64.b32encode(digest).decode().lower().rstrip("="))
        self._contents[cid] = path
        return cid

    def run(self, job: Job) -> Outcome:
        """Run a job to its end; never raises for what it does."""
        self._count += 1
        inputs, output = self._folder / f"in-{self._count}", self._folder / f"out-{self._count}"
        inputs.mkdir()
        for one in job.inputs:
            _show(self._contents[one.cid], inputs / one.name)
        began_s = time.monotonic()
        outcome = self._answer(job, inputs, output)
        used_ms = round((time.monotonic() - began_s) * 1000)
        if outcome.status is not Status.DONE:
            self.close()
        elif any(output.iterdir()):
            outcome = self._collected(outcome, job, output)
        return evolve(outcome, used_ms=used_ms, log=self._log()[-LOG_BYTES:])

    def close(self) -> None:
        """End the worker."""
        process, self._process, self._lines = self._process, None, Lines()
        if process is not None:
            process.kill()
            process.communicate()

    def _answer(self, job: Job, inputs: Path, output: Path) -> Outcome:
        process = self._process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(job_line(job, str(inputs), str(output)))
        process.stdin.flush()
        end_s = time.monotonic() + job.limits.timeout_ms / 1000
        while (left_s := end_s - time.monotonic()) > 0:
            if not select.select([process.stdout], [], [], left_s)[0]:
                break
            data = os.read(process.stdout.fileno(), READ_BYTES)
            if not data:
                return Outcome(status=Status.CRASHED, detail="the program ended its worker")
            try:
                for line in self._lines.feed(data):
                    return outcome_of(line)[1]
            except Malformed as why:
                return Outcome(status=Status.CRASHED, detail=f"the program broke the worker: {why}")
        return Outcome(status=Status.TIMEOUT, detail=f"not done after {job.limits.timeout_ms / 1000:g} s")

    def _start(self) -> subprocess.Popen[bytes]:
        own = self._folder / "tmp"
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(own), "TMPDIR": str(own), "LANG": "C.UTF-8"}
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", "-B", *self._script()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=own,
                env=environ,
            )

    def _script(self) -> list[str]:
        if not self._is_wasm:
            return [str(WORKER), self._programs]
        limits = Limits()
        return [WASM_WORKER, str(WORKER), self._programs, str(limits.memory_bytes), str(fuel(limits))]

    def _collected(self, outcome: Outcome, job: Job, output: Path) -> Outcome:
        target = self._folder / f"result-{self._count}"
        try:
            collect(output, target, job.limits.output_bytes)
        except Refused as why:
            return Outcome(status=Status.OUTPUT_REFUSED, detail=str(why))
        size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
        return evolve(outcome, result=self.keep(target), size_bytes=size)

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")


def _show(source: Path, target: Path) -> None:
    """Have a job see a file or folder as in a sandbox, where no link leads elsewhere."""
    if source.is_dir():
        copytree(source, target, copy_function=_link)
    else:
        _link(source, target)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another file system
        copy2(source, target)


def done(outcome: Outcome, what: str) -> Outcome:
    """The outcome of a job that should have worked. Raises TemplateFailed with the end of its log."""
    if outcome.status is Status.DONE:
        return outcome
    last = "".join(f"\n    {line}" for line in outcome.log.splitlines()[-5:])
    raise TemplateFailed(f"{what}: {outcome.status.value}: {outcome.detail}{last}")
