"""One worker in its sandbox: given a job, watched while it runs, and ended when it breaks a limit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from golem.errors import Malformed, Refused
from golem.interfaces import Berth, IGuest, IGuestHearer, ILauncher, Room
from golem.model.spec import Job, Limits, Outcome, Status
from golem.model.value import evolve
from golem.node.disk import SEEN_FOLDER, clear, free_bytes, is_empty, measure
from golem.node.memory import usage
from golem.node.vigil import Vigil
from golem.wire.guest import Lines, job_line, outcome_of

WATCH_S = 0.25  # a program that takes 1 GiB/s overshoots its memory limit by a quarter of that
FULL_BYTES = 1 << 20  # with less disk a job that fails may well fail for that, and is not to blame
END_S = 10.0  # what was killed is gone in milliseconds, unless the kernel itself is stuck
WORKER = str(Path(__file__).parent.parent / "guest" / "worker.py")

News = Callable[[Job, int, bytes], None]
"""Told of a running job: how far it is, in percent, and what it printed since the last time."""

log = Logger()


def unheard(job: Job, percent: int, printed: bytes) -> None:
    """Nobody wants to know."""


@implementer(IGuestHearer)
class Worker:
    """Runs one job at a time, within its limits. `is_spent`: can't take another. `idle_since`: in clock seconds.

    Jobs that find the same inputs get them at the same place, and one that leaves its output folder empty leaves it
    to the next: a job without files costs the node no more than a look into that folder.
    """

    def __init__(self, launcher: ILauncher, clock: IReactorTime, folder: Path, news: News = unheard) -> None:
        self._launcher = launcher
        self._clock = clock
        self._folder = folder
        self._lines = Lines()
        self._news = news
        self._guest: IGuest | None = None
        self._vigil: Vigil | None = None  # over the job that runs
        self._done: Deferred[Outcome] = Deferred()
        self._verdict: Outcome | None = None
        self._watch: IDelayedCall | None = None
        self.idle_since = clock.seconds()
        self._gone: Deferred[None] = Deferred()
        self._inputs: dict[str, str] = {}
        self._inputs_number = self._output_number = 0
        self._made = folder / "out" / "0"
        self.is_spent = False

    @property
    def pid(self) -> int:
        """The process on this machine whose descendants are the sandbox, or 0."""
        return int(self._guest.pid) if self._guest is not None else 0

    async def run(self, job: Job, room: Room) -> Outcome:
        """Run a job to its end; what it made, if anything, is the folder `room.output` then. Raises ExecutorFault."""
        vigil = self._vigil = Vigil(job, self._clock.seconds())
        self._verdict, self._done = None, Deferred()
        self._begin_watch(job.limits)
        try:
            outcome = await self._attempt(job, room)
            used_ms = round((self._clock.seconds() - vigil.began_s) * 1000)
            if outcome.status is not Status.DONE or not job.warm:
                await self.end()
        finally:
            self._vigil, self.idle_since = None, self._clock.seconds()
            self.is_spent = self.is_spent or self._guest is None
        if outcome.status is Status.DONE:
            outcome = self._collect(outcome, room)
        elif outcome.status in (Status.ERROR, Status.CRASHED) and free_bytes(str(self._folder)) < FULL_BYTES:
            outcome = Outcome(status=Status.FAULT, detail=f"this machine's disk is full: {outcome.detail}"[:4096])
        log = vigil.log.decode(errors="replace")
        return evolve(outcome, used_ms=used_ms, peak_bytes=vigil.peak_bytes, log=log)

    async def _attempt(self, job: Job, room: Room) -> Outcome:
        try:
            if self._guest is None:
                await self._start(job.limits, room)
            elif room.inputs != self._inputs:
                self._place(room.inputs)
            self._order(job)
        except Malformed as why:
            return Outcome(status=Status.ERROR, detail=str(why))
        return await self._done

    def _order(self, job: Job) -> None:
        """Tell the worker, unless the job was stopped while its sandbox was made. Raises Malformed."""
        guest = self._guest
        if guest is not None:
            order = job_line(job, f"{guest.inputs}/{self._inputs_number}", f"{guest.output}/{self._output_number}")
            if self._verdict is None:
                guest.write(order)

    async def _start(self, limits: Limits, room: Room) -> None:
        """Start the sandbox that this job, and perhaps its like, will run in. Raises ExecutorFault."""
        for part in ("", "in", "out"):
            folder = self._folder / part
            folder.mkdir(parents=True)
            folder.chmod(SEEN_FOLDER)
        inputs, output = str(self._folder / "in"), str(self._folder / "out")
        self._place(room.inputs)
        self._guest = await self._launcher.launch(
            Berth(
                room=str(self._folder),
                program=room.program,
                inputs=inputs,
                output=output,
                worker=WORKER,
                image=room.image,
                devices=room.devices,
                modules=room.modules,
            ),
            limits,
            self,
        )
        if self._verdict is not None:
            self._kill()

    def stop(self, status: Status, detail: str) -> None:
        """End the running job, and the sandbox with it; that job's outcome is this."""
        if self._vigil is not None and self._verdict is None:
            self._verdict = Outcome(status=status, detail=detail)
        self._kill()

    async def end(self) -> None:
        """End the sandbox and wait until it is gone."""
        self._kill()
        if self._guest is None or self._gone.called:
            return
        gone: Deferred[None] = Deferred()
        self._gone.chainDeferred(gone)
        try:
            await gone.addTimeout(END_S, self._clock)
        except TimeoutError:
            log.error("a sandbox was killed but has not ended: {folder}", folder=self._folder)

    def clean(self) -> None:
        """Remove what the sandbox saw of this machine's disk."""
        clear(self._folder)

    def _kill(self) -> None:
        self.is_spent = True
        if self._guest is not None:
            self._guest.kill()

    def _place(self, inputs: dict[str, str]) -> None:
        """Link inputs where the sandbox sees them: no copy, and the same times, by which programs know them again."""
        clear(self._folder / "in" / str(self._inputs_number))
        self._inputs, self._inputs_number = inputs, self._inputs_number + 1
        target = self._folder / "in" / str(self._inputs_number)
        target.mkdir()
        target.chmod(SEEN_FOLDER)
        for name, path in inputs.items():
            if Path(path).is_dir():
                copytree(path, target / name, copy_function=os.link)
            else:
                os.link(path, target / name)

    def _collect(self, outcome: Outcome, room: Room) -> Outcome:
        """Take what the job made; the next one makes another folder."""
        try:
            if is_empty(self._made):
                return outcome
        except Refused as why:
            self.is_spent = True
            return Outcome(status=Status.OUTPUT_REFUSED, detail=str(why))
        self._made.rename(room.output)
        self._output_number += 1
        self._made = self._made.with_name(str(self._output_number))
        return outcome

    def _begin_watch(self, limits: Limits) -> None:
        wait_s = min(WATCH_S, limits.timeout_ms / 1000)
        if self._watch is not None and self._watch.getTime() > self._clock.seconds() + wait_s:
            self._end_watch()
        if self._watch is None:  # else the last job's goes on: two timers less for a short job
            self._watch = self._clock.callLater(wait_s, self._look)

    def _end_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()

    def _look(self) -> None:
        """Hold the running job to its limits."""
        self._watch = None
        vigil, now_s = self._vigil, self._clock.seconds()
        if vigil is None or self._done.called:
            return
        left_ms = vigil.left_ms(now_s)
        if left_ms <= 0:
            self.stop(Status.TIMEOUT, f"not done after {vigil.job.limits.timeout_ms / 1000:g} s")
            return
        self._watch = self._clock.callLater(min(WATCH_S, left_ms / 1000), self._look)
        try:
            made = measure(self._folder / "out", vigil.job.limits.output_bytes)
        except Refused as why:
            self.stop(Status.OUTPUT_REFUSED, str(why))
            return
        was = vigil.percent
        used = usage(self.pid)
        if verdict := vigil.judge(now_s, used, made):
            self.stop(verdict.status, verdict.detail)
        elif vigil.percent != was:
            self._news(vigil.job, vigil.percent, b"")

    # IGuestHearer

    def said(self, data: bytes) -> None:
        """An answer, or a part of one."""
        try:
            for line in self._lines.feed(data):
                job_id, outcome = outcome_of(line)
                if self._vigil is None or job_id != self._vigil.job.job_id or self._done.called:
                    raise Malformed("an answer that nobody asked for")
                if outcome.status is Status.OUT_OF_MEMORY:
                    outcome = evolve(outcome, detail=f"out of memory: {self._vigil.memory()}")
                if self._verdict is None:
                    self._done.callback(outcome)
        except Malformed as why:
            self.stop(Status.CRASHED, f"the program broke the worker: {why}")

    def logged(self, data: bytes) -> None:
        """Some of the running job's log; what is printed between two jobs is nobody's."""
        if self._vigil is not None:
            self._vigil.heard(data)
            self._news(self._vigil.job, self._vigil.percent, data)

    def ended(self, how: str, is_memory: bool) -> None:
        """The sandbox is gone; so is the job that it ran, if any."""
        self.is_spent = True
        self._end_watch()
        if not self._done.called:
            self._done.callback(self._verdict or _fallen(how, self._vigil if is_memory else None))
        if not self._gone.called:
            self._gone.callback(None)


def _fallen(how: str, starved: Vigil | None) -> Outcome:
    if starved is not None:
        return Outcome(status=Status.OUT_OF_MEMORY, detail=f"ended by the system: {starved.memory()} ({how})")
    return Outcome(status=Status.CRASHED, detail=f"the program ended its worker: {how}")
