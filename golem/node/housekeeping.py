"""Clears up after what is over: ends jobs and lets go of content; again and again, until it is done.

An effect that has no completion is not performed again after a crash. So each start looks for content that an earlier
run meant to let go of; jobs end with the process that ran them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from golem.core.keeping import is_needed
from golem.core.state import NodeState
from golem.errors import GolemError
from golem.interfaces import IResourceStore
from golem.model.ids import TaskId

FIRST_REST_S = 5.0
LONGEST_REST_S = 300.0  # between two tries
MAX_WAITING = 4_096  # chores to be tried again; the rest is left to the next start

log = Logger()


class Stops(Protocol):
    """What is needed of the computer; `golem.node.computer.Computer` is it."""

    def stop(self, job_id: str) -> Awaitable[None]:
        """End a job."""


class Housekeeper(Service):
    """Does chores of which nobody needs to hear. Started once the node takes part."""

    def __init__(
        self, store: IResourceStore, computer: Stops, state: Callable[[], NodeState], clock: IReactorTime
    ) -> None:
        self._store = store
        self._computer = computer
        self._state = state
        self._clock = clock
        self._again: dict[str, IDelayedCall] = {}

    def startService(self) -> None:
        """Let go of what is held for tasks that are over."""
        super().startService()
        self._do("look for content of old tasks", self._sweep)

    def stopService(self) -> None:
        """Try nothing again."""
        super().stopService()
        while self._again:
            self._again.popitem()[1].cancel()

    def stop(self, job_id: str) -> None:
        """End a job."""
        self._do(f"stop job {job_id}", lambda: self._computer.stop(job_id))

    def release(self, task_id: TaskId) -> None:
        """Let go of a task's content."""
        self._do(f"release content of task {task_id}", partial(self._release, task_id))

    async def _sweep(self) -> None:
        survey = await self._store.survey()
        owners = {owner: None for kept in survey.kept for owner in kept.owners if "/" not in owner}
        for owner in owners:
            self.release(TaskId(owner))

    async def _release(self, task_id: TaskId) -> None:
        if not is_needed(self._state(), task_id):  # a provider may have got more of the same task meanwhile
            await self._store.unpin(task_id)

    def _do(self, what: str, chore: Callable[[], Awaitable[None]], rest_s: float = FIRST_REST_S) -> None:
        done: Deferred[None] = Deferred.fromCoroutine(_run(chore))
        done.addErrback(self._failed, what, chore, rest_s)

    def _failed(self, trouble: Failure, what: str, chore: Callable[[], Awaitable[None]], rest_s: float) -> None:
        if not isinstance(trouble.value, GolemError):
            log.failure("could not {what}, in a way nobody foresaw", failure=trouble, what=what)
            return
        log.warn("could not {what}: {why}", what=what, why=str(trouble.value))
        if self.running and what not in self._again and len(self._again) < MAX_WAITING:
            self._again[what] = self._clock.callLater(rest_s, self._try_again, what, chore, rest_s)

    def _try_again(self, what: str, chore: Callable[[], Awaitable[None]], rest_s: float) -> None:
        del self._again[what]
        self._do(what, chore, min(LONGEST_REST_S, 2 * rest_s))


async def _run(chore: Callable[[], Awaitable[None]]) -> None:
    await chore()
