"""An executor that follows a script instead of running anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from golem.interfaces import IExecutor, Room
from golem.model.spec import Capability, Job, Outcome, Status

Script = Callable[[Job, Path], Outcome]
"""Says what comes of a job, and may write files into the folder it is given."""


@implementer(IExecutor)
class ScriptedExecutor:
    """Each job takes `takes_s` of the clock and ends as the script says."""

    tier = "scripted"

    def __init__(self, clock: IReactorTime, script: Script, capability: Capability, takes_s: float = 1.0) -> None:
        self._clock = clock
        self.script = script
        self._capability = capability
        self.takes_s = takes_s
        self.ran: list[str] = []
        self._running: dict[str, Deferred[None]] = {}

    def probe(self) -> Deferred[Capability]:
        """What the script's author says this machine has."""
        return Deferred.fromCoroutine(self._probe())

    async def _probe(self) -> Capability:
        return self._capability

    def run(self, job: Job, room: Room) -> Deferred[Outcome]:
        """Wait, then follow the script."""
        return Deferred.fromCoroutine(self._run(job, room))

    async def _run(self, job: Job, room: Room) -> Outcome:
        self.ran.append(job.job_id)
        wait = self._running[job.job_id] = deferLater(self._clock, self.takes_s, lambda: None)
        try:
            await wait
        except CancelledError:
            return Outcome(status=Status.STOPPED)
        finally:
            del self._running[job.job_id]
        output = Path(room.output)
        output.mkdir()
        outcome = self.script(job, output)
        if not any(output.iterdir()):
            output.rmdir()
        return outcome

    def stop(self, job_id: str) -> Deferred[None]:
        """End a job."""
        return Deferred.fromCoroutine(self._stop(job_id))

    async def _stop(self, job_id: str) -> None:
        if wait := self._running.get(job_id):
            wait.cancel()

    def close(self) -> Deferred[None]:
        """End every job."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        for wait in list(self._running.values()):
            wait.cancel()
