"""IExecutor over a launcher: keeps workers warm for jobs of one task and template, and never for another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from golem.errors import ExecutorFault
from golem.interfaces import IExecutor, ILauncher, Room
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Capability, Device, Environment, Job, Limits, Outcome, Status
from golem.node.devices import Gpus
from golem.node.disk import Aside, at_once, clear
from golem.node.golden import Inside, leaks
from golem.node.outfits import Needs, Outfits
from golem.node.worker import News, Worker, unheard

IDLE_S = 60.0  # a warm worker holds memory; its task's next job comes soon or not at all
MAX_IDLE = 4  # workers that wait; more where more run at once. Each may hold a renderer's gigabyte for nothing
PROBE_MS = 60_000  # importing a renderer from a cold disk takes seconds
PROBE = Path(__file__).parent.parent / "guest" / "probe"

Kind = tuple[TaskId, str, Limits, Device]
"""Task, template, limits and device: whose jobs may share a worker."""

log = Logger()


class _Found(msgspec.Struct):
    environments: tuple[str, ...]
    inside: Inside
    missing: dict[str, dict[str, str]] = {}  # modules, and why not, by environment


@implementer(IExecutor)
class PooledExecutor:
    """Runs each job in a worker that is its own, or its task's.

    `environments`: all that a template's tasks may need, by template. `offered`: what is said of this machine. As many
    workers may wait for jobs as it runs at once, or a few; of more, the one that waited longest ends, since each may
    hold a renderer with its scene.
    """

    def __init__(
        self,
        launcher: ILauncher,
        clock: IReactorTime,
        folder: Path,
        environments: Mapping[str, Sequence[Environment]],
        offered: Limits,
        aside: Aside = at_once,
    ) -> None:
        self.tier: str = launcher.tier
        self._launcher = launcher
        self._clock = clock
        self._folder = folder
        self._outfits = Outfits(environments, launcher)
        self._offered = offered
        self._aside = aside
        self._news: News = unheard
        self._count = 0
        self._idle: list[tuple[Kind, Worker]] = []  # the one that waited longest first
        self._running: dict[str, Worker] = {}
        self._ending: set[Deferred[None]] = set()
        self._sweep: IDelayedCall | None = None
        self._is_closed = False
        self._all_ended: Deferred[None] = Deferred()

    def pids(self) -> list[int]:
        """The processes of this machine whose descendants are jobs', as far as known."""
        workers = [*self._running.values(), *(worker for _, worker in self._idle)]
        return [pid for worker in workers if (pid := worker.pid)]

    def tell(self, news: News) -> None:
        """Tell somebody what running jobs say, from now on."""
        self._news = news

    def furnish(self, gpus: Gpus, modules: Mapping[str, str]) -> None:
        """Show these cards to jobs that ask for them, and folders of modules to templates' jobs."""
        self._outfits.gpus, self._outfits.modules = gpus, modules

    def probe(self) -> Deferred[Capability]:
        """Try the sandbox and see which environments are whole in it."""
        return Deferred.fromCoroutine(self._probe())

    async def _probe(self) -> Capability:
        await self._launcher.check(str(self._folder))
        try:
            clear(self._folder)
            self._folder.mkdir(parents=True)
        except OSError as why:
            raise ExecutorFault(f"there is no room for jobs: {why}") from why
        plain, *more = self._outfits.all()
        whole = await self._probe_with(plain)
        for needs in more:
            try:
                whole += await self._probe_with(needs)
            except ExecutorFault as why:
                log.warn("what needs {what} can't be done here: {why}", what=needs, why=why)
        return Capability(
            tier=self.tier,
            cores=self._offered.cores,
            memory_bytes=self._offered.memory_bytes,
            environments=whole,
            gpus=self._outfits.gpus.names,
        )

    async def _probe_with(self, needs: Needs) -> tuple[str, ...]:
        """The environments that are whole with these things.

        Raises ExecutorFault where they are not there, do not work, or do not hold.
        """
        wanted = self._outfits.wanted(needs)
        room = Room(program=str(PROBE), inputs={}, output=str(self._folder / "probe"))
        job = Job(
            job_id=JobId(derive("probe")),
            task_id=TaskId(derive("probe")),
            template="probe",
            program="probe",
            params=msgspec.json.encode({"environments": wanted, "folder": str(self._folder)}),
            limits=Limits(timeout_ms=PROBE_MS, memory_bytes=max(2 << 30, self._offered.memory_bytes)),
        )
        outcome = await self._run(job, room, needs)
        if outcome.status is not Status.DONE:
            raise ExecutorFault(f"the {self.tier} sandbox does not work: {outcome.detail}\n{outcome.log}".strip())
        found = msgspec.json.decode(outcome.report, type=_Found)
        if holes := leaks(self.tier, found.inside, needs.image):
            raise ExecutorFault(f"the {self.tier} sandbox does not hold on this machine: {'; '.join(holes)}")
        for name, missing in found.missing.items():
            self._outfits.lament(name, missing, needs)
        return tuple(wanted) if self._launcher.is_wasm else found.environments

    def run(self, job: Job, room: Room) -> Deferred[Outcome]:
        """Run a job to its end within its limits."""
        return Deferred.fromCoroutine(self._run(job, room, self._outfits.of(job.template, job.device)))

    async def _run(self, job: Job, room: Room, needs: Needs) -> Outcome:
        if self._is_closed:
            raise ExecutorFault("the executor is closed")
        room = self._outfits.dress(room, needs)
        worker = (self._take(job) if job.warm else None) or self._make()
        self._running[job.job_id] = worker
        try:
            return await worker.run(job, room)
        except OSError as why:
            worker.is_spent = True
            raise ExecutorFault(f"the job's room can't be set up: {why}") from why
        finally:
            del self._running[job.job_id]
            self._give_back(job, worker)
            if self._is_closed and not self._running:
                self._all_ended.callback(None)

    def _take(self, job: Job) -> Worker | None:
        kind = _kind(job)
        for place in reversed(range(len(self._idle))):
            if self._idle[place][0] == kind and not self._idle[place][1].is_spent:
                return self._idle.pop(place)[1]
        return None

    def _make(self) -> Worker:
        self._count += 1
        return Worker(self._launcher, self._clock, self._folder / f"room-{self._count}", self._news)

    def _give_back(self, job: Job, worker: Worker) -> None:
        if worker.is_spent or not job.warm or self._is_closed:
            self._end(worker)
            return
        self._idle.append((_kind(job), worker))
        if len(self._idle) > max(MAX_IDLE, self._offered.cores):
            self._end(self._idle.pop(0)[1])
        if self._sweep is None:
            self._sweep = self._clock.callLater(IDLE_S, self._retire)

    def _retire(self) -> None:
        """End workers that have waited too long."""
        self._sweep = None
        now = self._clock.seconds()
        while self._idle and self._idle[0][1].idle_since + IDLE_S <= now:
            self._end(self._idle.pop(0)[1])
        if self._idle:
            self._sweep = self._clock.callLater(self._idle[0][1].idle_since + IDLE_S - now, self._retire)

    def _end(self, worker: Worker) -> None:
        done: Deferred[None] = Deferred.fromCoroutine(self._part_with(worker))
        done.addErrback(lambda trouble: log.failure("a worker's room is left behind", failure=trouble))
        if not done.called:
            self._ending.add(done)
            done.addBoth(lambda _: self._ending.discard(done))

    async def _part_with(self, worker: Worker) -> None:
        await worker.end()
        await self._aside(worker.clean)

    def stop(self, job_id: str) -> Deferred[None]:
        """End the job."""
        return Deferred.fromCoroutine(self._stop(job_id))

    async def _stop(self, job_id: str) -> None:
        if worker := self._running.get(job_id):
            worker.stop(Status.STOPPED, "stopped")

    def close(self) -> Deferred[None]:
        """End every job and worker, and wait until all are gone."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for worker in list(self._running.values()):
            worker.stop(Status.STOPPED, "the node is stopping")
        while self._idle:
            self._end(self._idle.pop()[1])
        if self._running:
            await self._all_ended
        await gatherResults(list(self._ending))


def _kind(job: Job) -> Kind:
    return job.task_id, job.template, job.limits, job.device
