"""What was seen of a run, on its own time: turns of nodes, messages that arrived, payments, and lines of the logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

from golem.model.effects import Effect
from golem.model.events import Event, Heard
from golem.model.ids import Address, NodeId
from golem.model.value import Value

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


class Turned(Value):
    """A turn in brief. `asked`: the kinds of its effects. Where it was something heard: from whom, what and about what.

    `task_id`, `subtask_id`: empty where the message names none.
    """

    event: str
    asked: tuple[str, ...] = ()
    peer: str = ""
    message: str = ""
    task_id: str = ""
    subtask_id: str = ""


def brief(event: Event, effects: Sequence[Effect]) -> Turned:
    """What a record keeps of a turn."""
    kind, asked = type(event).__name__, tuple(type(effect).__name__ for effect in effects)
    if not isinstance(event, Heard):
        return Turned(event=kind, asked=asked)
    message = event.message
    return Turned(
        event=kind,
        asked=asked,
        peer=event.peer,
        message=type(message).__name__,
        task_id=getattr(message, "task_id", "") or getattr(getattr(message, "job", None), "task_id", ""),
        subtask_id=getattr(message, "subtask_id", None) or "",
    )


@implementer(ILogObserver)
class Record:
    """`now_ms`: the scenario's clock. `nodes`, `accounts`: their names. `tasks`: the scenario's names, by id.

    `paid`: all that one account has ever paid another.
    """

    def __init__(self, nodes: Mapping[NodeId, str], accounts: Mapping[Address, str], now_ms: Callable[[], int]) -> None:
        self.tasks: dict[str, str] = {}
        self.arrivals: deque[Arrival] = deque(maxlen=MOST)
        self.lines: deque[Line] = deque(maxlen=MOST)
        self.payments: list[tuple[int, str, str, int]] = []
        self.paid: dict[tuple[Address, Address], int] = {}
        self._now_ms = now_ms
        self._nodes = nodes
        self._accounts = accounts
        self._parents: dict[str, str] = {}

    def __call__(self, event: LogEvent) -> None:
        """A line of the log."""
        text = formatEvent(event)
        self.lines.append(Line(self._now_ms(), str(event.get("log_namespace", "")), text, event["log_level"] in LOUD))

    def turn(self, name: str, turned: Turned) -> None:
        """A node took a turn."""
        self.lines.append(Line(self._now_ms(), name, f"{turned.event} -> {', '.join(turned.asked) or 'nothing'}"))
        if turned.message:
            task_id = turned.task_id or self._parents.get(turned.subtask_id, "")
            if turned.subtask_id and task_id:
                self._parents[turned.subtask_id] = task_id
            source = self._nodes.get(NodeId(turned.peer), turned.peer[:8])
            self.arrivals.append(Arrival(self._now_ms(), source, name, turned.message, self.tasks.get(task_id, "")))

    def money(self, paid: Mapping[tuple[Address, Address], int]) -> None:
        """What the chain shows now; what is new in it was paid just now."""
        for (payer, payee), wei in paid.items():
            more = wei - self.paid.get((payer, payee), 0)
            if more:
                names = self._accounts.get(payer, payer[:8]), self._accounts.get(payee, payee[:8])
                self.payments.append((self._now_ms(), *names, more))
                self.paid[payer, payee] = wei
