"""Named timers on a Twisted clock: one instant each, in milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

LONGEST_S = 24 * 3600.0  # a wall clock may be set meanwhile; look again at least once a day


class Timers:
    """Calls `fire(name)` when a timer's instant has come."""

    def __init__(self, clock: IReactorTime, fire: Callable[[str], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._calls: dict[str, IDelayedCall] = {}

    def set(self, name: str, at_ms: int) -> None:
        """Set a timer, or set it anew."""
        self.clear(name)
        delay = min(LONGEST_S, max(0.0, at_ms / 1000 - self._clock.seconds()))
        self._calls[name] = self._clock.callLater(delay, self._due, name, at_ms)

    def clear(self, name: str) -> None:
        """Forget a timer."""
        call = self._calls.pop(name, None)
        if call is not None and call.active():
            call.cancel()

    def clear_all(self) -> None:
        """Forget every timer."""
        for name in list(self._calls):
            self.clear(name)

    def _due(self, name: str, at_ms: int) -> None:
        del self._calls[name]
        if self._clock.seconds() * 1000 + 1 < at_ms:
            self.set(name, at_ms)
        else:
            self._fire(name)
