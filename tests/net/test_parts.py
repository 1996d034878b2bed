"""The parts of a session that a whole network seldom shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from golem.errors import Incompatible, Malformed
from golem.model.budgets import DIALS, INBOUND
from golem.model.ids import SubtaskId
from golem.model.messages import Cancellation
from golem.net import writer
from golem.net.admission import BAN_S, MAX_CULPRITS, STRIKES, Admission
from golem.net.carrier import join_place, seen_from, split_place
from golem.net.identity import Identity
from golem.net.intake import GOSSIP_BURST, MAX_UNTAKEN, Intake
from golem.net.network import Network
from golem.net.writer import MAX_QUEUED, MAX_UNWRITTEN_BYTES, Writer
from golem.testing.clock import Clock
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.network import MemoryNetwork
from golem.testing.samples import INSTANT_MS
from golem.wire.codec import encode
from golem.wire.frame import frame
from golem.wire.session import Hello, Ping, Proved, Session
from golem.wire.signing import payee_digest

MESSAGE = Cancellation(subtask_id=SubtaskId("0" * 32))


# places


@pytest.mark.parametrize("place", ["host:1", "192.0.2.1:7300", "[2001:db8::1]:7300", ":5"])
def test_a_place_is_split_and_joined_to_itself(place: str) -> None:
    assert join_place(*split_place(place)) == place


@pytest.mark.parametrize(
    ("host", "said", "seen"),
    [
        ("192.0.2.9", ":8080", "192.0.2.9:8080"),
        ("192.0.2.9", "8080", "192.0.2.9:8080"),
        ("192.0.2.9", "0.0.0.0:8080", "192.0.2.9:8080"),
        ("2001:db8::9", "[::]:8080", "[2001:db8::9]:8080"),
        ("192.0.2.9", "127.0.0.1:8080", "192.0.2.9:8080"),
        ("192.0.2.9", "localhost:8080", "192.0.2.9:8080"),
        ("127.0.0.1", "127.0.0.1:8080", "127.0.0.1:8080"),
        ("::1", "127.0.0.1:8080", "127.0.0.1:8080"),
        ("192.0.2.9", "golem.example:8080", "golem.example:8080"),
        ("192.0.2.9", "", ""),
    ],
)
def test_a_host_that_only_the_peer_could_dial_is_replaced_by_where_it_is(host: str, said: str, seen: str) -> None:
    assert seen_from(host, said) == seen


# admission


def test_the_third_broken_rule_bans_for_ten_minutes() -> None:
    admission = Admission()
    verdicts = [admission.strike("x", Malformed("m"), 0.0) for _ in range(STRIKES)]
    assert verdicts == [False, False, True] and admission.is_banned("x", BAN_S - 1)
    assert not admission.is_banned("x", BAN_S) and not admission.is_banned("y", 0)
    assert not admission.strike("x", Malformed("m"), BAN_S)


def test_to_be_of_another_network_is_no_crime() -> None:
    admission = Admission()
    assert not any(admission.strike("x", Incompatible("i"), 0.0) for _ in range(10))


def test_a_flood_of_culprits_costs_a_bounded_memory() -> None:
    admission = Admission()
    for n in range(MAX_CULPRITS * 2):
        admission.strike(f"{n}", Malformed("m"), 0.0)
    assert len(admission._strikes) == MAX_CULPRITS


# reading


class Tap:
    """A transport as far as reading goes."""

    is_open = True

    def pauseProducing(self) -> None:
        self.is_open = False

    def resumeProducing(self) -> None:
        self.is_open = True

    def stopProducing(self) -> None:
        raise AssertionError("nobody stops it")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def intake(clock: Clock) -> tuple[Tap, Intake]:
    tap = Tap()
    return tap, Intake(clock, tap)  # type: ignore[arg-type]  # a provider in all but the declaration


def test_reading_stops_where_the_disk_is_behind_and_goes_on_when_half_is_written(clock: Clock) -> None:
    tap, reading = intake(clock)
    for number in range(1, MAX_UNTAKEN):
        reading.said(number)
    assert tap.is_open
    reading.said(MAX_UNTAKEN)
    assert not tap.is_open and reading.is_holding
    assert reading.taken(MAX_UNTAKEN // 2) and not tap.is_open
    assert reading.taken(MAX_UNTAKEN // 2 + 1) and tap.is_open
    assert not reading.taken(5)


def test_what_is_on_disk_already_when_it_comes_is_not_waited_for(clock: Clock) -> None:
    tap, reading = intake(clock)
    reading.taken(MAX_UNTAKEN * 2)
    for number in range(1, MAX_UNTAKEN * 2):
        reading.said(number)
    assert tap.is_open


def test_a_rest_ends_with_its_session(clock: Clock) -> None:
    tap, reading = intake(clock)
    for _ in range(GOSSIP_BURST + 1):
        reading.said(0)
    assert not tap.is_open
    reading.stop()
    assert not clock.getDelayedCalls()
    reading.stop()


# writing


def test_a_queue_that_no_peer_would_ever_read_gives_the_peer_up(clock: Clock) -> None:
    reasons: list[str] = []
    writing = Writer(StringTransport(), clock, reasons.append)
    for number in range(1, MAX_QUEUED + 1):
        writing.send(number, MESSAGE)
    assert not reasons
    writing.send(MAX_QUEUED + 1, MESSAGE)
    assert str(MAX_QUEUED) in reasons[0]


def test_a_stopped_writer_writes_nothing_and_waits_for_nothing(clock: Clock) -> None:
    writing = Writer(StringTransport(), clock, lambda why: None)
    writing.send(1, MESSAGE)
    writing.pauseProducing()
    writing.stop()
    writing.send(2, MESSAGE)
    writing.gossip(b"")
    writing.resumeProducing()
    assert not clock.getDelayedCalls()


def test_messages_that_do_not_fit_one_envelope_go_in_several(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_BATCH_BYTES", 3 * len(encode(MESSAGE)))
    writing = Writer(StringTransport(), clock, lambda why: None)
    for number in (*range(1, 6), 9):
        writing._queue.append((number, MESSAGE))
    batches = []
    while writing._queue:
        first, batch = writing._numbered()
        batches.append((first, len(batch)))
    assert batches == [(1, 3), (4, 2), (9, 1)]


# strangers, and crowds


class Stranger(Protocol):
    """Somebody with a connection, and a session on it if need be."""

    is_lost = ""

    def __init__(self) -> None:
        self.heard = bytearray()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_lost = reason.type.__name__ if reason.type else "?"


class World:
    def __init__(self) -> None:
        self.clock = Clock(INSTANT_MS / 1000)
        self.net = MemoryNetwork("3", self.clock)
        self.networks: list[Network] = []

    def node(self, name: str, hearer: MemoryHearer | None = None) -> tuple[Network, MemoryHearer]:
        hearer = hearer or MemoryHearer()
        identity = Identity(FixedKeyring(name), "devnet", f"{name}:1", "", lambda: "", lambda: "e")
        network = Network(self.net.carrier(name), self.clock, identity, hearer, SeededEntropy(name))
        network.startService()
        self.networks.append(network)
        return hearer.join(network), hearer

    def stranger(self, to: str, host: str = "mallory") -> Stranger:
        made: list[object] = []
        factory = Factory.forProtocol(Stranger)
        self.net.carrier(host).dial(f"{to}:1").connect(factory).addCallback(made.append)
        self.clock.advance(0.1)
        (line,) = made
        assert isinstance(line, Stranger)
        return line


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    for network in world.networks:
        network.stopService()
    world.clock.advance(2)
    assert not world.clock.getDelayedCalls(), "a network that has stopped waits for nothing"


def test_a_stranger_hears_why_it_is_sent_away_and_its_connection_is_closed_in_order(world: World) -> None:
    world.node("bob")
    line = world.stranger("bob")
    assert line.transport is not None
    line.transport.write(b"\xff\xff\xff\xff")
    world.clock.advance(0.1)
    assert b"4294967295" in line.heard and line.is_lost == "ConnectionDone"


@pytest.mark.parametrize(("host", "is_banned"), [("mallory", True), ("127.0.0.1", False)])
def test_a_host_of_garbage_is_banned_unless_it_is_this_machine(world: World, host: str, is_banned: bool) -> None:
    world.node("bob")
    for _ in range(STRIKES):
        line = world.stranger("bob", host)
        assert line.heard, "it is greeted"
        line.transport.write(frame(b"garbage"))  # type: ignore[union-attr]  # connected
        world.clock.advance(0.1)
        assert line.is_lost
    line = world.stranger("bob", host)
    assert bool(line.is_lost) is is_banned and bool(line.heard) is not is_banned


def test_who_asks_on_and_on_and_reads_no_answer_is_given_up(world: World) -> None:
    bob, _ = world.node("bob")
    line = world.stranger("bob")
    keys = FixedKeyring("mallory")
    proof = keys.sign_payment(payee_digest("devnet", keys.node_id))
    hello = Hello(
        network="devnet",
        versions=(1,),
        node_id=keys.node_id,
        epoch="e",
        address="",
        gateway="",
        payee=keys.account,
        payee_proof=proof,
        nonce=bytes(16),
        at_ms=INSTANT_MS,
    )
    session = Session(hello, world.net.carrier("mallory").binding(line.transport), keys.sign)  # type: ignore[arg-type]  # connected
    for _ in range(4):
        line.transport.write(session.take())  # type: ignore[union-attr]  # connected
        world.clock.advance(0.1)
        for happening in session.receive(bytes(line.heard), INSTANT_MS):
            if isinstance(happening, Proved):
                session.resume(0)
        line.heard.clear()
    assert bob.peers() == (keys.node_id,)
    IPushProducer(line.transport).pauseProducing()
    ping = frame(encode(Ping()))
    sent = 0
    while bob.peers() and sent < 4 * MAX_UNWRITTEN_BYTES:
        line.transport.write(ping * 1_000)  # type: ignore[union-attr]  # connected
        sent += len(ping) * 1_000
        world.clock.advance(0.01)
    assert not bob.peers() and sent > MAX_UNWRITTEN_BYTES / 2


def test_a_node_has_room_for_so_many_that_dial_it(world: World) -> None:
    bob, _ = world.node("bob")
    world.node("dialled")
    for n in range(INBOUND.limit + 3):
        world.node(f"n{n}")[0].dial("bob:1")
        world.clock.advance(0.1)
    assert len(bob.peers()) == INBOUND.limit
    bob.dial("dialled:1")
    world.clock.advance(1)
    assert len(bob.peers()) == INBOUND.limit + 1, "those we dial are not among them"


def test_so_many_are_dialled_at_once_and_no_more(world: World) -> None:
    bob, hearer = world.node("bob")
    for n in range(DIALS.limit + 1):
        bob.dial(f"n{n}:1")
    assert list(hearer.failed) == [f"n{DIALS.limit}:1"]


def test_a_node_dialled_by_two_of_its_names_at_once_has_one_session(world: World) -> None:
    alice, hearer = world.node("alice")
    bob, to_bob = world.node("bob")
    world.net._ports["seed", 1] = world.net._ports["bob", 1]
    alice.dial("bob:1")
    alice.dial("seed:1")
    world.clock.advance(1)
    assert list(hearer.failed) == ["seed:1"] and len(hearer.log) == len(to_bob.log) == 1
    assert alice.peers() and bob.peers()


def test_what_came_to_disk_during_the_handshake_is_acknowledged_when_it_ends(world: World) -> None:
    class Slow(MemoryHearer):
        def received(self, peer: object, epoch: str) -> int:
            self.asked = getattr(self, "asked", 0) + 1
            return 0 if self.asked == 1 else 3

    alice, hearer = world.node("alice", Slow())
    bob, to_bob = world.node("bob")
    for _ in range(3):
        to_bob.send(FixedKeyring("alice").node_id, MESSAGE)
    hearer.heard = lambda peer, sequence, message: None  # type: ignore[method-assign]  # its disk has them already
    alice.dial("bob:1")
    world.clock.advance(1)
    assert alice.peers() and bob.peers() and not to_bob.mail.unacknowledged(FixedKeyring("alice").node_id)


def test_a_network_that_has_stopped_lets_nobody_in_and_dials_nobody(world: World) -> None:
    alice, _ = world.node("alice")
    bob, hearer = world.node("bob")
    listener = world.net._ports["bob", 1]
    bob.stopService()
    world.net._ports["bob", 1] = listener
    alice.dial("bob:1")
    bob.dial("alice:1")
    world.clock.advance(1)
    assert "alice:1" in hearer.failed and not alice.peers()
