"""A network in memory: nodes by name, links with latency, cuts, resets and chopped bytes; the same for the same seed.

Every node has its own `MemoryCarrier`, so the whole of `golem.net` runs on it as it runs on TLS.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from hashlib import sha256
from random import Random

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import (
    CannotListenError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
)
from twisted.internet.interfaces import (
    IConsumer,
    IHandshakeListener,
    IListeningPort,
    IProducer,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ITCPTransport,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.net.carrier import split_place

WINDOW_BYTES = 64 << 10  # written and not yet arrived; past it the writer is asked to pause, as a socket's buffer does
LATENCY_S = 0.005  # of a link that nothing was said about
FIRST_PORT = 7_000


class MemoryNetwork:
    """All nodes and what lies between them. `chop`: the most bytes delivered at once; 0 leaves writes whole."""

    def __init__(self, seed: str, clock: IReactorTime, chop: int = 0) -> None:
        self.clock = clock
        self.chop = chop
        self._random = Random(sha256(f"{seed}/network".encode()).digest())
        self._latency: dict[frozenset[str], float] = {}
        self._cut: dict[frozenset[str], None] = {}
        self._ports: dict[tuple[str, int], IProtocolFactory] = {}
        self._pipes: dict[int, tuple[MemoryTransport, MemoryTransport]] = {}
        self._made = 0

    def carrier(self, host: str) -> MemoryCarrier:
        """What the node named `host` listens and dials with."""
        return MemoryCarrier(self, host)

    def slow(self, one: str, other: str, latency_s: float) -> None:
        """Let bytes between two nodes take so long from now on, one way."""
        self._latency[frozenset((one, other))] = latency_s

    def cut(self, one: str, other: str) -> None:
        """Nothing passes between two nodes any more, and neither is told."""
        self._cut[frozenset((one, other))] = None

    def heal(self, one: str, other: str) -> None:
        """Undo `cut`; what was sent in between is lost with the connections it was sent on."""
        pair = frozenset((one, other))
        if self._cut.pop(pair, 0) is None:
            for number, ends in list(self._pipes.items()):
                if ends[0].pair == pair and any(end.has_lost for end in ends):
                    self._reset(number)

    def reset(self, one: str, other: str) -> int:
        """Break every connection between two nodes now, with all that was under way; says how many."""
        pair = frozenset((one, other))
        numbers = [number for number, ends in self._pipes.items() if ends[0].pair == pair]
        for number in numbers:
            self._reset(number)
        return len(numbers)

    def _reset(self, number: int) -> None:
        for end in self._pipes.get(number, ()):
            end.gone(Failure(ConnectionLost("reset")))

    # what the carriers and transports ask for

    def is_cut(self, pair: frozenset[str]) -> bool:
        """Whether bytes between these nodes are lost."""
        return pair in self._cut

    def latency_s(self, pair: frozenset[str]) -> float:
        """How long bytes take between these nodes, one way."""
        return self._latency.get(pair, LATENCY_S)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What arrives of one write, each by itself."""
        while self.chop and len(data) > 1:
            size = self._random.randint(1, self.chop)
            yield data[:size]
            data = data[size:]
        if data:
            yield data

    def bind(self, host: str, port: int, factory: IProtocolFactory) -> int:
        """Listen; says on which port. Raises CannotListenError."""
        number = port or next(n for n in range(FIRST_PORT, 1 << 16) if (host, n) not in self._ports)
        if (host, number) in self._ports:
            raise CannotListenError(host, number, OSError("address in use"))
        self._ports[host, number] = factory
        return number

    def unbind(self, host: str, port: int) -> None:
        """Listen no more."""
        self._ports.pop((host, port), None)

    def connect(self, host: str, to: IPv4Address, factory: IProtocolFactory, done: Deferred[IProtocol]) -> None:
        """Join a dialler and a listener, a latency after the dialling."""
        listener = self._ports.get((to.host, to.port))
        if done.called:
            return
        pair = frozenset((host, to.host))
        if self.is_cut(pair):
            return  # the dialler's own time-out ends it
        if listener is None:
            done.errback(ConnectionRefusedError(f"nobody listens at {to.host}:{to.port}"))
            return
        self._made += 1
        binding = sha256(b"channel %d" % self._made).digest()
        ends = (MemoryTransport(self, self._made, pair, binding), MemoryTransport(self, self._made, pair, binding))
        self._pipes[self._made] = ends
        ends[0].join(ends[1], _address(host, 0), to)
        ends[1].join(ends[0], to, _address(host, 0))
        dialler, acceptor = factory.buildProtocol(to), listener.buildProtocol(ends[0].getHost())
        assert dialler is not None and acceptor is not None, "factories of this project never refuse"
        ends[0].begin(dialler)
        ends[1].begin(acceptor)
        done.callback(dialler)

    def forget(self, number: int) -> None:
        """Both ends of a connection are gone."""
        self._pipes.pop(number, None)


class _Socket:
    """What every transport must be able to answer, and nobody here asks much."""

    _host: IPv4Address
    _peer: IPv4Address

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

    def __init__(self, network: MemoryNetwork, number: int, pair: frozenset[str], binding: bytes) -> None:
        self.pair = pair
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
        if self._is_over or self._is_closing or not data:
            return
        self._in_flight += len(data)
        for piece in self._network.pieces(data):
            self._post(piece)
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

    def loseWriteConnection(self) -> None:
        """As `loseConnection`: half-closed connections are not made here."""
        self.loseConnection()

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
        while self._is_reading and self._unread and not self._is_over:
            self._other._deliver(self._unread.popleft())

    def stopProducing(self) -> None:
        """As `loseConnection`."""
        self.loseConnection()

    # carrying

    def _post(self, data: bytes) -> None:
        """Let a piece arrive a latency later, never before the one written before it; an empty one is the end."""
        now_s = self._network.clock.seconds()
        self._arrives_at = max(self._arrives_at, now_s + self._network.latency_s(self.pair))
        self._network.clock.callLater(self._arrives_at - now_s, self._arrive, data)

    def _arrive(self, data: bytes) -> None:
        other = self._other
        if self._is_over or other._is_over:
            return
        if self._network.is_cut(self.pair) or self.has_lost:
            self.has_lost = True  # a hole in a stream is never filled: nothing that follows may arrive either
        elif other._is_reading and not other._unread:
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
        self._network.clock.callLater(self._network.latency_s(self.pair), self._hear, why)

    def _hear(self, why: Failure) -> None:
        if self._network.is_cut(self.pair):
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


class MemoryCarrier:
    """`golem.net.carrier.Carrier` of one node."""

    def __init__(self, network: MemoryNetwork, host: str) -> None:
        self._network = network
        self._host = host

    def listen(self, address: str) -> IStreamServerEndpoint:
        """Where to listen: "host:port", the host being this node's name or nothing."""
        return _Listening(self._network, self._host, int(split_place(address)[1]))

    def dial(self, address: str) -> IStreamClientEndpoint:
        """How to reach another node by its name. Raises ValueError."""
        host, port = split_place(address)
        return _Dialling(self._network, self._host, _address(host, int(port)))

    def binding(self, transport: ITransport) -> bytes:
        """What both ends of a connection have in common."""
        assert isinstance(transport, MemoryTransport)
        return transport.binding


@implementer(IStreamServerEndpoint, IListeningPort)
class _Listening:
    """An endpoint, and the port that comes of it."""

    def __init__(self, network: MemoryNetwork, host: str, port: int) -> None:
        self._network = network
        self._host = host
        self._port = port

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Begin."""
        try:
            self._port = self._network.bind(self._host, self._port, protocolFactory)
        except CannotListenError as why:
            return fail(why)
        return succeed(self)

    def startListening(self) -> None:
        """`listen` did."""

    def stopListening(self) -> None:
        """End."""
        self._network.unbind(self._host, self._port)

    def getHost(self) -> IPv4Address:
        """Where."""
        return _address(self._host, self._port)


@implementer(IStreamClientEndpoint)
class _Dialling:
    """One way to reach a node."""

    def __init__(self, network: MemoryNetwork, host: str, to: IPv4Address) -> None:
        self._network = network
        self._host = host
        self._to = to

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Fires a latency later; never, where the link is cut."""
        done: Deferred[IProtocol] = Deferred()
        pair = frozenset((self._host, self._to.host))
        self._network.clock.callLater(
            self._network.latency_s(pair), self._network.connect, self._host, self._to, protocolFactory, done
        )
        return done


def _address(host: str, port: int) -> IPv4Address:
    return IPv4Address("TCP", host, port)
