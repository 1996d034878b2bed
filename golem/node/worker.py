"""One worker in its sandbox: given a job, watched while it runs, and ended when it breaks a limit."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from shutil import copytree, rmtree

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from golem.errors import Malformed
from golem.interfaces import Berth, IGuest, IGuestHearer, ILauncher, Room
from golem.model.spec import MAX_LOG_BYTES, Job, Outcome, Status
from golem.model.value import evolve
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
        self.is_spent = True  # until it has started
        self.jobs = 0

    async def run(self, job: Job, room: Room) -> Outcome:
        """Run a job to its end; what it made lies in `room.output` then. Raises ExecutorFault."""
        self._job, self._verdict, self._log = job, None, b""
        done = self._done = Deferred()
        self.jobs += 1
        guest = self._guest or await self._start(job, room)
        self._place(job, room)
        self._began = self._clock.seconds()
        if self._verdict is None and not self._gone.called:
            self._watch = self._clock.callLater(WATCH_S, self._look)
            guest.write(job_line(job, f"/in/{job.job_id}", f"/out/{job.job_id}"))
        else:
            guest.kill()
        outcome = await done
        used_ms = int((self._clock.seconds() - self._began) * 1000)
        self._job = None
        if not job.warm:
            await self.end()
        self._collect(job, room)
        return evolve(outcome, used_ms=used_ms, log=self._log.decode(errors="replace")[-MAX_LOG_BYTES:])

    async def _start(self, job: Job, room: Room) -> IGuest:
        """Start the sandbox that this job, and perhaps its like, will run in."""
        for name in ("in", "out"):
            (self._folder / name).mkdir(parents=True)
        berth = Berth(
            program=room.program, inputs=str(self._folder / "in"), output=str(self._folder / "out"), worker=WORKER
        )
        guest = self._guest = await self._launcher.launch(berth, job.limits, self)
        self.is_spent = self._verdict is not None or self._gone.called
        return guest

    def stop(self, status: Status, detail: str) -> None:
        """End the running job, and the sandbox with it; that job's outcome is this."""
        if self._job is not None and self._verdict is None:
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

    def _collect(self, job: Job, room: Room) -> None:
        with suppress(FileNotFoundError):
            (self._folder / "out" / job.job_id).rename(room.output)
        if room.inputs:
            rmtree(self._folder / "in" / job.job_id, ignore_errors=True)

    def _look(self) -> None:
        """Hold the running job to its limits."""
        self._watch = None
        if self._job is None or self._guest is None or self._verdict is not None:
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
                if self._verdict is None and self._job is not None and job_id == self._job.job_id:
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
