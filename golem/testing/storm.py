"""The faults of a run with real nodes, each at its time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

from golem.testing.ground import Ground
from golem.testing.mishaps import Fault
from golem.testing.telling import now_s

NEVER_S = 3_600.0


class Storm:
    """Puts faults into force on `ground` whenever `blow` is called and they are due."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._active: list[Fault] = []

    def begin(self, faults: Sequence[Fault]) -> None:
        """Their times count from now."""
        start_s = now_s()
        for fault in faults:
            self._later(start_s + fault.at_ms / 1000, partial(self._begin, fault))
            if fault.for_ms:
                self._later(start_s + (fault.at_ms + fault.for_ms) / 1000, partial(self._end, fault))

    @property
    def rest_s(self) -> float:
        """Until something is due."""
        return max(0.0, self._due[0][0] - now_s()) if self._due else NEVER_S

    def blow(self) -> None:
        """Do what is due."""
        while self._due and self._due[0][0] <= now_s():
            heapq.heappop(self._due)[2]()

    def calm(self) -> None:
        """All that lasts ends now, and nothing new begins."""
        self._due.clear()
        for fault in list(self._active):
            self._end(fault)

    def _later(self, at_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at_s, next(self._numbers), what))

    def _begin(self, fault: Fault) -> None:
        if fault.for_ms:
            self._active.append(fault)
        self._ground.begin(fault)

    def _end(self, fault: Fault) -> None:
        """Undo it; what it had in common with others that last goes on."""
        if fault not in self._active:
            return
        self._active.remove(fault)
        self._ground.end(fault)
        for other in self._active:
            if other.family == fault.family:
                self._ground.begin(other)
