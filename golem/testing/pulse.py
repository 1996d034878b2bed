"""Whether a reactor keeps turning: it must come round within a quarter of a second, whatever it does meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

BEAT_S = 0.1
MOST_S = 0.25  # what a peer or a user just notices
TURN = Path("/proc/self/schedstat")  # of the main thread: nanoseconds that it ran, and that it waited for a core
NS_PER_S = 1_000_000_000


class Pulse:
    """Beats from now on, and says so to `broke` whenever a beat came late.

    Time in which the thread would have run but had no core is not counted, nor time in which the process was stopped.
    """

    def __init__(self, clock: IReactorTime, broke: Callable[[str], None]) -> None:
        self._clock = clock
        self._broke = broke
        self._before = self._now_s()
        self._before_signals = signal.signal(signal.SIGCONT, self._goes_on)
        self._beats = LoopingCall(self._beat)
        self._beats.clock = clock
        self._beats.start(BEAT_S, now=False)

    def stop(self) -> None:
        """Beat no more."""
        self._beats.stop()
        signal.signal(signal.SIGCONT, self._before_signals)

    def _now_s(self) -> float:
        return self._clock.seconds() - int(TURN.read_text().split()[1]) / NS_PER_S

    def _goes_on(self, *_: object) -> None:
        self._before = self._now_s()

    def _beat(self) -> None:
        before, self._before = self._before, self._now_s()
        late_s = self._before - before - BEAT_S
        if late_s > MOST_S:
            self._broke(f"the reactor stood still for {late_s * 1000:.0f} ms")
