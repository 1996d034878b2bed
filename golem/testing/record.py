"""What was seen of a run, on its own time: turns of nodes, messages that arrived, payments, and lines of the logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

from golem.model.effects import Effect
from golem.model.events import Event, Heard
from golem.model.ids import Address
from golem.testing.keys import FixedKeyring

MOST = 20_000  # of each kind are kept, the latest: what a browser still shows
LOUD = (LogLevel.error, LogLevel.critical)


class Arrival(NamedTuple):
    """A message that was heard. `task`: the scenario's name of what it is about, or nothing."""

    at_ms: int
    source: str
    target: str
    kind: str
    task: str


class Line(NamedTuple):
    """One turn of a node, or one line of the log."""

    at_ms: int
    who: str
    text: str
    is_loud: bool = False


@implementer(ILogObserver)
class Record:
    """`now_ms`: the scenario's clock. `tasks`: the scenario's names, by id."""

    def __init__(self, names: tuple[str, ...], now_ms: Callable[[], int]) -> None:
        self.tasks: dict[str, str] = {}
        self.arrivals: deque[Arrival] = deque(maxlen=MOST)
        self.lines: deque[Line] = deque(maxlen=MOST)
        self.payments: list[tuple[int, str, str, int]] = []
        self._now_ms = now_ms
        self._nodes = {FixedKeyring(name).node_id: name for name in names}
        self._accounts = {FixedKeyring(name).account: name for name in names}
        self._parents: dict[str, str] = {}
        self._paid: dict[tuple[Address, Address], int] = {}

    def __call__(self, event: LogEvent) -> None:
        """A line of the log."""
        text = formatEvent(event)
        self.lines.append(Line(self._now_ms(), str(event.get("log_namespace", "")), text, event["log_level"] in LOUD))

    def turn(self, name: str, event: Event, effects: list[Effect]) -> None:
        """A node took a turn."""
        asked = ", ".join(type(effect).__name__ for effect in effects)
        self.lines.append(Line(self._now_ms(), name, f"{type(event).__name__} -> {asked or 'nothing'}"))
        if isinstance(event, Heard):
            message = event.message
            task_id, part = getattr(message, "task_id", ""), getattr(message, "subtask_id", None)
            job = getattr(message, "job", None)
            task_id = task_id or getattr(job, "task_id", "") or self._parents.get(part or "", "")
            if part and task_id:
                self._parents[part] = task_id
            source = self._nodes.get(event.peer, event.peer[:8])
            kind = type(message).__name__
            self.arrivals.append(Arrival(self._now_ms(), source, name, kind, self.tasks.get(task_id, "")))

    def money(self, paid: Mapping[tuple[Address, Address], int]) -> None:
        """What the chain shows now; what is new in it was paid just now."""
        for (payer, payee), wei in paid.items():
            more = wei - self._paid.get((payer, payee), 0)
            if more:
                names = self._accounts.get(payer, payer[:8]), self._accounts.get(payee, payee[:8])
                self.payments.append((self._now_ms(), *names, more))
                self._paid[payer, payee] = wei
