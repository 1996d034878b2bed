"""A clock that tests turn: IReactorTime on a heap, since Twisted's own sorts its whole list at every call."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Protocol

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

START_S = 1_700_000_000.0  # a day in 2023: what is derived from the time looks like it does for real


class Owner(Protocol):
    """Whoever calls are made for. `is_away`: they can't be made now."""

    is_away: bool

    def missed(self, call: DelayedCall) -> None:
        """A call came due while the owner was away."""


@implementer(IReactorTime)
class Clock:
    """Time stands still but for `advance` and `run_until`. Calls due at one instant run in the order they were made."""

    def __init__(self, start_s: float = START_S) -> None:
        self.rightNow = start_s
        self._made = 0
        self._cancelled = 0
        self._heap: list[tuple[float, int, DelayedCall, Owner | None]] = []

    @property
    def turns(self) -> int:
        """Calls that were ever asked for."""
        return self._made

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self.rightNow

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> DelayedCall:
        """Call `callable` in `delay` seconds of this clock's time."""
        call = DelayedCall(self.rightNow + delay, callable, args, kw, self.forget, self.push, self.seconds)
        self.push(call)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """All that is to come, the soonest first."""
        calls = {number: call for at_s, number, call, _ in self._heap if call.active() and call.time == at_s}
        return sorted(calls.values(), key=DelayedCall.getTime)

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and all that is due in it happen."""
        self.run_until(_never, seconds)

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
        at_s, _, call, owner = heappop(self._heap)
        if call.cancelled:
            self._cancelled -= 1
        elif call.called or call.time != at_s:  # it was moved to an earlier time, and left this entry behind
            return
        elif call.delayed_time:
            call.activate_delay()
            self.push(call, owner)
        elif owner is not None and owner.is_away:
            owner.missed(call)
        else:
            self.rightNow = max(self.rightNow, at_s)
            call.called = 1
            call.func(*call.args, **call.kw)

    def push(self, call: DelayedCall, owner: Owner | None = None) -> None:
        """Have a call made at its time, unless its owner is away then."""
        self._made += 1
        heappush(self._heap, (call.time, self._made, call, owner))

    def forget(self, call: DelayedCall) -> None:
        """A call was cancelled."""
        self._cancelled += 1
        if self._cancelled > 1000 and self._cancelled * 2 > len(self._heap):  # as Twisted's reactor does
            self._heap[:] = [item for item in self._heap if not item[2].cancelled]
            heapify(self._heap)
            self._cancelled = 0


def _never() -> bool:
    return False
