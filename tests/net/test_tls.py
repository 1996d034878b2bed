"""Sessions over real sockets on loopback: who is who, and what strangers can't do."""

from __future__ import annotations

import resource
from collections.abc import Awaitable, Callable, Iterator

import pytest
from OpenSSL import SSL
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IHandshakeListener,
    IListeningPort,
    IOpenSSLClientConnectionCreator,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.errors import ConfigError
from golem.model.budgets import HANDSHAKES
from golem.model.ids import SubtaskId
from golem.model.messages import Cancellation
from golem.net.carrier import HANDSHAKE_S
from golem.net.identity import Identity
from golem.net.network import Network
from golem.net.tls import ALPN, TlsCarrier
from golem.testing.clock import Clock
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.watchdog import left

assert isinstance(reactor, PosixReactorBase)
LOOPBACK = "127.0.0.1"
Make = Callable[..., Awaitable["Node"]]


def until(is_so: Callable[[], bool], limit_s: float = 5.0) -> Deferred[None]:
    """Let the reactor run until something is so."""
    done: Deferred[None] = Deferred()
    end = reactor.seconds() + limit_s

    def look() -> None:
        if is_so():
            done.callback(None)
        elif reactor.seconds() > end:
            done.errback(AssertionError(f"not so within {limit_s} s"))
        else:
            reactor.callLater(0.002, look)

    look()
    return done


class Node:
    """A network over TLS. `clock`: where time-outs are not waited for."""

    def __init__(self, name: str, listen: str = f"{LOOPBACK}:0", clock: Clock | None = None) -> None:
        self.keys = FixedKeyring(name)
        self.id = self.keys.node_id
        self.hearer = MemoryHearer()
        self.carrier = TlsCarrier(reactor, reactor)
        identity = Identity(self.keys, "devnet", listen, "", lambda: ":8080", lambda: "epoch")
        self.network = Network(self.carrier, clock or reactor, identity, self.hearer, SeededEntropy(name))
        self.hearer.join(self.network)
        self.started = self.network.startService()

    @property
    def port(self) -> int:
        return int(self.network.address.rpartition(":")[2])


@pytest.fixture
def make() -> Iterator[Make]:
    nodes: list[Node] = []

    async def one(name: str, **settings: object) -> Node:
        node = Node(name, **settings)  # type: ignore[arg-type]  # names and types as in Node
        nodes.append(node)
        await node.started
        return node

    yield one
    for node in nodes:
        stopping = node.network.stopService()
        if isinstance(node.network._clock, Clock):
            node.network._clock.advance(2)
        blockon(stopping)


@implementer(IHandshakeListener)
class Line(Protocol):
    """A stranger's end of a connection."""

    def __init__(self) -> None:
        self.is_shaken = self.is_lost = False
        self.heard = bytearray()
        self.far: Line | None = None

    def handshakeCompleted(self) -> None:
        self.is_shaken = True

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if self.far is not None and self.far.transport is not None:
            self.far.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_lost = True
        if self.far is not None and self.far.transport is not None:
            self.far.transport.loseConnection()


async def call(endpoint: IStreamClientEndpoint) -> Line:
    """A connection that stands."""
    line = await endpoint.connect(Factory.forProtocol(Line))
    assert isinstance(line, Line)
    return line


def plain(node: Node) -> TCP4ClientEndpoint:
    return TCP4ClientEndpoint(reactor, LOOPBACK, node.port)


def message(n: int) -> Cancellation:
    return Cancellation(subtask_id=SubtaskId(f"{n:032x}"))


async def test_two_nodes_prove_who_they_are_and_talk(make: Make) -> None:
    alice, bob = await make("alice"), await make("bob")
    alice.network.dial(bob.network.address)
    await until(lambda: bool(alice.network.peers() and bob.network.peers()))
    assert alice.hearer.places == {bob.id: (bob.network.address, f"{LOOPBACK}:8080", bob.keys.account)}
    assert bob.hearer.places == {alice.id: (alice.network.address, f"{LOOPBACK}:8080", alice.keys.account)}
    for n in range(1000):
        alice.hearer.send(bob.id, message(n))
        bob.hearer.send(alice.id, message(n))
    await until(lambda: not (alice.hearer.mail.unacknowledged(bob.id) or bob.hearer.mail.unacknowledged(alice.id)))
    assert alice.hearer.said[bob.id] == bob.hearer.said[alice.id] == [message(n) for n in range(1000)]


async def test_the_channel_is_tls_1_3_bound_alike_at_both_ends_and_like_no_other(make: Make) -> None:
    bob = await make("bob")
    alices = [await make(f"alice {n}") for n in range(2)]
    bindings = []
    for alice in alices:
        alice.network.dial(bob.network.address)
        await until(lambda alice=alice: alice.id in bob.network.peers() and bool(alice.network.peers()))
        here = alice.network._sessions.get(bob.id)._tcp
        there = bob.network._sessions.get(alice.id)._tcp
        assert alice.carrier.binding(here) == bob.carrier.binding(there)
        assert here.getHandle().get_protocol_version_name() == "TLSv1.3"
        bindings.append(alice.carrier.binding(here))
    assert bindings[0] != bindings[1] and {len(binding) for binding in bindings} == {32}


class Middle:
    """Sits between a dialler and a node, and passes on all that it can read."""

    def __init__(self, node: Node, *, with_keys: bool) -> None:
        carrier = TlsCarrier(reactor, reactor)
        self.lines: list[Line] = []
        to = carrier.dial(node.network.address) if with_keys else plain(node)
        at = carrier.listen(f"{LOOPBACK}:0") if with_keys else TCP4ServerEndpoint(reactor, 0, interface=LOOPBACK)
        middle = self

        class Near(Line):
            def connectionMade(self) -> None:
                middle.lines.append(self)
                self.transport.pauseProducing()
                to.connect(Factory.forProtocol(Line)).addCallback(self.join)

            def join(self, far: Line) -> None:
                self.far, far.far = far, self
                middle.lines.append(far)
                self.transport.resumeProducing()

        self._listening = at.listen(Factory.forProtocol(Near))

    async def start(self) -> None:
        self.port: IListeningPort = await self._listening
        self.address = f"{LOOPBACK}:{self.port.getHost().port}"

    async def stop(self) -> None:
        await self.port.stopListening()


async def test_who_only_passes_bytes_on_changes_nothing(make: Make) -> None:
    alice, bob = await make("alice"), await make("bob")
    middle = Middle(bob, with_keys=False)
    await middle.start()
    alice.network.dial(middle.address)
    await until(lambda: alice.network.peers() == (bob.id,))
    await middle.stop()


async def test_who_sits_in_the_middle_is_refused_by_both_since_the_channels_differ(make: Make) -> None:
    alice, bob = await make("alice"), await make("bob")
    middle = Middle(bob, with_keys=True)
    await middle.start()
    alice.network.dial(middle.address)
    await until(lambda: middle.address in alice.hearer.failed)
    assert "signature does not hold" in alice.hearer.failed[middle.address]
    await until(lambda: not bob.network._transports)
    assert any(line.heard for line in middle.lines), "it did read the hellos"
    assert not alice.network.peers() and not bob.network.peers() and not bob.hearer.log
    await middle.stop()


async def test_a_gigabyte_announced_is_refused_before_any_of_it_is_kept(make: Make) -> None:
    bob = await make("bob")
    lines = [await call(bob.carrier.dial(bob.network.address)) for _ in range(20)]
    await until(lambda: all(line.is_shaken for line in lines))
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for line in lines:
        assert line.transport is not None
        line.transport.write((1 << 30).to_bytes(4, "big") + bytes(60_000))
    await until(lambda: all(line.is_lost for line in lines))
    assert all(b"the most now" in line.heard for line in lines), "they are told why"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 16 << 10


async def test_who_does_not_shake_hands_is_sent_away_after_ten_seconds(make: Make) -> None:
    clock = Clock()
    bob = await make("bob", clock=clock)
    line = await call(bob.carrier.dial(bob.network.address))
    await until(lambda: len(bob.network._transports) == 1 and line.is_shaken)
    clock.advance(HANDSHAKE_S - 0.1)
    assert len(bob.network._admission.handshakes) == 1
    clock.advance(0.2)
    await until(lambda: line.is_lost)


async def test_a_crowd_that_never_shakes_hands_keeps_nobody_out(make: Make) -> None:
    alice, bob = await make("alice"), await make("bob")
    crowd = [await call(plain(bob)) for _ in range(HANDSHAKES.limit + 40)]
    await until(lambda: sum(line.is_lost for line in crowd) == 40)
    assert len(bob.network._admission.handshakes) == HANDSHAKES.limit
    alice.network.dial(bob.network.address)
    await until(lambda: alice.network.peers() == (bob.id,))
    for line in crowd:
        ITCPTransport(line.transport).abortConnection()
    await until(lambda: not bob.network._admission.handshakes)


@implementer(IOpenSSLClientConnectionCreator)
class Client:
    """TLS as somebody else would speak it."""

    def __init__(self, alpn: bytes, newest: int) -> None:
        self._context = SSL.Context(SSL.TLS_METHOD)
        self._context.set_max_proto_version(newest)
        self._context.set_alpn_protos([alpn])

    def clientConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:
        return SSL.Connection(self._context, None)


@pytest.mark.parametrize(
    ("alpn", "newest"), [(b"h2", SSL.TLS1_3_VERSION), (b"golem/2", SSL.TLS1_3_VERSION), (ALPN, SSL.TLS1_2_VERSION)]
)
async def test_who_speaks_another_protocol_hears_no_hello(make: Make, alpn: bytes, newest: int) -> None:
    bob = await make("bob")
    line = await call(wrapClientTLS(Client(alpn, newest), plain(bob), reactor))
    await until(lambda: line.is_lost)
    assert not line.heard


async def test_garbage_instead_of_tls_is_sent_away(make: Make) -> None:
    bob = await make("bob")
    line = await call(plain(bob))
    assert line.transport is not None
    line.transport.write(b"GET / HTTP/1.1\r\n\r\n" * 10)
    await until(lambda: line.is_lost)


async def test_dialling_something_that_is_no_node_fails_and_says_so(make: Make) -> None:
    alice = await make("alice")
    port = reactor.listenTCP(0, Factory.forProtocol(Line), interface=LOOPBACK)
    empty = f"{LOOPBACK}:{port.getHost().port}"
    await port.stopListening()
    for address in (empty, "no host", ":7300", f"{LOOPBACK}:0", f"{LOOPBACK}:70000", "x" * 70 + ".example:1", "ü:1"):
        alice.network.dial(address)
        await until(lambda address=address: address in alice.hearer.failed, 11)


async def test_a_port_that_is_taken_is_named_with_its_key(make: Make) -> None:
    bob = await make("bob")
    before = left()
    with pytest.raises(ConfigError, match=rf"node\.listen.*{bob.port}") as why:
        await make("alice", listen=bob.network.address)
    assert left().files == before.files, f"a socket lives on in {why.value.__cause__!r}"


async def test_ipv6_works_alike(make: Make) -> None:
    try:
        bob = await make("bob", listen="[::1]:0")
    except ConfigError:
        pytest.skip("this machine has no IPv6")
    alice = await make("alice")
    alice.network.dial(bob.network.address)
    await until(lambda: alice.network.peers() == (bob.id,))
    assert bob.network.address.startswith("[::1]:")
    assert alice.hearer.places[bob.id][1] == "[::1]:8080"
