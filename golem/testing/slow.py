"""An executor that takes its time."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from golem.interfaces import IExecutor, Room
from golem.model.spec import Capability, Job, Outcome, Status


@implementer(IExecutor)
class SlowExecutor:
    """Runs what another runs, and has no job end before `takes_s`."""

    def __init__(self, real: IExecutor, clock: IReactorTime, takes_s: float) -> None:
        self.tier = real.tier
        self._real = real
        self._clock = clock
        self._takes_s = takes_s
        self._waiting: dict[str, Deferred[None]] = {}

    def probe(self) -> Deferred[Capability]:
        """As the other."""
        return Deferred.fromCoroutine(self._probe())

    async def _probe(self) -> Capability:
        return await self._real.probe()

    def run(self, job: Job, room: Room) -> Deferred[Outcome]:
        """Run it, and wait for the rest of the time."""
        return Deferred.fromCoroutine(self._run(job, room))

    async def _run(self, job: Job, room: Room) -> Outcome:
        wait = self._waiting[job.job_id] = deferLater(self._clock, self._takes_s, lambda: None)
        try:
            outcome: Outcome = await self._real.run(job, room)
            await wait
        except CancelledError:
            return Outcome(status=Status.STOPPED)
        finally:
            del self._waiting[job.job_id]
            wait.addErrback(lambda why: why.trap(CancelledError))
            wait.cancel()
        return outcome

    def stop(self, job_id: str) -> Deferred[None]:
        """End a job."""
        return Deferred.fromCoroutine(self._stop(job_id))

    async def _stop(self, job_id: str) -> None:
        await self._real.stop(job_id)
        if wait := self._waiting.get(job_id):
            wait.cancel()

    def close(self) -> Deferred[None]:
        """End every job."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self._real.close()
        for wait in list(self._waiting.values()):
            wait.cancel()
