"""One end of a connection in memory, which honours producers on both sides as a socket does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol as Interface

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IHandshakeListener,
    IProducer,
    IProtocol,
    IPushProducer,
    ITCPTransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.testing.clock import Call, Clock

WINDOW_BYTES = 64 << 10  # written and not yet arrived; past it the writer is asked to pause, as a socket's buffer does


class Lines(Interface):
    """What lies between two nodes; `golem.testing.network.MemoryNetwork` is it. A route is (from, to)."""

    clock: Clock
    chop: int
    about_to_write: Callable[[str], bool]

    def is_cut(self, route: tuple[str, str]) -> bool:
        """Whether bytes on this way are lost."""

    def is_frozen(self, host: str) -> bool:
        """Whether a host's process stands still, while its kernel goes on."""

    def delay_s(self, pair: frozenset[str]) -> float:
        """How long the next bytes take between these nodes, one way."""

    def wrote(self, number: int, route: tuple[str, str]) -> None:
        """Something was written: maybe the connection breaks under it."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What arrives of one write, each by itself."""

    def forget(self, number: int) -> None:
        """Both ends of a connection are gone."""


class _Socket:
    """What every transport must be able to answer, and nobody here asks much."""

    _host: IPv4Address
    _peer: IPv4Address

    def loseConnection(self) -> None:
        """Close in good order."""
        raise NotImplementedError

    def loseWriteConnection(self) -> None:
        """As `loseConnection`: half-closed connections are not made here."""
        self.loseConnection()

    def stopProducing(self) -> None:
        """As `loseConnection`."""
        self.loseConnection()

    def getHost(self) -> IPv4Address:
        """This end."""
        return self._host

    def getPeer(self) -> IPv4Address:
        """The far end."""
        return self._peer

    def getTcpNoDelay(self) -> bool:
        """Nothing is delayed here."""
        return True

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing is delayed here."""

    def getTcpKeepAlive(self) -> bool:
        """Nothing is kept alive here."""
        return False

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing is kept alive here."""


@implementer(ITCPTransport, IConsumer, IPushProducer)
class MemoryTransport(_Socket):
    """One end of a connection. Honours producers on both sides, as a socket does."""

    disconnecting = False

    def __init__(self, network: Lines, number: int, route: tuple[str, str], binding: bytes) -> None:
        self.route = route
        self.pair = frozenset(route)
        self.binding = binding
        self.has_lost = False
        self._network = network
        self._number = number
        self._unread: deque[bytes] = deque()
        self._in_flight = 0
        self._producer: IPushProducer | None = None
        self._is_reading = True
        self._is_full = self._is_closing = self._is_over = self._has_ended = False
        self._arrives_at = 0.0

    def join(self, other: MemoryTransport, host: IPv4Address, peer: IPv4Address) -> None:
        """Say what is at the far end."""
        self._other = other
        self._host = host
        self._peer = peer

    def begin(self, protocol: IProtocol) -> None:
        """Connect the protocol; the channel is as good as a finished TLS handshake."""
        self._protocol = protocol
        protocol.makeConnection(self)
        if IHandshakeListener.providedBy(protocol) and not self._is_over:
            IHandshakeListener(protocol).handshakeCompleted()

    # ITransport

    def write(self, data: bytes) -> None:
        """Send; the producer is paused where more than a window is under way."""
        if self._is_over or self._is_closing or not data or not self._network.about_to_write(self.route[0]):
            return
        self._in_flight += len(data)
        if self._network.chop:
            for piece in self._network.pieces(data):
                self._post(piece)
        else:
            self._post(data)
        self._network.wrote(self._number, self.route)
        if self._in_flight > WINDOW_BYTES and not self._is_full:
            self._is_full = True
            if self._producer is not None:
                self._producer.pauseProducing()

    def loseConnection(self) -> None:
        """Close, once all that was written has arrived and no producer is registered."""
        self.disconnecting = self._is_closing = True
        self._finish()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send all."""
        self.write(b"".join(data))

    def abortConnection(self) -> None:
        """Close now; the far end hears of it a latency later, unless the link is cut."""
        if not self._is_over:
            self._tell_other(Failure(ConnectionLost("aborted by the peer")))
            self._network.clock.callLater(0, self.gone, Failure(ConnectionAborted()))
            self._is_closing = True

    # IConsumer and IPushProducer

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Tell `producer` from now on when to pause and to resume."""
        self._producer = IPushProducer(producer)

    def unregisterProducer(self) -> None:
        """Tell it no more."""
        self._producer = None
        self._finish()

    def pauseProducing(self) -> None:
        """The protocol wants to read nothing for a while."""
        self._is_reading = False

    def resumeProducing(self) -> None:
        """It reads again."""
        self._is_reading = True
        self.read()

    def read(self) -> None:
        """Read what has come, as long as the protocol wants to and its process runs."""
        if self._network.is_frozen(self.route[0]):
            return
        while self._is_reading and self._unread and not self._is_over:
            self._other._deliver(self._unread.popleft())

    # carrying

    def _post(self, data: bytes) -> None:
        """Let a piece arrive a latency later, never before the one written before it; an empty one is the end."""
        network = self._network
        self._arrives_at = max(self._arrives_at, network.clock.rightNow + network.delay_s(self.pair))
        Call(network.clock, self._arrives_at, self._arrive, (data,), {}, None)

    def _arrive(self, data: bytes) -> None:
        other = self._other
        if self._is_over or other._is_over:
            return
        if self._network.is_cut(self.route) or self.has_lost:
            self.has_lost = True  # a hole in a stream is never filled: nothing that follows may arrive either
        elif other._is_reading and not other._unread and not self._network.is_frozen(other.route[0]):
            self._deliver(data)
        else:
            other._unread.append(data)

    def _deliver(self, data: bytes) -> None:
        if not data:
            self._other.gone(Failure(ConnectionDone()))
            self.gone(Failure(ConnectionDone()))
            return
        self._in_flight -= len(data)
        if self._is_full and self._in_flight <= WINDOW_BYTES // 2:
            self._is_full = False
            if self._producer is not None:
                self._producer.resumeProducing()
        self._other._protocol.dataReceived(data)

    def _finish(self) -> None:
        if self._is_closing and self._producer is None and not self._is_over and not self._has_ended:
            self._has_ended = True
            self._post(b"")

    def _tell_other(self, why: Failure) -> None:
        self._network.clock.callLater(self._network.delay_s(self.pair), self._hear, why)

    def _hear(self, why: Failure) -> None:
        if self._network.is_cut(self.route):
            self.has_lost = True
        else:
            self._other.gone(why)

    def gone(self, why: Failure) -> None:
        """The connection is over at this end."""
        if self._is_over:
            return
        self._is_over = True
        self._unread.clear()
        if self._other._is_over:
            self._network.forget(self._number)
        self._protocol.connectionLost(why)
