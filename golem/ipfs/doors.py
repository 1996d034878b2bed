"""The two ends of a connection to a gateway: HTTP as it is, or TLS in which a word comes first and then HTTP.

A gateway takes both at one port, told apart by the first byte. Plain HTTP is for what is public, and for other IPFS
clients; TLS is between nodes that work at the same task. The certificate says nothing: the word is made of the task's
ticket and of this very channel, and holds on no other.
"""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as Connection
from twisted.internet.tcp import Connection as Line
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import URI
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from golem.ipfs.tickets import WORD_BYTES, Channels, Pass, Tickets

MAX_CONNECTIONS = 256  # each may hold three batches: 0.75 GiB if every one of them stalls
IDLE_S = 60  # a connection that says nothing
CONNECT_S = 10.0
READ_BYTES = 256 << 10  # of a source at once; Twisted's 64 KiB make four times the turns of the reactor
_TLS = b"\x16"  # how a TLS handshake begins; no method of HTTP does


class Visitor(ProtocolWrapper):
    """Below HTTP: who is at the other end."""

    negotiatedProtocol = b"http/1.1"

    def owner(self) -> str:
        """Whose pins it may see; empty for a stranger, who may see what is public."""
        return ""


class Guest(Visitor):
    """A visitor over TLS, who says a word before anything else."""

    def __init__(self, hall: _Hall, wrapped: IProtocol) -> None:
        super().__init__(hall, wrapped)
        self._hall = hall
        self._word = b""

    def owner(self) -> str:
        """Asked at every request, since a task may have ended meanwhile."""
        return self._hall.owner(self._word, self.transport)

    def dataReceived(self, data: bytes) -> None:
        """The word, then HTTP."""
        if missing := WORD_BYTES - len(self._word):
            self._word, data = self._word + data[:missing], data[missing:]
        if data:
            super().dataReceived(data)


class _Yard(WrappingFactory[Visitor]):
    """Where visitors come in that say no word."""

    noisy = False
    protocol = Visitor


class _Hall(WrappingFactory[Guest]):
    """Where guests come in."""

    noisy = False
    protocol = Guest

    def __init__(self, site: IProtocolFactory, tickets: Tickets, channels: Channels) -> None:
        super().__init__(site)
        self._tickets = tickets
        self._channels = channels

    def owner(self, word: bytes, transport: ITransport | None) -> str:
        """For whom a word was said."""
        return self._tickets.visitor(word, self._channels.binding(transport)) if transport is not None else ""


class _Front(Connection):
    """One connection, until its first byte says what it is; then it passes on."""

    def __init__(self, house: Doors) -> None:
        self._house = house
        self._inner: IProtocol | None = None
        self._patience: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Wait for a byte."""
        self._house.open[self] = None
        self._patience = self._house.clock.callLater(IDLE_S, self.close)

    def dataReceived(self, data: bytes) -> None:
        """Some bytes."""
        if self._inner is None:
            self._calm()
            assert self.transport is not None
            factory = self._house.secure if data.startswith(_TLS) else self._house.plain
            inner = factory.buildProtocol(self.transport.getPeer())
            assert inner is not None, "these factories always make one"
            self._inner = inner
            inner.makeConnection(self.transport)
        self._inner.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        self._calm()
        self._house.open.pop(self, None)
        if self._inner is not None:
            self._inner.connectionLost(reason)

    def _calm(self) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()

    def close(self) -> None:
        """Hang up at once."""
        if isinstance(self.transport, Line):
            self.transport.abortConnection()


class Doors(Factory):
    """A gateway's connections: only so many at once; more are closed as they come."""

    noisy = False

    def __init__(self, clock: IReactorTime, site: IProtocolFactory, tickets: Tickets, channels: Channels) -> None:
        self.clock = clock
        self.open: dict[_Front, None] = {}
        self.plain = _Yard(site)
        self.secure = channels.accepted(_Hall(site, tickets, channels))

    def buildProtocol(self, addr: IAddress | None) -> _Front | None:
        """One more connection, if there is room."""
        return _Front(self) if len(self.open) < MAX_CONNECTIONS else None

    def close(self) -> None:
        """Hang up on everybody."""
        for front in list(self.open):
            front.close()


@implementer(IHandshakeListener)
class _Knock(Connection):
    """Says the word as soon as the channel stands, and gives the connection to HTTP. `ready`: then, its protocol."""

    def __init__(self, inner: IProtocol, words: Pass, channels: Channels) -> None:
        self.ready: Deferred[IProtocol] = Deferred()
        self._inner = inner
        self._pass = words
        self._channels = channels

    def handshakeCompleted(self) -> None:
        """The channel stands."""
        if self.transport is not None and not self.ready.called:
            self.transport.write(self._pass.word(self._channels.binding(self.transport)))
            self._inner.makeConnection(self.transport)
            self.ready.callback(self._inner)

    def dataReceived(self, data: bytes) -> None:
        """What HTTP waits for."""
        self._inner.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over, perhaps before it began."""
        if self.ready.called:
            self._inner.connectionLost(reason)
        else:
            self.ready.errback(ConnectionLost(f"no channel: {reason.getErrorMessage()}"))


@implementer(IStreamClientEndpoint)
class Straight(NamedTuple):
    """A TCP connection from which much is read at once."""

    plain: IStreamClientEndpoint

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect."""
        return self.plain.connect(protocolFactory).addCallback(_widened)


def _widened(connected: IProtocol) -> IProtocol:
    assert isinstance(connected, Connection)
    assert isinstance(connected.transport, Line)
    connected.transport.bufferSize = READ_BYTES
    return connected


@implementer(IStreamClientEndpoint)
class Way(NamedTuple):
    """How to reach one gateway, and with what to be let in. `plain`: by which way, where that is not host and port."""

    reactor: PosixReactorBase
    channels: Channels
    host: bytes
    port: int
    words: Pass
    plain: IStreamClientEndpoint | None = None

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect, and say the word."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        inner = factory.buildProtocol(IPv4Address("TCP", self.host.decode(), self.port))
        assert inner is not None, "a factory of HTTP clients always makes one"
        plain = self.plain or Straight(HostnameEndpoint(self.reactor, self.host, self.port, CONNECT_S))
        knock = _Knock(inner, self.words, self.channels)
        await connectProtocol(self.channels.dialled(plain), knock)
        knock.ready.addTimeout(CONNECT_S, self.reactor)
        return await knock.ready


@implementer(IAgentEndpointFactory)
class Ways(NamedTuple):
    """Makes the ways to gateways: with a pass by TLS, else as to anybody's."""

    reactor: PosixReactorBase
    channels: Channels
    words: Pass | None

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """How to reach a gateway."""
        if self.words is not None:
            return Way(self.reactor, self.channels, uri.host, uri.port, self.words)
        return Straight(HostnameEndpoint(self.reactor, uri.host, uri.port, CONNECT_S))
