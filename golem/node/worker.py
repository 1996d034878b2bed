"""One worker in its sandbox: given a job, watched while it runs, and ended when it breaks a limit."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import copytree, rmtree

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from golem.errors import ExecutorFault, Malformed
from golem.interfaces import Berth, IGuest, IGuestHearer, ILauncher, Room
from golem.model.spec import MAX_LOG_BYTES, Job, Outcome, Status
from golem.model.value import evolve
from golem.node.collect import is_empty
from golem.node.memory import resident_bytes
from golem.wire.guest import Lines, job_line, outcome_of

WATCH_S = 0.25  # a program that takes 1 GiB/s overshoots its memory limit by a quarter of that
WORKER = str(Path(__file__).parent.parent / "guest" / "worker.py")


@implementer(IGuestHearer)
class Worker:
    """Runs one job at a time, within its limits. `is_spent`: can't take another. `jobs`: how many it has run."""

    def __init__(self, launcher: ILauncher, clock: IReactorTime, folder: Path) -> None:
        self._launcher = launcher
        self._clock = clock
        self._folder = folder
        self._lines = Lines()
        self._log = b""
        self._guest: IGuest | None = None
        self._job: Job | None = None
        self._done: Deferred[Outcome] | None = None
        self._verdict: Outcome | None = None
        self._watch: IDelayedCall | None = None
        self._began = 0.0
        self._gone: Deferred[None] = Deferred()
        self.is_spent = False
        self.jobs = 0

    async def start(self, job: Job, room: Room) -> None:
        """Start the sandbox that this job, and perhaps its like, will run in. Raises ExecutorFault."""
        for name in ("in", "out"):
            (self._folder / name).mkdir(parents=True)
        berth = Berth(
            program=room.program, inputs=str(self._folder / "in"), output=str(self._folder / "out"), worker=WORKER
        )
        self._guest = await self._launcher.launch(berth, job.limits, self)

    async def run(self, job: Job, room: Room) -> Outcome:
        """Run a job to its end; what it made lies in `room.output` then."""
        self._place(job, room)
        self._job, self._verdict, self._log = job, None, b""
        self._done = Deferred()
        self.jobs += 1
        self._began = self._clock.seconds()
        self._watch = self._clock.callLater(WATCH_S, self._look)
        if self._guest is None:
            raise ExecutorFault("the worker was not started")
        self._guest.write(job_line(job, f"/in/{job.job_id}", f"/out/{job.job_id}"))
        outcome = await self._done
        used_ms = int((self._clock.seconds() - self._began) * 1000)
        self._job = None
        if not job.warm:
            await self.end()
        self._collect(job, room)
        return evolve(outcome, used_ms=used_ms, log=self._log.decode(errors="replace")[-MAX_LOG_BYTES:])

    def stop(self, status: Status, detail: str) -> None:
        """End the running job, and the sandbox with it; that job's outcome is this."""
        if self._job is not None:
            self._verdict = Outcome(status=status, detail=detail)
        self._kill()

    async def end(self) -> None:
        """End the sandbox and wait until it is gone."""
        self._kill()
        if self._guest is not None:
            await self._gone

    def clean(self) -> None:
        """Remove what the sandbox saw of this machine's disk."""
        rmtree(self._folder, ignore_errors=True)

    def _kill(self) -> None:
        self.is_spent = True
        if self._guest is not None:
            self._guest.kill()

    def _place(self, job: Job, room: Room) -> None:
        """Link inputs where the sandbox sees them: no copy, and the same times, by which programs know them again."""
        inputs = self._folder / "in" / job.job_id
        for name, path in room.inputs.items():
            inputs.mkdir(exist_ok=True)
            if Path(path).is_dir():
                copytree(path, inputs / name, copy_function=os.link)
            else:
                os.link(path, inputs / name)
        output = self._folder / "out" / job.job_id
        output.mkdir()
        self._launcher.own(str(output))

    def _collect(self, job: Job, room: Room) -> None:
        made = self._folder / "out" / job.job_id
        if is_empty(made):
            made.rmdir()
        else:
            made.rename(room.output)
        if room.inputs:
            rmtree(self._folder / "in" / job.job_id, ignore_errors=True)

    def _look(self) -> None:
        """Hold the running job to its limits."""
        self._watch = None
        if self._job is None or self._guest is None:
            return
        limits = self._job.limits
        if (self._clock.seconds() - self._began) * 1000 >= limits.timeout_ms:
            self.stop(Status.TIMEOUT, f"not done after {limits.timeout_ms / 1000:g} s")
        elif (used := resident_bytes(self._guest.pid)) > limits.memory_bytes:
            self.stop(Status.OUT_OF_MEMORY, f"took {used >> 20} MiB, more than {limits.memory_bytes >> 20} MiB")
        left = limits.timeout_ms / 1000 - (self._clock.seconds() - self._began)
        self._watch = self._clock.callLater(max(0.01, min(WATCH_S, left)), self._look)

    # IGuestHearer

    def said(self, data: bytes) -> None:
        """An answer, or a part of one."""
        try:
            for line in self._lines.feed(data):
                job_id, outcome = outcome_of(line)
                if self._job is not None and job_id == self._job.job_id:
                    self._finish(outcome)
        except Malformed as why:
            self.stop(Status.ERROR, f"the program broke the worker: {why}")

    def logged(self, data: bytes) -> None:
        """Keep the log's tail."""
        self._log = (self._log + data)[-MAX_LOG_BYTES:]

    def ended(self, how: str, is_memory: bool) -> None:
        """The sandbox is gone; so is the job that it ran, if any."""
        self.is_spent = True
        status = Status.OUT_OF_MEMORY if is_memory else Status.ERROR
        self._finish(self._verdict or Outcome(status=status, detail=f"the program ended its worker: {how}"))
        if not self._gone.called:
            self._gone.callback(None)

    def _finish(self, outcome: Outcome) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        done, self._done = self._done, None
        if done is not None:
            done.callback(outcome)
