"""Room for jobs: so many at once, and no more cores and memory than there are. First come, first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from twisted.internet.defer import Deferred

from golem.model.spec import Limits

T = TypeVar("T")


class Whole(NamedTuple):
    """What all jobs may take together. `cores`, `memory_bytes`: 0 where nothing is said."""

    slots: int
    cores: int = 0
    memory_bytes: int = 0


class Slots:
    """A job that asks for more than the whole runs alone."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._taken = Whole(0, 0, 0)
        self._waiting: deque[tuple[Limits, Deferred[None]]] = deque()

    def run(self, limits: Limits, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        """Begin some work once there is room for it; its room is free again when it is over."""
        wait: Deferred[None] = Deferred()
        self._waiting.append((limits, wait))
        done: Deferred[T] = wait.addCallback(lambda _: work())
        done.addBoth(self._give_back, limits)
        self._serve()
        return done

    def _give_back(self, result: T, limits: Limits) -> T:
        slots, cores, memory = self._taken
        self._taken = Whole(slots - 1, cores - limits.cores, memory - limits.memory_bytes)
        self._serve()
        return result

    def _serve(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            limits, wait = self._waiting.popleft()
            slots, cores, memory = self._taken
            self._taken = Whole(slots + 1, cores + limits.cores, memory + limits.memory_bytes)
            wait.callback(None)

    def _fits(self, limits: Limits) -> bool:
        whole, taken = self._whole, self._taken
        if not taken.slots:
            return True
        has_cores = not whole.cores or taken.cores + limits.cores <= whole.cores
        has_memory = not whole.memory_bytes or taken.memory_bytes + limits.memory_bytes <= whole.memory_bytes
        return taken.slots < whole.slots and has_cores and has_memory
