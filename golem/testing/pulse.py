"""Whether a reactor keeps turning: it must come round within a quarter of a second, whatever it does meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

BEAT_S = 0.1
MOST_S = 0.25  # what a peer or a user just notices
BUSY = 3  # times as long, where the machine is short of cores: what a node waits for, such as a child, is starved, too
THREADS = Path("/proc/self/task")  # each one's schedstat: nanoseconds that it ran, and that it waited for a core
NS_PER_S = 1_000_000_000
PRESSURE = Path("/proc/pressure/cpu")  # its first total: microseconds in which somebody waited for a core
US_PER_S = 1_000_000


class Pulse:
    """Beats from now on, and says so to `broke` whenever a beat came late.

    Time in which one of its threads would have run but had no core is not counted: it may have held the interpreter.
    Nor is time in which the process was stopped.
    """

    def __init__(self, clock: IReactorTime, broke: Callable[[str], None]) -> None:
        self._clock = clock
        self._broke = broke
        self._goes_on()
        self._before_signals = signal.signal(signal.SIGCONT, self._goes_on)
        self._beats = LoopingCall(self._beat)
        self._beats.clock = clock
        self._beats.start(BEAT_S, now=False)

    def stop(self) -> None:
        """Beat no more."""
        self._beats.stop()
        signal.signal(signal.SIGCONT, self._before_signals)

    def _goes_on(self, *_: object) -> None:
        self._at_s, self._waited, self._pressed_s = self._clock.seconds(), _waited(), _pressed_s()

    def _beat(self) -> None:
        at_s, waited, pressed_s = self._at_s, self._waited, self._pressed_s
        self._goes_on()
        starved_ns = sum(ns - waited.get(thread, 0) for thread, ns in self._waited.items())
        late_s = self._at_s - at_s - BEAT_S - starved_ns / NS_PER_S
        is_busy = self._pressed_s - pressed_s > (self._at_s - at_s) / 2
        if late_s > MOST_S * (BUSY if is_busy else 1):
            self._broke(f"the reactor stood still for {late_s * 1000:.0f} ms")


def _waited() -> dict[str, int]:
    """How long each thread has ever waited for a core."""
    found = {}
    for thread in THREADS.iterdir():
        with suppress(OSError):  # it has ended meanwhile
            found[thread.name] = int((thread / "schedstat").read_text().split()[1])
    return found


def _pressed_s() -> float:
    """How long this machine has ever been short of cores; 0 where its kernel does not say."""
    try:
        return int(PRESSURE.read_text().split(maxsplit=5)[4].removeprefix("total=")) / US_PER_S
    except OSError:
        return 0.0
