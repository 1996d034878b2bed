"""What stands before a simulated node's ports: moods of the world behind them, and points at which the node may die.

No port is listed by its methods here: whatever is called goes through `Guard.call`, so a method that is added tomorrow
is a crash point tomorrow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import TypeVar, cast

from twisted.internet.defer import Deferred

from golem.errors import ChainFault, ExecutorFault, Fault, StoreFault

T = TypeVar("T")
P = TypeVar("P")


class Mood(Enum):
    """How a service behaves. HANGS: answers once the mood has passed. FORGETS: does it, and says that it failed."""

    WELL = "well"
    FAILS = "fails"
    HANGS = "hangs"
    FORGETS = "forgets"


FAULTS: dict[str, type[Fault]] = {"executor": ExecutorFault, "store": StoreFault, "chain": ChainFault}


class Moods:
    """Of a node's services, by name. They outlive the node."""

    def __init__(self) -> None:
        self._now: dict[str, Mood] = {}
        self._waiting: dict[str, list[Deferred[None]]] = {}

    def of(self, port: str) -> Mood:
        """How a service is now."""
        return self._now.get(port, Mood.WELL)

    def set(self, port: str, mood: Mood) -> None:
        """Change it; who waited for a service that hung is answered."""
        self._now[port] = mood
        if mood is not Mood.HANGS:
            for waiting in self._waiting.pop(port, []):
                waiting.callback(None)

    def passed(self, port: str) -> Deferred[None]:
        """Fires when the mood passes."""
        waiting: Deferred[None] = Deferred()
        self._waiting.setdefault(port, []).append(waiting)
        return waiting


class Guard:
    """Of one run of a node. `reached`: told each point's name as it is come to; it may let the node `fall` there."""

    def __init__(self, moods: Moods, reached: Callable[[str], None]) -> None:
        self._moods = moods
        self._reached = reached
        self.has_fallen = False

    def call(self, port: str, name: str, what: Callable[[], Awaitable[T]]) -> Deferred[T]:
        """Call a port's method, unless the node has fallen: then nothing comes of it, ever."""
        return Deferred.fromCoroutine(self._call(port, name, what))

    async def _call(self, port: str, name: str, what: Callable[[], Awaitable[T]]) -> T:
        await self.point(f"before {port}.{name}")
        if self._moods.of(port) is Mood.FAILS:
            raise FAULTS[port](f"the {port} is out of order")
        if self._moods.of(port) is Mood.HANGS:
            await self._moods.passed(port)
        answer = await what()
        await self.point(f"after {port}.{name}")
        if self._moods.of(port) is Mood.FORGETS:
            raise FAULTS[port](f"the {port} has lost its answer")
        return answer

    def point(self, name: str) -> Deferred[None]:
        """Come to a point; fires at once, or never where the node is dead."""
        passed: Deferred[None] = Deferred()
        if not self.has_fallen:
            self._reached(name)
        if not self.has_fallen:
            passed.callback(None)
        return passed


class _Guarded:
    """A port behind a guard; what is no call is the port's own."""

    def __init__(self, port: object, name: str, guard: Guard, quiet: tuple[str, ...]) -> None:
        self._port, self._name, self._guard, self._quiet = port, name, guard, quiet

    def __getattr__(self, name: str) -> object:
        found = getattr(self._port, name)
        if not callable(found) or name in self._quiet:
            return found
        return lambda *args, **kw: self._guard.call(self._name, name, partial(found, *args, **kw))


def guarded(port: P, name: str, guard: Guard, quiet: tuple[str, ...] = ()) -> P:
    """The same port, with a guard before all of its methods but the `quiet` ones."""
    return cast(P, _Guarded(port, name, guard, quiet))
