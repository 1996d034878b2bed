"""IExecutor over a launcher: keeps workers warm for jobs of one task and template, and never for another's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from golem.errors import ExecutorFault
from golem.interfaces import IExecutor, ILauncher, Room
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Capability, Environment, Job, Limits, Outcome, Status
from golem.node.worker import Worker

IDLE_S = 60.0  # a warm worker holds memory; its task's next job comes at once or not at all
MAX_IDLE = 4  # each may hold a renderer's gigabyte for nothing
PROBE_MS = 60_000  # importing a renderer from a cold disk takes seconds
PROBE = Path(__file__).parent.parent / "guest" / "probe"

Kind = tuple[str, str]
"""Task and template: whose jobs may share a worker."""


class _Found(msgspec.Struct):
    environments: tuple[str, ...]


@implementer(IExecutor)
class PooledExecutor:
    """Runs each job in a worker that is its own, or its task's."""

    def __init__(
        self,
        launcher: ILauncher,
        clock: IReactorTime,
        folder: Path,
        environments: Sequence[Environment],
        offered: Limits,
    ) -> None:
        self.tier: str = launcher.tier
        self._launcher = launcher
        self._clock = clock
        self._folder = folder
        self._environments = environments
        self._offered = offered
        self._count = 0
        self._idle: list[tuple[Kind, Worker]] = []
        self._running: dict[str, Worker] = {}

    def probe(self) -> Deferred[Capability]:
        """Try the sandbox and see which environments are whole in it."""
        return Deferred.fromCoroutine(self._probe())

    async def _probe(self) -> Capability:
        rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        await self._launcher.check()
        wanted = {e.name: list(e.modules) for e in self._environments}
        room = Room(program=str(PROBE), inputs={}, output=str(self._folder / "probe"))
        job = Job(
            job_id=JobId(derive("probe")),
            task_id=TaskId(derive("probe")),
            template="probe",
            program="probe",
            params=msgspec.json.encode({"environments": wanted}),
            limits=Limits(timeout_ms=PROBE_MS, memory_bytes=max(2 << 30, self._offered.memory_bytes)),
        )
        outcome = await self._run(job, room)
        rmtree(room.output, ignore_errors=True)
        if outcome.status is not Status.DONE:
            raise ExecutorFault(f"the {self.tier} sandbox does not work: {outcome.detail}\n{outcome.log}".strip())
        found = msgspec.json.decode(outcome.report, type=_Found)
        return Capability(
            tier=self.tier,
            cores=self._offered.cores,
            memory_bytes=self._offered.memory_bytes,
            environments=found.environments,
        )

    def run(self, job: Job, room: Room) -> Deferred[Outcome]:
        """Run a job to its end within its limits."""
        return Deferred.fromCoroutine(self._run(job, room))

    async def _run(self, job: Job, room: Room) -> Outcome:
        worker = self._take(job) or self._make()
        self._running[job.job_id] = worker
        try:
            return await worker.run(job, room)
        finally:
            del self._running[job.job_id]
            await self._give_back(job, worker)

    def _take(self, job: Job) -> Worker | None:
        """The worker of the same task that was idle last, if there is one."""
        for place in reversed(self._idle if job.warm else []):
            kind, worker = place
            if worker.is_spent or kind == (job.task_id, job.template):
                self._idle.remove(place)
                if not worker.is_spent:
                    return worker
                worker.clean()
        return None

    def _make(self) -> Worker:
        self._count += 1
        return Worker(self._launcher, self._clock, self._folder / f"room-{self._count}")

    async def _give_back(self, job: Job, worker: Worker) -> None:
        if worker.is_spent or not job.warm:
            await self._end(worker)
            return
        self._idle.append(((job.task_id, job.template), worker))
        self._clock.callLater(IDLE_S, self._retire, worker, worker.jobs)
        if len(self._idle) > MAX_IDLE:
            oldest = self._idle[0][1]
            self._retire(oldest, oldest.jobs)

    def _retire(self, worker: Worker, jobs: int) -> None:
        """End a worker that has been idle since it had run so many jobs."""
        for place in self._idle:
            if place[1] is worker and worker.jobs == jobs:
                self._idle.remove(place)
                Deferred.fromCoroutine(self._end(worker))
                return

    async def _end(self, worker: Worker) -> None:
        await worker.end()
        worker.clean()

    def stop(self, job_id: str) -> Deferred[None]:
        """End the job."""
        return Deferred.fromCoroutine(self._stop(job_id))

    async def _stop(self, job_id: str) -> None:
        if worker := self._running.get(job_id):
            worker.stop(Status.STOPPED, "stopped")

    def close(self) -> Deferred[None]:
        """End every job and worker."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        for worker in list(self._running.values()):
            worker.stop(Status.STOPPED, "the node is stopping")
            await worker.end()
        while self._idle:
            _, worker = self._idle.pop()
            await self._end(worker)
