"""The task computer: a queue of jobs for one executor, with what goes in and what comes out.

Inputs are taken from the store once and shared, read-only, by all jobs that name them. What a job leaves in its
folder is copied out, put into the store, and named by its id in the outcome.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.logger import Logger

from golem.errors import ExecutorFault, GolemError, Refused
from golem.interfaces import IExecutor, IResourceStore, Room
from golem.model.ids import Cid
from golem.model.spec import Job, Outcome, Status
from golem.model.value import evolve
from golem.node.collect import collect

MAX_QUEUE = 4_096  # jobs that wait for a slot
MAX_CONTENTS = 64  # inputs kept as files; a task has a few, a result to check is one more

log = Logger()


class Contents:
    """Content of the store as files of this machine, each made once however many jobs want it."""

    def __init__(self, store: IResourceStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._made: dict[Cid, Deferred[None] | None] = {}
        self._users: dict[Cid, int] = {}

    async def borrow(self, cid: Cid) -> str:
        """The path of a content, which stays until it is given back. Raises StoreFault."""
        self._users[cid] = self._users.get(cid, 0) + 1
        path = self._folder / cid
        try:
            if cid not in self._made:
                await self._make(cid, path)
            elif (making := self._made[cid]) is not None:
                await _also(making)
        except BaseException:
            self.give_back(cid)
            raise
        return str(path)

    async def _make(self, cid: Cid, path: Path) -> None:
        made = self._made[cid] = Deferred()
        try:
            await self._store.materialise(cid, str(path))
        except BaseException as why:
            del self._made[cid]
            made.addErrback(lambda _: None)
            made.errback(why)
            raise
        self._made[cid] = None
        made.callback(None)

    def give_back(self, cid: Cid) -> None:
        """A job is done with a content; the oldest that nobody uses go when there are too many."""
        self._users[cid] -= 1
        for old in list(self._made):
            if len(self._made) <= MAX_CONTENTS:
                break
            if not self._users.get(old) and self._made[old] is None:
                del self._made[old]
                self._users.pop(old, None)
                _remove(self._folder / old)


def _also(first: Deferred[None]) -> Deferred[None]:
    """A Deferred of our own for what somebody else waits for, too."""
    own: Deferred[None] = Deferred()
    first.addCallbacks(lambda _: own.callback(None), lambda why: own.errback(why))
    return own


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder; a link leads nowhere."""
    if path.is_dir() and not path.is_symlink():
        rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class Computer(Service):
    """Runs jobs, at most `slots` at once. `programs`: the folder of a template's programs, by the template's name."""

    def __init__(
        self, executor: IExecutor, store: IResourceStore, programs: Callable[[str], str], folder: Path, slots: int
    ) -> None:
        self._executor = executor
        self._store = store
        self._programs = programs
        self._folder = folder
        self._slots = DeferredSemaphore(slots)
        self._contents = Contents(store, folder / "content")
        self._stopped: set[str] = set()
        self._known: set[str] = set()
        self._found: set[tuple[str, str]] = set()

    def startService(self) -> None:
        """Begin with empty rooms."""
        super().startService()
        rmtree(self._folder, ignore_errors=True)
        for name in ("content", "rooms"):
            (self._folder / name).mkdir(parents=True)

    def stopService(self) -> Deferred[None]:
        """End all jobs."""
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        self._stopped |= self._known
        await self._executor.close()

    def run(self, job: Job) -> Deferred[Outcome]:
        """Run a job as soon as a slot is free. Never fails: what goes wrong on our side is a FAULT outcome."""
        return Deferred.fromCoroutine(self._run(job))

    async def _run(self, job: Job) -> Outcome:
        if len(self._known) >= MAX_QUEUE:
            return Outcome(status=Status.FAULT, detail=f"{MAX_QUEUE} jobs wait here already")
        self._known.add(job.job_id)
        try:
            await self._slots.acquire()
            try:
                return await self._attempt(job)
            finally:
                self._slots.release()
        except GolemError as why:
            status = Status.OUTPUT_REFUSED if isinstance(why, Refused) else Status.FAULT
            return Outcome(status=status, detail=str(why))
        except OSError as why:
            return Outcome(status=Status.FAULT, detail=f"this machine's disk: {why}")
        finally:
            self._known.discard(job.job_id)
            self._stopped.discard(job.job_id)

    async def _attempt(self, job: Job) -> Outcome:
        program = self._find(job.template, job.program)
        borrowed: list[Cid] = []
        output = self._folder / "rooms" / job.job_id
        try:
            inputs = {}
            for wanted in job.inputs:
                inputs[wanted.name] = await self._contents.borrow(wanted.cid)
                borrowed.append(wanted.cid)
            if job.job_id in self._stopped:
                return Outcome(status=Status.STOPPED, detail="stopped before it began")
            outcome = await self._executor.run(job, Room(program=program, inputs=inputs, output=str(output)))
            return await self._keep(job, outcome, output)
        finally:
            for cid in borrowed:
                self._contents.give_back(cid)
            _remove(output)

    def _find(self, template: str, name: str) -> str:
        """The folder of a template's programs, which has this one. Raises ExecutorFault."""
        folder = self._programs(template)
        if (folder, name) not in self._found:
            if not Path(folder, f"{name}.py").is_file():
                raise ExecutorFault(f"the template {template} has no program {name!r}")
            self._found.add((folder, name))
        return folder

    async def _keep(self, job: Job, outcome: Outcome, output: Path) -> Outcome:
        """Put what a job made into the store."""
        if outcome.status is not Status.DONE or not os.path.lexists(output):
            return outcome
        safe = output.with_suffix(".safe")
        try:
            collect(output, safe, job.limits.output_bytes)
            content = await self._store.put(str(safe), job.task_id)
        finally:
            rmtree(safe, ignore_errors=True)
        return evolve(outcome, result=content.cid, size_bytes=content.size_bytes)

    def stop(self, job_id: str) -> Deferred[None]:
        """End a job, or have it not begin."""
        return Deferred.fromCoroutine(self._stop(job_id))

    async def _stop(self, job_id: str) -> None:
        if job_id in self._known:
            self._stopped.add(job_id)
            await self._executor.stop(job_id)
