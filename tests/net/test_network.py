"""Sessions between whole networks, in memory and in virtual time."""

from __future__ import annotations

import itertools

import pytest
from twisted.python.failure import Failure

from golem.errors import ConfigError
from golem.model.ids import NodeId, SubtaskId, task_id
from golem.model.messages import Cancellation, Demand, Prune
from golem.model.money import Wei
from golem.model.spec import Limits
from golem.net.identity import Identity
from golem.net.intake import GOSSIP_BURST
from golem.net.network import Network
from golem.testing.clock import Clock
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.network import MemoryNetwork
from golem.wire.envelope import MAX_MESSAGES
from golem.wire.signing import sign_word


class Node:
    """A network with its hearer."""

    def __init__(self, net: MemoryNetwork, clock: Clock, name: str, **changes: object) -> None:
        self.keys = FixedKeyring(name)
        self.id = self.keys.node_id
        self.hearer = MemoryHearer()
        self.place = f"{name}:7300"
        identity = Identity(self.keys, "devnet", f"{name}:7300", "", lambda: ":8080", lambda: f"epoch of {name}")
        self.identity = identity._replace(**changes)  # type: ignore[arg-type]  # names and types as in Identity
        self.network = Network(net.carrier(name), clock, self.identity, self.hearer, SeededEntropy(name))
        self.hearer.join(self.network)
        self.network.startService()

    @property
    def said(self) -> dict[NodeId, list[int]]:
        return {
            peer: [int(m.subtask_id, 16) for m in messages if isinstance(m, Cancellation)]
            for peer, messages in self.hearer.said.items()
        }


class World:
    def __init__(self, chop: int = 0) -> None:
        self.clock = Clock()
        self.net = MemoryNetwork("7", self.clock, chop)

    def node(self, name: str, **changes: object) -> Node:
        return Node(self.net, self.clock, name, **changes)

    def pair(self) -> tuple[Node, Node]:
        alice, bob = self.node("alice"), self.node("bob")
        alice.network.dial("bob:7300")
        assert self.clock.run_until(lambda: bool(alice.network.peers() and bob.network.peers()), 1)
        return alice, bob


def number(n: int) -> Cancellation:
    return Cancellation(subtask_id=SubtaskId(f"{n:032x}"))


@pytest.fixture
def world() -> World:
    return World()


def test_both_ends_know_who_the_other_is_where_it_serves_and_who_is_paid(world: World) -> None:
    alice, bob = world.pair()
    assert alice.network.peers() == (bob.id,)
    assert alice.hearer.places[bob.id] == ("bob:7300", "bob:8080", bob.keys.account)
    assert bob.hearer.places[alice.id] == ("alice:7300", "alice:8080", alice.keys.account)
    assert alice.hearer.log == [f"connected {bob.id}"]


@pytest.mark.parametrize("chop", [0, 1, 7, 100])
def test_messages_arrive_once_in_order_however_the_bytes_are_chopped(chop: int) -> None:
    world = World(chop)
    alice, bob = world.pair()
    for n in range(300):
        alice.hearer.send(bob.id, number(n))
        bob.hearer.send(alice.id, number(n))
    world.clock.run_until(lambda: not alice.hearer.mail.unacknowledged(bob.id), 5)
    world.clock.advance(1)
    assert bob.said[alice.id] == alice.said[bob.id] == list(range(300))
    assert not bob.hearer.mail.unacknowledged(alice.id)


def test_what_is_said_to_a_peer_that_is_away_is_heard_when_it_comes(world: World) -> None:
    alice, bob = world.node("alice"), world.node("bob")
    for n in range(3):
        alice.hearer.send(bob.id, number(n))
    bob.network.dial("alice:7300")
    world.clock.advance(1)
    assert bob.said[alice.id] == [0, 1, 2]


@pytest.mark.parametrize("moment_ms", range(0, 60, 3))
def test_a_reset_in_mid_stream_loses_nothing_and_repeats_nothing(moment_ms: int) -> None:
    world = World(chop=997)
    alice, bob = world.pair()
    counter = itertools.count()

    def talk() -> None:
        for _ in range(20):
            n = next(counter)
            alice.hearer.send(bob.id, number(n))
            bob.hearer.send(alice.id, number(n))
        if n < 400:
            world.clock.callLater(0.002, talk)

    talk()
    world.clock.advance(moment_ms / 1000)
    assert world.net.reset("alice", "bob")
    assert not alice.network.peers() and not bob.network.peers()
    alice.network.dial("bob:7300")
    world.clock.advance(2)
    sent = list(range(next(counter)))
    assert bob.said[alice.id] == alice.said[bob.id] == sent
    assert alice.hearer.log == [f"connected {bob.id}", f"lost {bob.id}", f"connected {bob.id}"]


def test_a_peer_in_a_new_epoch_counts_from_its_own_beginning(world: World) -> None:
    alice, bob = world.pair()
    for n in range(5):
        alice.hearer.send(bob.id, number(n))
    world.clock.advance(1)
    alice.network.stopService()
    world.clock.advance(2)
    again = world.node("alice", epoch=lambda: "alice's second life")
    again.hearer.send(bob.id, number(7))
    again.network.dial("bob:7300")
    world.clock.advance(1)
    assert bob.said[alice.id] == [0, 1, 2, 3, 4, 7]


def test_a_peer_that_forgot_us_takes_the_first_number_it_hears(world: World) -> None:
    alice, bob = world.pair()
    for n in range(5):
        alice.hearer.send(bob.id, number(n))
    world.clock.advance(1)
    bob.network.stopService()
    world.clock.advance(2)
    alice.hearer.send(bob.id, number(5))
    again = world.node("bob", epoch=lambda: "bob's second life")
    again.network.dial("alice:7300")
    world.clock.advance(1)
    alice.hearer.send(bob.id, number(6))
    world.clock.advance(1)
    assert again.said[alice.id] == [5, 6]


def test_a_peer_behind_a_cut_line_is_lost_after_fifteen_seconds_of_silence(world: World) -> None:
    alice, bob = world.pair()
    world.clock.advance(60)
    assert alice.network.peers() == (bob.id,)
    world.net.cut("alice", "bob")
    world.clock.advance(9.9)
    assert alice.network.peers() and bob.network.peers()
    world.clock.advance(5.2)
    assert not alice.network.peers() and not bob.network.peers()
    world.net.heal("alice", "bob")
    alice.network.dial("bob:7300")
    world.clock.advance(1)
    assert alice.network.peers() == (bob.id,)


def test_a_line_cut_for_a_moment_in_which_nothing_was_said_keeps_its_session(world: World) -> None:
    alice, bob = world.pair()
    world.clock.advance(6)
    world.net.cut("alice", "bob")
    world.clock.advance(1)
    world.net.heal("alice", "bob")
    alice.hearer.send(bob.id, number(1))
    world.clock.advance(20)
    assert bob.said[alice.id] == [1] and alice.network.peers()


@pytest.mark.parametrize("lag_ms", [*range(-40, 41, 2), -9_000, 9_000])
@pytest.mark.parametrize("names", [("alice", "bob"), ("bob", "alice")])
def test_two_that_dial_each_other_keep_one_session_the_same_at_both_ends(names: tuple[str, str], lag_ms: int) -> None:
    world = World(chop=200)
    first, second = world.node(names[0]), world.node(names[1])
    world.clock.callLater(max(0, lag_ms) / 1000, first.network.dial, second.place)
    world.clock.callLater(max(0, -lag_ms) / 1000, second.network.dial, first.place)
    world.clock.callLater(0.021, lambda: first.hearer.send(second.id, number(1)))
    world.clock.advance(30)
    first.hearer.send(second.id, number(2))
    second.hearer.send(first.id, number(3))
    world.clock.advance(1)
    assert first.network.peers() == (second.id,) and second.network.peers() == (first.id,)
    assert second.said[first.id] == [1, 2] and first.said[second.id] == [3]
    assert len(world.net._pipes) == 1


def test_a_peer_that_lost_its_session_unnoticed_replaces_it_by_dialling_again(world: World) -> None:
    for names in (("alice", "bob"), ("bob", "alice")):
        world = World()
        one, other = world.node(names[0]), world.node(names[1])
        one.network.dial(other.place)
        world.clock.advance(11)
        world.net.cut("alice", "bob")
        other.network.drop(one.id, "a test")
        world.clock.advance(1.5)
        world.net._cut.clear()  # what was lost stays lost: `one` still thinks that the session stands
        assert one.network.peers() and not other.network.peers()
        other.network.dial(one.place)
        world.clock.advance(1)
        assert one.network.peers() == (other.id,) and other.network.peers() == (one.id,)
        assert one.hearer.log == [f"connected {other.id}", f"lost {other.id}", f"connected {other.id}"]


def test_dialling_a_peer_by_another_of_its_names_leaves_the_session_alone(world: World) -> None:
    alice, bob = world.pair()
    world.net._ports["seed", 1] = world.net._ports["bob", 7300]
    alice.network.dial("seed:1")
    world.clock.advance(5)
    assert alice.hearer.failed == {"seed:1": "there is a session already"}
    assert alice.hearer.log == [f"connected {bob.id}"] and bob.hearer.log == [f"connected {alice.id}"]


def test_dropping_a_peer_tells_it_why(world: World) -> None:
    alice, bob = world.pair()
    alice.network.drop(bob.id, "enough")
    assert alice.network.peers() == () and alice.hearer.log[-1] == f"lost {bob.id}"
    world.clock.advance(0.1)
    assert bob.network.peers() == () and not world.net._pipes


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"network": "othernet"}, "belongs to network"),
        ({"keyring": FixedKeyring("alice")}, "this node itself"),
    ],
)
def test_who_does_not_belong_is_sent_away_with_the_reason(world: World, changes: dict[str, object], why: str) -> None:
    alice, _ = world.node("alice"), world.node("bob", **changes)
    alice.network.dial("bob:7300")
    world.clock.advance(1)
    assert why in alice.hearer.failed["bob:7300"] and not alice.network.peers()


@pytest.mark.parametrize("address", ["bob:9", "nobody:7300", "bob", "bob:", "bob:x", ""])
def test_dialling_nobody_fails_and_says_so(world: World, address: str) -> None:
    alice = world.node("alice")
    world.node("bob")
    alice.network.dial(address)
    world.clock.advance(11)
    assert address in alice.hearer.failed


def test_dialling_into_a_cut_line_gives_up_after_ten_seconds(world: World) -> None:
    alice = world.node("alice")
    world.net.cut("alice", "bob")
    alice.network.dial("bob:7300")
    world.clock.advance(9.9)
    assert not alice.hearer.failed
    world.clock.advance(0.2)
    assert "bob:7300" in alice.hearer.failed


def test_a_port_that_is_taken_is_a_mistake_of_the_configuration(world: World) -> None:
    world.node("alice")
    failures: list[Failure] = []
    other = Node(world.net, world.clock, "alice")
    other.network.startService().addErrback(failures.append)
    assert isinstance(failures[0].value, ConfigError)
    assert "node.listen" in str(failures[0].value) and "7300" in str(failures[0].value)


def test_a_node_without_an_epoch_yet_takes_part_a_moment_later(world: World) -> None:
    epochs = [""]
    alice, _ = world.node("alice"), world.node("bob", epoch=lambda: epochs[0])
    alice.network.dial("bob:7300")
    world.clock.advance(1)
    assert "bob:7300" in alice.hearer.failed
    epochs[0] = "now"
    alice.network.dial("bob:7300")
    world.clock.advance(1)
    assert alice.network.peers()


def demand(keys: FixedKeyring, network: str = "devnet") -> Demand:
    made = Demand(
        task_id=task_id(keys.node_id, "1"),
        requestor=keys.node_id,
        address="alice:7300",
        template="echo",
        environment="echo-1",
        max_price=Wei(10**18),
        limits=Limits(),
        chunks=3,
        expires_ms=1_800_000_000_000,
    )
    return sign_word(keys.sign, network, made)


def test_a_demand_holds_when_it_is_passed_on(world: World) -> None:
    alice, bob = world.pair()
    carol = world.node("carol")
    carol.network.dial("bob:7300")
    world.clock.advance(1)
    told = demand(alice.keys)
    alice.network.whisper(told, alice.network.peers())
    world.clock.advance(1)
    bob.network.whisper(bob.hearer.gossip[0], [p for p in bob.network.peers() if p != alice.id])
    world.clock.advance(1)
    assert bob.hearer.gossip == carol.hearer.gossip == [told] and alice.hearer.gossip == []


def test_who_passes_on_a_forged_demand_three_times_is_banned_for_ten_minutes(world: World) -> None:
    alice, bob = world.pair()
    for _ in range(3):
        assert alice.network.peers() == (bob.id,)
        bob.network.whisper(demand(alice.keys, network="othernet"), bob.network.peers())
        world.clock.advance(1)
        assert not alice.network.peers() and not alice.hearer.gossip
        bob.network.dial("alice:7300")
        world.clock.advance(1)
    assert not alice.network.peers()
    world.clock.advance(600)
    bob.network.dial("alice:7300")
    world.clock.advance(1)
    assert alice.network.peers() == (bob.id,)


def test_stopping_says_goodbye_to_all_and_ends_within_a_second_even_into_a_cut_line(world: World) -> None:
    alice, bob = world.pair()
    carol = world.node("carol")
    alice.network.dial("carol:7300")
    world.clock.advance(1)
    world.net.cut("alice", "bob")
    done: list[object] = []
    alice.network.stopService().addCallback(done.append)
    world.clock.advance(0.1)
    assert not carol.network.peers() and not done
    world.clock.advance(1)
    assert done == [None] and bob.network.peers()


def test_a_burst_of_more_than_a_peer_reads_waits_and_arrives_whole(world: World) -> None:
    alice, bob = world.pair()
    world.net.slow("alice", "bob", 0.5)
    for n in range(20_000):
        alice.hearer.send(bob.id, number(n))
    world.clock.advance(0.1)
    (ends,) = world.net._pipes.values()
    assert max(end._in_flight for end in ends) < 256 << 10
    world.clock.run_until(lambda: not alice.hearer.mail.unacknowledged(bob.id), 120)
    assert bob.said[alice.id] == list(range(20_000)) and alice.hearer.log == [f"connected {bob.id}"]


def test_a_peer_that_reads_nothing_for_thirty_seconds_is_dropped(world: World) -> None:
    alice, bob = world.pair()
    (ends,) = world.net._pipes.values()
    ends[1].pauseProducing()
    bob.network._sessions.get(
        alice.id
    )._intake.is_holding = True  # it still sends pings, so that silence is not what ends it
    for n in range(5_000):
        alice.hearer.send(bob.id, number(n))
    world.clock.advance(29)
    assert alice.network.peers()
    world.clock.advance(2)
    assert not alice.network.peers()


def test_a_node_whose_disk_is_slow_stops_reading_and_loses_neither_messages_nor_the_session(world: World) -> None:
    alice, bob = world.pair()
    taken: list[tuple[NodeId, int]] = []
    acknowledge, bob.network.acknowledge = bob.network.acknowledge, lambda *args: taken.append(args)  # type: ignore[method-assign]  # a disk that has not written yet
    for n in range(10_000):
        alice.hearer.send(bob.id, number(n))
    world.clock.advance(25)
    assert alice.network.peers() and 4_096 <= len(bob.said[alice.id]) < 4_096 + 256 * 8
    bob.network.acknowledge = acknowledge  # type: ignore[method-assign]  # it has now
    acknowledge(*taken[-1])
    world.clock.advance(5)
    assert bob.said[alice.id] == list(range(10_000)) and not alice.hearer.mail.unacknowledged(bob.id)
    assert alice.hearer.log == [f"connected {bob.id}"]


def test_gossip_in_a_rush_is_heard_no_faster_than_it_is_worth(world: World) -> None:
    alice, bob = world.pair()
    for _ in range(20):
        for _ in range(100):
            alice.network.whisper(Prune(), alice.network.peers())
        world.clock.advance(0.01)
    world.clock.advance(0.5)
    assert GOSSIP_BURST <= len(bob.hearer.gossip) <= GOSSIP_BURST + MAX_MESSAGES
    world.clock.advance(5)
    assert len(bob.hearer.gossip) == 2_000 and alice.network.peers()
