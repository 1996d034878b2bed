"""Nodes that nobody can dial: they find relays, call one another through them, and hand out content that way too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import cast

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import ITransport
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from golem.errors import Refused
from golem.model.budgets import CIRCUITS_OF_ONE, GUESTS, RINGS
from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Cancellation
from golem.net.identity import Identity
from golem.net.network import Network
from golem.net.peer import PeerProtocol
from golem.net.reachability import Verdict
from golem.net.tls import TlsCarrier
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.wire.doorway import Answer, Call, Knock, Rap, Ring, What, line

assert isinstance(reactor, PosixReactorBase)
LOOPBACK = "127.0.0.1"


def until(is_so: Callable[[], object], limit_s: float = 10.0) -> Deferred[None]:
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


class Echo(Protocol):
    """Says back what it hears, in capitals."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data.upper())


class Node:
    """A network over TLS; with `listen` empty nobody can dial it."""

    def __init__(self, name: str, listen: str, shelf: str) -> None:
        keys = FixedKeyring(name)
        self.id = keys.node_id
        self.hearer = MemoryHearer()
        identity = Identity(keys, "devnet", listen, "", lambda: ":8080", lambda: "epoch", shelf=lambda: shelf)
        carrier = TlsCarrier(reactor, reactor)
        self.network = Network(carrier, reactor, identity, self.hearer, SeededEntropy(name))
        self.front = self.network.front
        self.hearer.join(self.network)
        self.started = self.network.startService()

    def session(self, other: Node) -> PeerProtocol:
        peer = self.front._peers[other.id]
        assert isinstance(peer, PeerProtocol)
        return peer

    @property
    def verdict(self) -> str:
        """As text, so that it may be asked for again."""
        return str(self.front.reachability.verdict)


Make = Callable[..., Awaitable[Node]]


@pytest.fixture
def make() -> Iterator[Make]:
    nodes: list[Node] = []
    shelf = blockon(TCP4ServerEndpoint(reactor, 0, interface=LOOPBACK).listen(Factory.forProtocol(Echo)))
    place = f"{LOOPBACK}:{shelf.getHost().port}"

    async def one(name: str, listen: str = f"{LOOPBACK}:0") -> Node:
        node = Node(name, listen, place)
        nodes.append(node)
        await node.started
        return node

    yield one
    for node in nodes:
        blockon(node.network.stopService())
    blockon(shelf.stopListening())


async def guests(make: Make, *names: str) -> tuple[Node, list[Node]]:
    """A relay, and nodes that nobody can dial, each with an address there."""
    relay = await make("relay")
    hidden = [await make(name, "") for name in names]
    for node in hidden:
        node.network.dial(relay.network.address)
    await until(lambda: all(node.network.address for node in hidden))
    return relay, hidden


class Line(Protocol):
    """A stranger's end of a connection."""

    def __init__(self) -> None:
        self.heard = b""
        self.is_lost = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_lost = True

    def say(self, data: bytes) -> None:
        cast(ITransport, self.transport).write(data)

    def hang_up(self) -> None:
        cast(ITransport, self.transport).loseConnection()


async def at(node: Node, said: bytes = b"") -> Line:
    """Somebody at a node's door who says something."""
    port = int(node.network.address.rpartition(":")[2])
    made = await TCP4ClientEndpoint(reactor, LOOPBACK, port).connect(Factory.forProtocol(Line))
    assert isinstance(made, Line)
    made.say(said)
    return made


async def test_two_nodes_that_nobody_can_dial_talk_through_a_third(make: Make) -> None:
    relay, (alice, bob) = await guests(make, "alice", "bob")
    assert bob.network.address == f"{relay.network.address}/{bob.id}"
    assert bob.hearer.located_at[-1] == (bob.network.address, False)
    alice.network.dial(bob.network.address)
    await until(lambda: bob.id in alice.network.peers() and alice.id in bob.network.peers())
    for n in range(500):
        alice.hearer.send(bob.id, Cancellation(subtask_id=SubtaskId(f"{n:032x}")))
        bob.hearer.send(alice.id, Cancellation(subtask_id=SubtaskId(f"{n:032x}")))
    await until(lambda: len(alice.hearer.said.get(bob.id, ())) == len(bob.hearer.said.get(alice.id, ())) == 500)
    where = {name: node.hearer.places[other.id][:2] for name, node, other in (("a", alice, bob), ("b", bob, alice))}
    assert where == {"a": (bob.network.address,) * 2, "b": (alice.network.address,) * 2}
    assert alice.session(bob).is_relayed and bob.session(alice).is_relayed
    assert not bob.session(alice).host, "a caller does not pass for its relay"


async def fetched(node: Node, place: str) -> bytes:
    """What a gateway behind others answers."""
    made = await node.front.content(place).connect(Factory.forProtocol(Line))
    assert isinstance(made, Line)
    made.say(b"content")
    await until(lambda: made.heard)
    made.hang_up()
    await until(lambda: made.is_lost)
    return made.heard


async def test_content_comes_through_the_relay_or_straight_back_to_whoever_was_dialled(make: Make) -> None:
    relay, (alice, bob) = await guests(make, "alice", "bob")
    assert await fetched(alice, bob.network.address) == b"CONTENT"
    assert relay.hearer.places[bob.id][1] == f"/{bob.id}", "it had no relay when they met"
    for place in (f"/{bob.id}", bob.network.address):
        assert await fetched(relay, place) == b"CONTENT"
    await until(lambda: not relay.front._circuits._carried)
    with pytest.raises(ValueError, match="not a host"):
        alice.front.content(f"/{bob.id}")


async def test_a_relay_that_goes_is_replaced_and_one_that_will_not_is_not_had(make: Make) -> None:
    relay, (alice,) = await guests(make, "alice")
    other = await make("other")
    alice.network.dial(other.network.address)
    await until(lambda: len(alice.front._guest._relays) == 2)
    await relay.network.stopService()
    await until(lambda: alice.network.address == f"{other.network.address}/{alice.id}")
    await other.network.stopService()
    await until(lambda: not alice.network.address)
    assert ("", False) in alice.hearer.located_at


async def test_who_calls_is_turned_away_where_there_is_no_guest_or_no_room(make: Make) -> None:
    relay, (alice,) = await guests(make, "alice")
    nobody = await at(relay, line(Call(NodeId("02" + "ab" * 32), What.SESSION)))
    await until(lambda: nobody.is_lost)
    assert nobody.heard == b"golem no it is no guest here\n"
    open_lines = [await at(relay, line(Call(alice.id, What.CONTENT))) for _ in range(CIRCUITS_OF_ONE.limit)]
    await until(lambda: all(one.heard == b"golem yes\n" for one in open_lines))
    more = await at(relay, line(Call(alice.id, What.CONTENT)))
    await until(lambda: more.is_lost)
    assert more.heard == b"golem no too many circuits\n" and relay.network.refused[CIRCUITS_OF_ONE.name] == 1
    for one in open_lines:
        one.hang_up()
    await until(lambda: not relay.front._circuits._carried)
    caller = TlsCarrier(reactor, reactor).dial(f"{relay.network.address}/02{'ab' * 32}")
    with pytest.raises(Refused, match="no guest"):
        await caller.connect(Factory.forProtocol(Line))


async def test_only_whoever_was_rung_can_answer_and_only_once(make: Make) -> None:
    relay, (alice,) = await guests(make, "alice")
    guess = await at(relay, line(Answer(bytes(16))))
    await until(lambda: guess.is_lost)
    assert guess.heard == b"golem no nobody rang\n"
    garbage = await at(relay, b"golem open sesame\n")
    await until(lambda: garbage.is_lost)
    assert garbage.heard.startswith(b"golem no")
    assert relay.id in alice.network.peers()


async def test_so_many_guests_and_no_more(make: Make) -> None:
    relay, (alice,) = await guests(make, "alice")
    circuits, peer = relay.front._circuits, relay.session(alice)
    for n in range(GUESTS.limit - 1):
        circuits._guests[NodeId(f"02{n:064x}")] = peer
    assert circuits.reserve(peer), "it is a guest already"
    circuits.leave(peer)
    circuits._guests[NodeId("03" + "ab" * 32)] = peer
    assert not circuits.reserve(peer) and relay.network.refused[GUESTS.name] == 1
    circuits._guests.clear()


async def test_a_relay_that_rings_and_rings_is_not_answered_beyond_a_few(make: Make) -> None:
    relay, (alice,) = await guests(make, "alice")
    for n in range(RINGS.limit + 3):
        alice.front.signalled(alice.session(relay), Ring(token=n.to_bytes(16, "big"), what=What.CONTENT))
    assert alice.network.refused[RINGS.name] == 3
    await until(lambda: not alice.front._guest._answering)


async def test_a_ring_from_a_node_that_we_did_not_dial_moves_nothing(make: Make) -> None:
    relay, (alice,) = await guests(make, "alice")
    relay.front.signalled(relay.session(alice), Ring(token=bytes(16), what=What.CONTENT))
    assert not relay.front._guest._answering


async def test_a_node_learns_from_those_it_dials_whether_others_can_dial_it(make: Make) -> None:
    alice, bob = await make("alice"), await make("bob")
    assert alice.verdict == Verdict.UNKNOWN
    alice.network.dial(bob.network.address)
    await until(lambda: alice.verdict == Verdict.YES)
    assert alice.hearer.located_at == [(alice.network.address, True)]
    assert bob.verdict == Verdict.YES, "somebody came"
    hidden = await make("hidden", "")
    assert hidden.verdict == Verdict.SILENT


async def test_who_is_not_reached_takes_a_relay_until_somebody_gets_in(make: Make) -> None:
    alice, bob = await make("alice"), await make("bob")
    straight = alice.network.address
    alice.front.reachability._port = lambda: 1  # nobody listens there: a router that forwards nothing
    alice.network.dial(bob.network.address)
    await until(lambda: alice.front.reachability._asked and alice.id in bob.network.peers())
    alice.front.reachability._nobody()
    await until(lambda: alice.network.address == f"{bob.network.address}/{alice.id}")
    came = await make("came")
    came.network.dial(straight)
    await until(lambda: alice.network.address == straight)
    assert alice.hearer.located_at[-1] == (straight, True)


async def test_a_dial_back_goes_to_the_asking_peer_itself_and_seldom(make: Make) -> None:
    alice, bob = await make("alice"), await make("bob")
    alice.network.dial(bob.network.address)
    await until(lambda: alice.verdict == Verdict.YES)
    knock = Knock(port=1, token=bytes(16))
    bob.front.signalled(bob.session(alice), knock)
    assert bob.network.refused["knocks"] == 1, "once a minute"
    alice.front.signalled(alice.session(bob), knock)
    assert alice.network.refused["knocks"] == 1, "we dialled it: it can be dialled"
    wrong = await at(bob, line(Rap(bytes(16))))
    await until(lambda: wrong.is_lost)
