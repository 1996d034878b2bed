"""Minds the machine for its owner: new work only within hours, with disk to spare, and while nobody else needs it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from golem.model.events import Rested
from golem.model.messages import Reason
from golem.model.value import Value
from golem.node.disk import free_bytes
from golem.node.hours import is_open
from golem.node.memory import usage

LOOK_S = 5.0
LOOKS = 6  # half a minute: a burst of somebody's typing is no use of the machine, a build is
IDLE_SHARE = 0.15  # of all cores that others may take while the machine counts as idle
SPARE_SHARE = 0.25  # more than the least free disk, before work begins again: else it would end at once


class House(Value):
    """What the owner wants. `hours`: see `golem.node.hours`. `min_free_bytes`: of the disk that holds `folder`."""

    folder: str
    hours: Sequence[str] = ()
    is_idle_only: bool = False
    min_free_bytes: int = 0


class Load:
    """How much of the machine others use: its busy time, without that of the node and of `workers`' processes."""

    def __init__(self, workers: Callable[[], Sequence[int]]) -> None:
        self._workers = workers
        self._last = (0, 0, 0)
        self._shares: deque[float] = deque(maxlen=LOOKS)

    def others(self) -> float:
        """The least share of all cores that others had in any of the last looks; so that one quiet look is enough."""
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        total, idle = sum(fields), fields[3] + fields[4]
        own = usage(os.getpid(), *self._workers()).cpu_ticks
        was_total, was_idle, was_own = self._last
        self._last = (total, idle, own)
        if was_total and total > was_total:
            busy = (total - was_total) - (idle - was_idle)
            self._shares.append(max(0, busy - max(0, own - was_own)) / (total - was_total))
        return min(self._shares, default=0.0) if len(self._shares) == LOOKS else 0.0


class Caretaker(Service):
    """Posts `Rested` whenever what it sees changes."""

    def __init__(self, house: House, clock: IReactorTime, load: Load, post: Callable[[Rested], None]) -> None:
        self._house = house
        self._clock = clock
        self._load = load
        self._post = post
        self._call: IDelayedCall | None = None
        self._reason: Reason | None = None
        self._is_first = True

    def startService(self) -> None:
        """Look now, and again and again."""
        super().startService()
        self._look()

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _look(self) -> None:
        self._call = self._clock.callLater(LOOK_S, self._look)
        reason = self._why()
        if reason is not self._reason or self._is_first:
            self._reason, self._is_first = reason, False
            self._post(Rested(reason=reason))

    def _why(self) -> Reason | None:
        house = self._house
        if not is_open(house.hours, self._clock.seconds()):
            return Reason.HOURS
        wanted = house.min_free_bytes * (1 + SPARE_SHARE if self._reason is Reason.DISK else 1)
        if wanted and free_bytes(house.folder) < wanted:
            return Reason.DISK
        if house.is_idle_only and self._load.others() > IDLE_SHARE:
            return Reason.IN_USE
        return None
