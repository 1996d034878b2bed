"""The task computer: a queue of jobs for one executor, with what goes in and what comes out.

Inputs are taken from the store once and shared, read-only, by all jobs that name them. What a job leaves in its
folder is copied out, put into the store, and named by its id in the outcome.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from golem.errors import ExecutorFault, GolemError, Refused
from golem.interfaces import IExecutor, IResourceStore, Room
from golem.model.ids import Cid
from golem.model.spec import Job, Outcome, Status
from golem.model.value import evolve
from golem.node.collect import collect
from golem.node.contents import Contents
from golem.node.disk import Aside, at_once, clear
from golem.node.slots import Slots, Whole

ENDINGS = (".py", ".wasm", ".wat")  # of programs: Python, and what the wasm tier runs
MAX_QUEUE = 4_096  # jobs that run or wait for a slot


class Computer(Service):
    """Runs jobs, as many at once as `slots` says, or as there are cores and memory for.

    `programs`: the folder of a template's programs, by the template's name.
    """

    def __init__(
        self,
        executor: IExecutor,
        store: IResourceStore,
        programs: Callable[[str], str],
        folder: Path,
        slots: int | Whole,
        aside: Aside = at_once,
    ) -> None:
        self._executor = executor
        self._store = store
        self._programs = programs
        self._folder = folder
        self._rooms = str(folder / "rooms")
        self._slots = Slots(slots if isinstance(slots, Whole) else Whole(slots))
        self._contents = Contents(store, folder / "content")
        self._stopped: set[str] = set()
        self._known: set[str] = set()
        self._programs_seen: dict[tuple[str, str], str] = {}
        self._aside = aside

    def startService(self) -> None:
        """Begin with empty rooms."""
        super().startService()
        clear(self._folder)
        for name in ("content", "rooms"):
            (self._folder / name).mkdir(parents=True)

    def stopService(self) -> Deferred[None]:
        """End all jobs."""
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        self._stopped |= self._known
        await self._executor.close()

    @property
    def is_idle(self) -> bool:
        """Whether no job runs or waits."""
        return not self._known

    def run(self, job: Job) -> Deferred[Outcome]:
        """Run a job as soon as a slot is free. Never fails: what goes wrong on our side is a FAULT outcome."""
        return Deferred.fromCoroutine(self._run(job))

    async def _run(self, job: Job) -> Outcome:
        if len(self._known) >= MAX_QUEUE:
            return Outcome(status=Status.FAULT, detail=f"{MAX_QUEUE} jobs wait here already")
        self._known.add(job.job_id)
        try:
            # Not a `finally` here: of a node that is dropped unfinished, it would wake jobs that are dropped too.
            return await self._slots.run(job.limits, lambda: Deferred.fromCoroutine(self._attempt(job)))
        except GolemError as why:
            status = Status.OUTPUT_REFUSED if isinstance(why, Refused) else Status.FAULT
            return Outcome(status=status, detail=str(why))
        except OSError as why:
            return Outcome(status=Status.FAULT, detail=f"this machine's disk: {why}")
        finally:
            self._known.discard(job.job_id)
            self._stopped.discard(job.job_id)

    async def _attempt(self, job: Job) -> Outcome:
        program = self._program(job)
        borrowed: list[Cid] = []
        output = f"{self._rooms}/{job.job_id}"
        try:
            inputs = {}
            for wanted in job.inputs:
                inputs[wanted.name] = await self._contents.borrow(wanted.cid)
                borrowed.append(wanted.cid)
            if job.job_id in self._stopped:
                return Outcome(status=Status.STOPPED, detail="stopped before it began")
            try:
                outcome = await self._executor.run(job, Room(program=program, inputs=inputs, output=output))
            except (GolemError, OSError):  # it may have begun
                await self._aside(partial(clear, Path(output)))
                raise
            return await self._keep(job, outcome, Path(output)) if os.path.lexists(output) else outcome
        finally:
            for cid in borrowed:
                self._contents.give_back(cid)

    def _program(self, job: Job) -> str:
        """The folder of a job's program."""
        key = (job.template, job.program)
        if key not in self._programs_seen:
            folder = self._programs(job.template)
            if not any(Path(folder, f"{job.program}{ending}").is_file() for ending in ENDINGS):
                raise ExecutorFault(f"the template {job.template} has no program {job.program!r}")
            self._programs_seen[key] = folder
        return self._programs_seen[key]

    async def _keep(self, job: Job, outcome: Outcome, output: Path) -> Outcome:
        """Put what a job made into the store, if it came to a good end."""
        safe = output.with_suffix(".safe")
        try:
            if outcome.status is not Status.DONE:
                return outcome
            await self._aside(partial(collect, output, safe, job.limits.output_bytes))
            content = await self._store.put(str(safe), job.task_id)
        finally:
            for path in (output, safe):
                await self._aside(partial(clear, path))
        return evolve(outcome, result=content.cid, size_bytes=content.size_bytes)

    def stop(self, job_id: str) -> Deferred[None]:
        """End a job, or have it not begin."""
        return Deferred.fromCoroutine(self._stop(job_id))

    async def _stop(self, job_id: str) -> None:
        if job_id in self._known:
            self._stopped.add(job_id)
            await self._executor.stop(job_id)
