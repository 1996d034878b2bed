"""A network in memory: nodes by name, links with latency, cuts, resets and chopped bytes; the same for the same seed.

Every node has its own `MemoryCarrier`, so the whole of `golem.net` runs on it as it runs on TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError, ConnectionLost, ConnectionRefusedError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.net.carrier import split_place
from golem.net.door import Porter
from golem.testing.clock import Clock
from golem.testing.transport import MemoryTransport

LATENCY_S = 0.005  # of a link that nothing was said about
FIRST_PORT = 7_000
TAIL = 0.001  # of all writes take long, where `has_tail`: a lost packet that is sent again
TAIL_S = 1.0
MOST_PIECES = 12  # small ones of one write: through a frame's head and into its body; more only cost time


class MemoryNetwork:
    """All nodes and what lies between them. `chop`: the most bytes of a piece that a write begins with; 0: it is whole.

    `has_tail`: a few writes take much longer than the rest. `about_to_write`: whether a host may; asked each time.
    """

    def __init__(self, seed: str, clock: Clock, chop: int = 0) -> None:
        self.clock = clock
        self.chop = chop
        self.has_tail = False
        self._random = Random(sha256(f"{seed}/network".encode()).digest())
        self._latency: dict[frozenset[str], float] = {}
        self._clog: dict[frozenset[str], float] = {}
        self._loss: dict[frozenset[str], float] = {}
        self._cut: dict[tuple[str, str], None] = {}
        self._frozen: dict[str, None] = {}
        self._ports: dict[tuple[str, int], IProtocolFactory] = {}
        self._pipes: dict[int, tuple[MemoryTransport, MemoryTransport]] = {}
        self._made = 0
        self.about_to_write: Callable[[str], bool] = lambda host: True

    def carrier(self, host: str) -> MemoryCarrier:
        """What the node named `host` listens and dials with."""
        return MemoryCarrier(self, host)

    def slow(self, one: str, other: str, latency_s: float) -> None:
        """Let bytes between two nodes take so long from now on, one way."""
        self._latency[frozenset((one, other))] = latency_s

    def clog(self, one: str, other: str, delay_s: float) -> None:
        """Let them take so much longer than that; 0 ends it."""
        self._clog[frozenset((one, other))] = delay_s

    def lose(self, one: str, other: str, rate: float) -> None:
        """Let connections between two nodes break under so many of all writes; 0 ends it."""
        self._loss.pop(frozenset((one, other)), None)
        if rate:
            self._loss[frozenset((one, other))] = rate

    def cut(self, one: str, other: str, *, one_way: bool = False) -> None:
        """Nothing passes from one node to the other any more, nor back, and neither is told."""
        self._cut[one, other] = None
        if not one_way:
            self._cut[other, one] = None

    def heal(self, one: str, other: str, *, one_way: bool = False) -> None:
        """Undo `cut`; what was sent in between is lost with the connections it was sent on."""
        self._cut.pop((one, other), None)
        if not one_way:
            self._cut.pop((other, one), None)
        pair = frozenset((one, other))
        for number, ends in list(self._pipes.items()):
            if ends[0].pair == pair and any(end.has_lost and not self.is_cut(end.route) for end in ends):
                self._reset(number)

    def freeze(self, host: str) -> None:
        """A node's process stands still; what comes for it waits in its kernel."""
        self._frozen[host] = None

    def thaw(self, host: str) -> None:
        """It goes on, and reads what has come."""
        self._frozen.pop(host, None)
        for ends in list(self._pipes.values()):
            for end in ends:
                if end.route[0] == host:
                    end.read()

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

    def is_cut(self, route: tuple[str, str]) -> bool:
        """Whether bytes on this way are lost."""
        return route in self._cut

    def is_frozen(self, host: str) -> bool:
        """Whether a node stands still."""
        return host in self._frozen

    def delay_s(self, pair: frozenset[str]) -> float:
        """How long the next bytes take between these nodes, one way."""
        late = TAIL_S * self._random.random() if self.has_tail and self._random.random() < TAIL else 0.0
        return self._latency.get(pair, LATENCY_S) + self._clog.get(pair, 0.0) + late

    def wrote(self, number: int, route: tuple[str, str]) -> None:
        """Something was written: maybe the connection breaks under it."""
        pair = frozenset(route)
        if pair in self._loss and self._random.random() < self._loss[pair]:
            self.clock.callLater(0, self._reset, number)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What arrives of one write, each by itself: small pieces at first, and the rest whole."""
        for _ in range(MOST_PIECES if self.chop else 0):
            if len(data) <= 1:
                break
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
        route = (host, to.host)
        if self.is_cut(route) or self.is_cut(route[::-1]) or self.is_frozen(to.host):
            return  # the dialler's own time-out ends it
        if listener is None:
            done.errback(ConnectionRefusedError(f"nobody listens at {to.host}:{to.port}"))
            return
        self._made += 1
        binding = sha256(b"channel %d" % self._made).digest()
        ends = (
            MemoryTransport(self, self._made, route, binding),
            MemoryTransport(self, self._made, route[::-1], binding),
        )
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


class MemoryCarrier:
    """`golem.net.carrier.Carrier` of one node. No relays here: every node of this network can be dialled."""

    has_doors = False

    def __init__(self, network: MemoryNetwork, host: str) -> None:
        self._network = network
        self._host = host

    def listen(self, address: str, porter: Porter | None = None) -> IStreamServerEndpoint:
        """Where to listen: "host:port", the host being this node's name or nothing."""
        return _Listening(self._network, self._host, int(split_place(address)[1]))

    def dial(self, address: str) -> IStreamClientEndpoint:
        """How to reach another node by its name. Raises ValueError."""
        host, port = split_place(address)
        return _Dialling(self._network, self._host, _address(host, int(port)))

    def plain(self, address: str) -> IStreamClientEndpoint:
        """As `dial`: nobody listens in here."""
        return self.dial(address)

    def accepted(self, sessions: IProtocolFactory) -> IProtocolFactory:
        """As it is."""
        return sessions

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
            self._network.delay_s(pair), self._network.connect, self._host, self._to, protocolFactory, done
        )
        return done


def _address(host: str, port: int) -> IPv4Address:
    return IPv4Address("TCP", host, port)
