"""A network in memory: nodes by name, links with latency, cuts, resets and chopped bytes; the same for the same seed.

Every node has its own `MemoryCarrier`, so the whole of `golem.net` runs on it as it runs on TLS. A session that is
dialled straight goes past the door, and its channel stands at once; one that a relay carries has a `Channel` inside.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

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
from golem.net.door import Doors, Porter, Through
from golem.testing.channel import Channel, Channels
from golem.testing.clock import Clock
from golem.testing.links import Links
from golem.testing.transport import MemoryTransport
from golem.wire.doorway import What, calling

FIRST_PORT = 7_000


class _Port(NamedTuple):
    """What a connection becomes. `visits`: one that wants no session."""

    sessions: IProtocolFactory
    visits: IProtocolFactory | None


class MemoryNetwork(Links):
    """All nodes and what lies between them. `about_to_write`: whether a host may; asked each time."""

    def __init__(self, seed: str, clock: Clock, chop: int = 0) -> None:
        super().__init__(seed, chop)
        self.clock = clock
        self._ports: dict[tuple[str, int], _Port] = {}
        self._pipes: dict[int, tuple[MemoryTransport, MemoryTransport]] = {}
        self._made = 0
        self.about_to_write: Callable[[str], bool] = lambda host: True

    def carrier(self, host: str) -> MemoryCarrier:
        """What the node named `host` listens and dials with."""
        return MemoryCarrier(self, host)

    def heal(self, one: str, other: str, *, one_way: bool = False) -> None:
        """Undo `cut`; what was sent in between is lost with the connections it was sent on."""
        self._cut.pop((one, other), None)
        if not one_way:
            self._cut.pop((other, one), None)
        pair = frozenset((one, other))
        for number, ends in list(self._pipes.items()):
            if ends[0].pair == pair and any(end.has_lost and not self.is_cut(end.route) for end in ends):
                self._reset(number)

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

    def is_joined(self, one: str, other: str) -> bool:
        """Whether there is a connection between two nodes."""
        pair = frozenset((one, other))
        return any(ends[0].pair == pair for ends in self._pipes.values())

    def wrote(self, number: int, route: tuple[str, str]) -> None:
        """Something was written: maybe the connection breaks under it."""
        pair = frozenset(route)
        if pair in self._loss and self._random.random() < self._loss[pair]:
            self.clock.callLater(0, self._reset, number)

    def bind(self, host: str, port: int, sessions: IProtocolFactory, visits: IProtocolFactory | None) -> int:
        """Listen; says on which port. Raises CannotListenError."""
        number = port or next(n for n in range(FIRST_PORT, 1 << 16) if (host, n) not in self._ports)
        if (host, number) in self._ports:
            raise CannotListenError(host, number, OSError("address in use"))
        self._ports[host, number] = _Port(sessions, visits)
        return number

    def unbind(self, host: str, port: int) -> None:
        """Listen no more."""
        self._ports.pop((host, port), None)

    def connect(
        self, host: str, to: IPv4Address, factory: IProtocolFactory, done: Deferred[IProtocol], *, is_visit: bool
    ) -> None:
        """Join a dialler and a listener, a latency after the dialling."""
        port = self._ports.get((to.host, to.port))
        listener = port and (port.visits if is_visit else port.sessions)
        if done.called:
            return
        route = (host, to.host)
        if self.is_cut(route) or self.is_cut(route[::-1]) or self.is_frozen(to.host) or self.is_walled(to.host):
            return  # the dialler's own time-out ends it
        if listener is None:
            done.errback(ConnectionRefusedError(f"nobody listens at {to.host}:{to.port}"))
            return
        binding = self.secret()
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

    def secret(self) -> bytes:
        """32 bytes that were never drawn before."""
        self._made += 1
        return sha256(b"channel %d" % self._made).digest()

    def forget(self, number: int) -> None:
        """Both ends of a connection are gone."""
        self._pipes.pop(number, None)


class MemoryCarrier:
    """`golem.net.carrier.Carrier` of one node."""

    def __init__(self, network: MemoryNetwork, host: str) -> None:
        self._network = network
        self._host = host

    def listen(self, address: str, porter: Porter | None = None) -> IStreamServerEndpoint:
        """Where to listen: "host:port", the host being this node's name or nothing."""
        return _Listening(self._network, self._host, int(split_place(address)[1]), porter)

    def dial(self, address: str) -> IStreamClientEndpoint:
        """How to reach another node by its name, or through its relay. Raises ValueError."""
        place, slash, node = address.partition("/")
        if slash:
            return _Inside(Through(self.plain(place), calling(node, What.SESSION)), self._network)
        return self._dialling(place, is_visit=False)

    def plain(self, address: str) -> IStreamClientEndpoint:
        """How to reach its door. Raises ValueError."""
        return self._dialling(address, is_visit=True)

    def _dialling(self, place: str, *, is_visit: bool) -> IStreamClientEndpoint:
        host, port = split_place(place)
        return _Dialling(self._network, self._host, _address(host, int(port)), is_visit)

    def accepted(self, sessions: IProtocolFactory) -> IProtocolFactory:
        """Makes channels, and the protocols of `sessions` in them."""
        return Channels(sessions, self._network.secret, is_dialled=False)

    def binding(self, transport: ITransport) -> bytes:
        """What both ends of a channel have in common."""
        assert isinstance(transport, MemoryTransport | Channel)
        return transport.binding


@implementer(IStreamServerEndpoint, IListeningPort)
class _Listening:
    """An endpoint, and the port that comes of it."""

    def __init__(self, network: MemoryNetwork, host: str, port: int, porter: Porter | None) -> None:
        self._network = network
        self._host = host
        self._port = port
        self._porter = porter

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Begin."""
        visits = Doors(self._porter, self._network.clock, protocolFactory) if self._porter else None
        try:
            self._port = self._network.bind(self._host, self._port, protocolFactory, visits)
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

    def __init__(self, network: MemoryNetwork, host: str, to: IPv4Address, is_visit: bool) -> None:
        self._network = network
        self._host = host
        self._to = to
        self._is_visit = is_visit

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Fires a latency later; never, where the link is cut."""
        done: Deferred[IProtocol] = Deferred()
        network, ends = self._network, (self._host, self._to)
        delay_s = network.delay_s(frozenset((self._host, self._to.host)))
        network.clock.callLater(delay_s, network.connect, *ends, protocolFactory, done, is_visit=self._is_visit)
        return done


@implementer(IStreamClientEndpoint)
class _Inside:
    """A channel inside another way."""

    def __init__(self, plain: IStreamClientEndpoint, network: MemoryNetwork) -> None:
        self._plain = plain
        self._network = network

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Fires with the protocol in the channel, before its handshake is over."""
        return Deferred.fromCoroutine(self._connect(Channels(protocolFactory, self._network.secret, is_dialled=True)))

    async def _connect(self, channels: Channels) -> IProtocol:
        channel = await self._plain.connect(channels)
        assert isinstance(channel, Channel)
        return channel.wrappedProtocol


def _address(host: str, port: int) -> IPv4Address:
    return IPv4Address("TCP", host, port)
