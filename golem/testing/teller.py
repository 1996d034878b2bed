"""A watched node's end of the line to whoever started it: see `golem.testing.telling`."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.core.state import NodeState
from golem.model.effects import Effect
from golem.model.events import Event
from golem.model.ids import Address
from golem.testing.invariants import check_node, lateness_is_remembered, told_to_stop_is_stopped
from golem.testing.record import LOUD, brief
from golem.testing.telling import MOST_TEXT, Broke, Earned, Ready, Said, Telling, Took, now_s
from golem.wire.codec import encode
from golem.wire.frame import frame

UNTOLD = 20_000  # tellings that wait for a reader, the latest; a record keeps no more of them either


@implementer(IPushProducer)
class Line(Protocol):
    """The connection. What its reader is too slow for waits here, within a bound."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._waiting: deque[bytes] = deque(maxlen=UNTOLD)
        self._is_paused = False
        self._ended: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        """Begin."""
        assert self.transport is not None
        self.transport.registerProducer(self, True)  # type: ignore[attr-defined]  # of a stream's transport

    def tell(self, told: Telling) -> None:
        """Say it as soon as the reader takes it."""
        self._waiting.append(frame(encode(told)))
        if not self._is_paused:
            self.resumeProducing()

    def pauseProducing(self) -> None:
        """The reader lags."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """It reads again."""
        self._is_paused = False
        while self._waiting and not self._is_paused and self.transport is not None:
            self.transport.write(self._waiting.popleft())

    def hang_up(self) -> Deferred[None]:
        """Say no more; fires when the connection is closed."""
        if self.transport is not None:
            self.transport.loseConnection()
        return self._ended

    def stopProducing(self) -> None:
        """Nobody reads any more; `connectionLost` follows."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Whoever listened is gone, or we are."""
        self._ended.callback(None)
        self._gone()


@implementer(ILogObserver)
class Teller:
    """Tells `line` what one node does. `state`: the node's, for reading."""

    def __init__(self, line: Line, name: str, state: Callable[[], NodeState]) -> None:
        self._line = line
        self._state = state
        self._earned: dict[Address, int] = {}
        line.tell(Ready(at_s=now_s(), name=name))
        self._count()

    def __call__(self, event: LogEvent) -> None:
        """A line of the node's log."""
        if event["log_level"] is LogLevel.debug:
            return
        text, at_s = formatEvent(event), now_s()
        if "log_failure" in event:
            self.broke(f"{text}\n{event['log_failure'].getTraceback(detail='brief')}")
        is_loud = event["log_level"] in LOUD
        who = str(event.get("log_namespace", ""))
        self._line.tell(Said(at_s=at_s, who=who, text=text[:MOST_TEXT], is_loud=is_loud))

    def saw(self, event: Event, effects: Sequence[Effect]) -> None:
        """A turn of the node, whose laws must hold after it."""
        self._line.tell(Took(at_s=now_s(), turn=brief(event, effects)))
        try:
            check_node(self._state())
            told_to_stop_is_stopped(event, self._state())
            lateness_is_remembered(effects)
        except AssertionError as why:
            self.broke(str(why))
        self._count()

    def broke(self, what: str) -> None:
        """Something should never have happened."""
        self._line.tell(Broke(at_s=now_s(), what=what[:MOST_TEXT]))

    def _count(self) -> None:
        """What it earned since the last time."""
        for payer, pair in self._state().ledger.earning.items():
            if pair.paid != self._earned.get(payer, 0):
                self._earned[payer] = pair.paid
                self._line.tell(Earned(at_s=now_s(), payer=payer, wei=pair.paid))


def dial(path: str, reactor: PosixReactorBase, gone: Callable[[], None]) -> Line:
    """A line to whoever listens at `path`. Raises OSError where nobody does. `gone`: called when it ends."""
    line = Line(gone)
    factory = Factory.forProtocol(lambda: line)
    factory.noisy = False
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.setblocking(False)
        reactor.adoptStreamConnection(sock.fileno(), socket.AF_UNIX, factory)
    return line
