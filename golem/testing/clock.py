"""A clock that tests turn: IReactorTime on a heap, since Twisted's own sorts its whole list at every call."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

START_S = 1_700_000_000.0  # a day in 2023: what is derived from the time looks like it does for real


@implementer(IReactorTime)
class Clock:
    """Time stands still but for `advance` and `run_until`. Calls due at one instant run in the order they were made."""

    def __init__(self, start_s: float = START_S) -> None:
        self.rightNow = start_s
        self._made = 0
        self._cancelled = 0
        self._heap: list[tuple[float, int, DelayedCall]] = []

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self.rightNow

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> DelayedCall:
        """Call `callable` in `delay` seconds of this clock's time."""
        call = DelayedCall(self.rightNow + delay, callable, args, kw, self._forget, self._push, self.seconds)
        self._push(call)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """All that is to come, the soonest first."""
        calls = {number: call for at_s, number, call in self._heap if call.active() and call.time == at_s}
        return sorted(calls.values(), key=DelayedCall.getTime)

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and all that is due in it happen."""
        end = self.rightNow + seconds
        while self._heap and self._heap[0][0] <= end:
            self._turn()
        self.rightNow = end

    def run_until(self, is_done: Callable[[], bool], limit_s: float) -> bool:
        """Let time pass until `is_done()`, or for `limit_s` seconds at most; says whether it was done."""
        end = self.rightNow + limit_s
        while not is_done():
            if not self._heap or self._heap[0][0] > end:
                self.rightNow = end
                return is_done()
            self._turn()
        return True

    def _turn(self) -> None:
        at_s, _, call = heappop(self._heap)
        if call.cancelled:
            self._cancelled -= 1
        elif call.called or call.time != at_s:  # it was moved to an earlier time, and left this entry behind
            return
        elif call.delayed_time:
            call.activate_delay()
            self._push(call)
        else:
            self.rightNow = max(self.rightNow, at_s)
            call.called = 1
            call.func(*call.args, **call.kw)

    def _push(self, call: DelayedCall) -> None:
        self._made += 1
        heappush(self._heap, (call.time, self._made, call))

    def _forget(self, call: DelayedCall) -> None:
        self._cancelled += 1
        if self._cancelled > 1000 and self._cancelled * 2 > len(self._heap):  # as Twisted's reactor does
            self._heap = [item for item in self._heap if not item[2].cancelled]
            heapify(self._heap)
            self._cancelled = 0
