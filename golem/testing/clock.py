"""A clock that tests turn: IReactorTime on a heap, since Twisted's own sorts its whole list at every call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import Protocol

from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

START_S = 1_700_000_000.0  # a day in 2023: what is derived from the time looks like it does for real
CALLED, CANCELLED = -1, -2


class Owner(Protocol):
    """Whoever calls are made for. `is_away`: they can't be made now."""

    is_away: bool

    def missed(self, call: Call) -> None:
        """A call came due while the owner was away."""


@implementer(IDelayedCall)
class Call:
    """One call to come. `number`: of its entry in the heap, which counts only as long as both agree; or its end."""

    __slots__ = ("args", "clock", "func", "kw", "number", "owner", "time")

    def __init__(
        self,
        clock: Clock,
        time: float,
        func: Callable[..., object],
        args: tuple[object, ...],
        kw: dict[str, object],
        owner: Owner | None,
    ) -> None:
        self.clock = clock
        self.time = time
        self.func = func
        self.args = args
        self.kw = kw
        self.owner = owner
        self.number = clock.push(self)

    def getTime(self) -> float:
        """When, in seconds since 1970."""
        return self.time

    def active(self) -> bool:
        """Whether it is still to come."""
        return self.number >= 0

    def cancel(self) -> None:
        """Don't."""
        self._check()
        self.number = CANCELLED
        self.clock.forget()

    def reset(self, secondsFromNow: float) -> None:
        """In so many seconds from now."""
        self.move(self.clock.rightNow + secondsFromNow)

    def delay(self, secondsLater: float) -> None:
        """So much later."""
        self.move(self.time + secondsLater)

    def move(self, time: float) -> None:
        """At this time."""
        self._check()
        self.time = time
        self.clock.forget()
        self.number = self.clock.push(self)

    def _check(self) -> None:
        if self.number == CANCELLED:
            raise AlreadyCancelled
        if self.number == CALLED:
            raise AlreadyCalled


@implementer(IReactorTime)
class Clock:
    """Time stands still but for `advance` and `run_until`. Calls due at one instant run in the order they were made."""

    def __init__(self, start_s: float = START_S) -> None:
        self.rightNow = start_s
        self._made = 0
        self._stale = 0
        self._heap: list[tuple[float, int, Call]] = []

    @property
    def turns(self) -> int:
        """Calls that were ever asked for."""
        return self._made

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self.rightNow

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> Call:
        """Call `callable` in `delay` seconds of this clock's time."""
        return Call(self, self.rightNow + delay, callable, args, kw, None)

    def getDelayedCalls(self) -> Sequence[Call]:
        """All that is to come, the soonest first."""
        return [call for _, number, call in sorted(self._heap) if call.number == number]

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and all that is due in it happen."""
        self.run_to(self.rightNow + seconds)

    def run_to(self, end_s: float, *alarms: Sequence[object]) -> bool:
        """Let time pass until then, or until one of `alarms` is not empty; says whether none was."""
        heap, turn = self._heap, self._turn
        while heap and heap[0][0] <= end_s:
            turn()
            for alarm in alarms:
                if alarm:
                    return False
        self.rightNow = end_s
        return True

    def run_until(self, is_done: Callable[[], bool], limit_s: float) -> bool:
        """Let time pass until `is_done()`, or for `limit_s` seconds at most; says whether it was done."""
        end = self.rightNow + limit_s
        heap, turn = self._heap, self._turn
        while not is_done():
            if not heap or heap[0][0] > end:
                self.rightNow = end
                return is_done()
            turn()
        return True

    def _turn(self) -> None:
        at_s, number, call = heappop(self._heap)
        if call.number != number:
            self._stale -= 1
            return
        owner = call.owner
        if owner is not None and owner.is_away:
            owner.missed(call)
            return
        self.rightNow = max(self.rightNow, at_s)
        call.number = CALLED
        call.func(*call.args, **call.kw)

    def push(self, call: Call) -> int:
        """Have a call made at its time, unless its owner is away then; says the number of its entry."""
        self._made += 1
        heappush(self._heap, (call.time, self._made, call))
        return self._made

    def forget(self) -> None:
        """An entry was made for a call that was cancelled or moved."""
        self._stale += 1
        if self._stale > 1000 and self._stale * 2 > len(self._heap):  # as Twisted's reactor does
            self._heap[:] = [item for item in self._heap if item[2].number == item[1]]
            heapify(self._heap)
            self._stale = 0
