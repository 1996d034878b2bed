"""Differential gossip, by itself: nothing is made or lost, and all come to the mean."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golem.core import gossip
from golem.core.gossip import UNIT, Epoch
from golem.model.ids import NodeId
from golem.model.messages import Rated, Share
from golem.testing.keys import FixedKeyring

EVE = Rated(f"provider/{FixedKeyring('eve').node_id}")
SALT = b"s" * 16
Net = dict[NodeId, Epoch]


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that lose a third of everything, and disorder the rest, are in these tests only; TCP loses only itself."""
    monkeypatch.setattr(gossip, "MAX_TRIES", 10**6)


def node(index: int) -> NodeId:
    return NodeId(f"02{index:064x}")


def network(size: int, edges: list[tuple[int, int]], random: Random, raters: int) -> Net:
    chosen = set(random.sample(range(size), raters))
    net = {
        node(i): gossip.begin(7, {EVE: (random.random(), 0.1 + 0.9 * random.random())} if i in chosen else {})
        for i in range(size)
    }
    for one, other in edges:
        gossip.join(net[node(one)], node(other), SALT)
        gossip.join(net[node(other)], node(one), SALT)
    return net


def connected(size: int, random: Random, extra: int) -> list[tuple[int, int]]:
    """A random tree, and some edges more."""
    edges = {(random.randrange(i), i) for i in range(1, size)}
    for _ in range(extra):
        one, other = sorted(random.sample(range(size), 2))
        edges.add((one, other))
    return sorted(edges)


def total(net: Net) -> tuple[int, int]:
    """All masses, and all that is under way."""
    value = sum(epoch.masses.get(EVE, (0, 0))[0] for epoch in net.values())
    weight = sum(epoch.masses.get(EVE, (0, 0))[1] for epoch in net.values())
    for one, epoch in net.items():
        for other, flow in epoch.flows.items():
            taken = net[other].flows[one].taken.get(EVE, (0, 0))
            sent = flow.sent.get(EVE, (0, 0))
            value, weight = value + sent[0] - taken[0], weight + sent[1] - taken[1]
    return value, weight


def messages(net: Net) -> Iterator[tuple[NodeId, NodeId, Share]]:
    for one in list(net):
        for other, share in gossip.next_round(net[one]):
            yield one, other, share


def one_round(net: Net, random: Random, loss: float) -> None:
    """Every message arrives once, twice, or not at all."""
    for one, other, share in list(messages(net)):
        for _ in range(random.choice((1, 1, 2))):
            if random.random() >= loss:
                answer = gossip.hear(net[other], one, share)
                if answer is not None and random.random() >= loss:
                    gossip.hear(net[one], other, answer)
                    assert gossip.hear(net[one], other, answer) is None


def means(net: Net) -> list[float | None]:
    return [gossip.outcome(epoch).get(EVE, (None, 0.0))[0] for epoch in net.values()]


@pytest.mark.usefixtures("patience")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(3, 24), st.sampled_from((0.0, 0.1, 0.3)))
def test_nothing_is_made_or_lost_whatever_is_lost_or_comes_twice(seed: int, size: int, loss: float) -> None:
    random = Random(seed)
    net = network(size, connected(size, random, size), random, max(1, size // 2))
    before = total(net)
    for _ in range(12):
        one_round(net, random, loss)
        assert total(net) == before


def settle(net: Net, random: Random, loss: float) -> None:
    for _ in range(1000):
        one_round(net, random, loss)
        if all(map(gossip.is_settled, net.values())):
            return
    raise AssertionError("they do not settle")


@pytest.mark.usefixtures("patience")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(4, 24))
def test_neighbours_that_have_settled_are_three_times_the_precision_apart_at_most(seed: int, size: int) -> None:
    random = Random(seed)
    net = network(size, connected(size, random, size // 2), random, size)
    settle(net, random, 0.0)
    held = dict(zip(net, means(net), strict=True))
    for one, epoch in net.items():
        for other in epoch.flows:
            assert held[one] == pytest.approx(held[other], rel=3.01 * gossip.PRECISION)


@pytest.mark.usefixtures("patience")
@settings(max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(4, 24), st.sampled_from((0.0, 0.1)))
def test_when_all_have_settled_all_are_right(seed: int, size: int, loss: float) -> None:
    random = Random(seed)
    net = network(size, connected(size, random, 2 * size), random, size)
    value, weight = total(net)
    settle(net, random, loss)
    assert means(net) == [pytest.approx(value / weight, rel=1e-3)] * size


def test_who_had_settled_begins_again_when_a_rater_dies() -> None:
    random = Random(1)
    net = network(12, connected(12, random, 24), random, 12)
    settle(net, random, 0.0)
    dead = node(3)
    del net[dead]
    for epoch in net.values():
        gossip.leave(epoch, dead)
    value, weight = total(net)
    settle(net, random, 0.0)
    assert means(net) == [pytest.approx(value / weight, rel=1e-3)] * len(net)


@pytest.mark.usefixtures("patience")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(4, 16))
def test_after_a_crash_the_others_hold_exactly_their_own(seed: int, size: int) -> None:
    random = Random(seed)
    net = network(size, connected(size, random, size), random, size)
    own = {one: epoch.masses[EVE] for one, epoch in net.items()}
    for _ in range(5):
        one_round(net, random, 0.2)
    dead = random.choice(list(net))
    del net[dead]
    for epoch in net.values():
        gossip.leave(epoch, dead)
    assert total(net) == (sum(own[one][0] for one in net), sum(own[one][1] for one in net))


def test_a_hub_begins_more_exchanges_and_equals_begin_one() -> None:
    hub = gossip.begin(1, {})
    assert gossip.exchanges(hub) == 0
    for index in range(12):
        gossip.join(hub, node(index), SALT)
    assert gossip.exchanges(hub) == 1, "degrees are not known yet"
    for flow in hub.flows.values():
        flow.degree = 3
    assert gossip.exchanges(hub) == 4
    for flow in hub.flows.values():
        flow.degree = 1
    assert gossip.exchanges(hub) == gossip.MAX_EXCHANGES


def pair(own: float = 0.5) -> tuple[Epoch, Epoch]:
    alice, bob = gossip.begin(1, {EVE: (own, 1.0)}), gossip.begin(1, {})
    gossip.join(alice, node(2), SALT)
    gossip.join(bob, node(1), SALT)
    return alice, bob


def test_neighbours_take_turns() -> None:
    alice = gossip.begin(1, {EVE: (0.5, 1.0)})
    for index in (2, 3, 4):
        gossip.join(alice, node(index), SALT)
        gossip.join(alice, node(index), SALT)
    asked = []
    for _ in range(6):
        for peer, share in gossip.next_round(alice):
            asked.append(peer)
            answer = Share(epoch=1, number=share.number, answers=share.number, degree=1, sums=())
            gossip.hear(alice, peer, answer)
            alice.flows[peer].degree = 3
    assert sorted(asked[:3]) == sorted(asked[3:]) == [node(2), node(3), node(4)]


def test_whoever_did_not_answer_is_asked_before_others() -> None:
    alice = gossip.begin(1, {EVE: (0.5, 1.0)})
    for index in (2, 3, 4):
        gossip.join(alice, node(index), SALT, degree=3)
    ((silent, share),) = gossip.next_round(alice)
    assert [peer for peer, _ in gossip.next_round(alice)] == [silent]
    gossip.hear(alice, silent, Share(epoch=1, number=1, answers=share.number, degree=3, sums=()))
    assert [peer for peer, _ in gossip.next_round(alice)] != [silent]


def test_whoever_does_not_answer_is_asked_again_and_left_out_in_the_end() -> None:
    alice, _ = pair()
    before = alice.masses[EVE]
    for _ in range(gossip.MAX_TRIES):
        assert [peer for peer, _ in gossip.next_round(alice)] == [node(2)]
    assert alice.masses[EVE] != before
    assert gossip.next_round(alice) == []
    assert alice.masses[EVE] == before and not alice.flows


def test_what_is_old_of_another_epoch_or_from_a_stranger_changes_nothing() -> None:
    alice, bob = pair()
    ((_, share),) = gossip.next_round(alice)
    assert gossip.hear(bob, node(9), share) is None
    assert gossip.hear(bob, node(1), Share(epoch=2, number=1, answers=0, degree=1, sums=share.sums)) is None
    assert bob.masses == {}
    assert gossip.hear(bob, node(1), share) is not None
    assert gossip.hear(bob, node(1), share) is None


def test_nodes_that_agree_begin_no_more_and_still_answer() -> None:
    alice, bob = pair()
    for _ in range(20):
        for one, other, asker in ((alice, bob, 1), (bob, alice, 2)):
            for _, share in gossip.next_round(one):
                answer = gossip.hear(other, node(asker), share)
                assert answer is not None
                gossip.hear(one, node(3 - asker), answer)
    assert gossip.next_round(alice) == [] and gossip.next_round(bob) == []
    late = Share(epoch=1, number=1000, answers=0, degree=1, sums=((EVE, alice.flows[node(2)].taken[EVE][0], 0),))
    assert gossip.hear(alice, node(2), late) is not None
    assert not gossip.is_settled(alice), "what disagrees is looked into again"


def test_silence_is_no_agreement() -> None:
    alice, _ = pair()
    gossip.next_round(alice)
    assert not gossip.is_settled(alice)


def test_a_mass_out_of_nothing_comes_in_small_steps_only() -> None:
    alice, _ = pair()
    gossip.hear(alice, node(2), Share(epoch=1, number=1, answers=0, degree=1, sums=((EVE, 2**59, 2**59),)))
    assert alice.masses[EVE][1] <= UNIT + gossip.MAX_STEP


def test_targets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gossip, "MAX_TARGETS", 1)
    alice, _ = pair()
    other = Rated(f"requestor/{FixedKeyring('eve').node_id}")
    gossip.hear(alice, node(2), Share(epoch=1, number=1, answers=0, degree=1, sums=((other, UNIT, UNIT),)))
    assert list(alice.masses) == [EVE]


def test_leaving_twice_is_leaving_once() -> None:
    alice, _ = pair()
    gossip.leave(alice, node(2))
    before = (dict(alice.masses), list(alice.order))
    gossip.leave(alice, node(2))
    assert (alice.masses, alice.order) == before


@given(st.integers(0, 12), st.integers(0, 11), st.integers(0, 12))
def test_the_turn_stays_with_whoever_has_it_when_others_come_and_go(size: int, turn: int, gone: int) -> None:
    epoch = gossip.begin(1, {})
    for index in range(size):
        gossip.join(epoch, node(index), SALT)
    if not size:
        return
    epoch.turn = turn % size
    next_up = epoch.order[epoch.turn]
    gossip.join(epoch, node(99), SALT)
    assert epoch.order[epoch.turn % len(epoch.order)] in (next_up, node(99))
    if node(gone) in epoch.flows and node(gone) != next_up:
        gossip.leave(epoch, node(gone))
        assert epoch.order[epoch.turn % len(epoch.order)] in (next_up, node(99))
