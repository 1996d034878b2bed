"""Faults are values: drawn alike from one seed, put into force, undone, and shrunk to the least that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from golem.testing.endpoint import About
from golem.testing.faults import KINDS, Fault, Weather, apply, draw, schedule
from golem.testing.local import LocalNetwork
from golem.testing.mishaps import (
    PORTS,
    ChainDown,
    Clog,
    Crash,
    Cut,
    Death,
    Disk,
    Forget,
    Freeze,
    Kill,
    Lie,
    Partition,
    Service,
    Skew,
    Stale,
)
from golem.testing.ports import Mood
from golem.testing.shrink import shrink

NAMES = ("alice", "bob", "carol")


@pytest.fixture
def net(tmp_path: Path) -> Iterator[LocalNetwork]:
    made = LocalNetwork(tmp_path, NAMES)
    made.advance(2)
    yield made
    made.close()


def connected(net: LocalNetwork, one: str, other: str) -> bool:
    node_id = net[other].keyring.node_id
    return net[one].node.engine.state.peers[node_id].is_connected


def test_a_seed_draws_the_same_faults_every_time_and_another_seed_others() -> None:
    assert draw(1, NAMES, 60_000) == draw(1, NAMES, 60_000) != draw(2, NAMES, 60_000)


def test_seeds_draw_every_kind_there_is_within_the_time_and_in_its_order() -> None:
    runs = [draw(seed, NAMES, 60_000) for seed in range(60)]
    assert {type(fault) for run in runs for fault in run} == set(KINDS.values())
    for run in runs:
        times = [fault.at_ms for fault in run]
        assert times == sorted(times) and all(0 <= at_ms < 60_000 for at_ms in times)
        assert all(set(fault.nodes) <= set(NAMES) for fault in run)


def test_faults_go_through_json_and_come_back() -> None:
    faults = [fault for seed in range(20) for fault in draw(seed, NAMES, 60_000)]
    assert msgspec.json.decode(msgspec.json.encode(faults), type=list[Fault]) == faults


def test_only_the_kinds_that_were_asked_for_are_drawn() -> None:
    assert {type(fault) for fault in draw(1, NAMES, 60_000, kinds=("kill",))} == {Kill}


def test_a_killed_node_is_back_when_the_fault_is_over(net: LocalNetwork) -> None:
    apply(net, Kill(at_ms=0, for_ms=5_000, node="bob"))
    net.advance(4.9)
    assert net["bob"].run is None
    net.advance(0.2)
    assert net["bob"].run is not None


def test_two_cuts_that_overlap_are_healed_by_the_end_of_the_second(net: LocalNetwork) -> None:
    schedule(
        net,
        [
            Cut(at_ms=0, for_ms=4_000, one="alice", other="bob"),
            Partition(at_ms=2_000, for_ms=4_000, side=("bob",)),
        ],
    )
    for at_s, is_cut in ((1, True), (5, True), (7, False)):
        net.advance(at_s - net.world.passed_s() + 2)
        assert net.world.network.is_cut(("alice", "bob")) is is_cut


def test_when_it_is_calm_nothing_lasts_and_nothing_begins(net: LocalNetwork) -> None:
    weather = schedule(
        net, [Cut(at_ms=0, for_ms=60_000, one="alice", other="bob"), Kill(at_ms=5_000, for_ms=60_000, node="bob")]
    )
    net.advance(1)
    weather.calm()
    net.advance(10)
    assert not net.world.network.is_cut(("alice", "bob")) and net["bob"].run is not None
    assert [type(fault) for fault in weather.began] == [Cut]


def test_a_one_way_cut_ends_the_session_on_both_sides(net: LocalNetwork) -> None:
    assert connected(net, "alice", "bob") and connected(net, "bob", "alice")
    apply(net, Cut(at_ms=0, for_ms=60_000, one="alice", other="bob", one_way=True))
    net.advance(40)
    assert not connected(net, "alice", "bob") and not connected(net, "bob", "alice")
    net.advance(40)
    assert connected(net, "alice", "bob") and connected(net, "bob", "alice")


def test_a_frozen_node_does_nothing_and_goes_on_where_it_was(net: LocalNetwork) -> None:
    before = net["bob"].journal.turns
    apply(net, Freeze(at_ms=0, for_ms=30_000, node="bob"))
    net.advance(29)
    assert net["bob"].journal.turns == before
    net.advance(60)
    assert net["bob"].journal.turns > before and connected(net, "alice", "bob")


def test_another_nodes_thaw_does_not_lose_what_a_frozen_node_waits_for(net: LocalNetwork) -> None:
    schedule(net, [Freeze(at_ms=0, for_ms=30_000, node="bob"), Freeze(at_ms=9_000, for_ms=3_000, node="carol")])
    net.advance(29)
    before = net["bob"].journal.turns
    net.advance(30)
    assert net["bob"].journal.turns > before


def test_a_node_whose_disk_is_full_ends_itself_and_comes_back_when_there_is_room(net: LocalNetwork) -> None:
    apply(net, Disk(at_ms=0, for_ms=30_000, node="bob"))
    net.advance(25)
    assert net["bob"].run is None or net["bob"].journal.trouble
    before = net["bob"].journal.turns
    net.advance(30)
    assert net["bob"].journal.turns > before and connected(net, "alice", "bob")


def test_a_crash_comes_with_the_next_commit(net: LocalNetwork) -> None:
    first = net["bob"].run
    apply(net, Crash(at_ms=0, node="bob", is_torn=True))
    net.advance(30)
    assert net["bob"].run is not first and net["bob"].journal.dies_at is None


def test_a_wrong_clock_is_wrong_for_its_node_alone(net: LocalNetwork) -> None:
    apply(net, Skew(at_ms=0, for_ms=9_000, node="bob", by_ms=60_000))
    assert net["bob"].offset_s == 60 and net["alice"].offset_s == 0
    net.advance(10)
    assert net["bob"].offset_s == 0


def test_a_service_out_of_order_is_in_order_again(net: LocalNetwork) -> None:
    apply(net, Service(at_ms=0, for_ms=3_000, node="alice", port="chain", mood=Mood.FAILS))
    failed = net["alice"].submit("echo", {"count": 1})
    net.run_until(lambda: net["alice"].phase(failed) == "failed", limit_s=2)
    net.advance(3)
    apply(net, Service(at_ms=0, for_ms=3_000, node="alice", port="chain", mood=Mood.HANGS))
    late = net["alice"].submit("echo", {"count": 1})
    net.advance(2.5)
    assert net["alice"].phase(late) == "funding"
    net.run_until(lambda: net["alice"].phase(late) == "done", limit_s=20)


def test_chain_store_and_lines_have_their_faults_too(net: LocalNetwork) -> None:
    weather = Weather(net)
    for fault in (
        ChainDown(at_ms=0, for_ms=1_000),
        Stale(at_ms=0, for_ms=1_000, node="bob"),
        Clog(at_ms=0, for_ms=1_000, one="alice", other="bob", delay_ms=900),
        Forget(at_ms=0, node="bob"),
    ):
        weather.begin(fault)
    pair = frozenset(("alice", "bob"))
    assert net.ledger.is_down and net["bob"].chain.node.past and net.world.network.delay_s(pair) >= 0.9
    net.advance(1.1)
    assert not net.ledger.is_down and not net["bob"].chain.node.past and net.world.network.delay_s(pair) < 0.9


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("port", PORTS)
def test_a_node_dies_at_its_next_call_of_a_service_and_is_back_at_once(
    net: LocalNetwork, port: Literal["executor", "store", "chain"], is_done: bool
) -> None:
    alice, first = net["alice"], net["alice"].run
    task = alice.submit("echo", {"count": 3})
    apply(net, Death(at_ms=0, node="alice", port=port, is_done=is_done))
    net.run_until(lambda: alice.run is not first, limit_s=60)
    net.run_until(lambda: alice.phase(task) == "done" and net.is_even(), limit_s=120)
    assert not alice.dies_near


@pytest.mark.parametrize("about", About)
def test_while_a_node_of_the_chain_lies_no_money_is_believed_in_and_afterwards_all_is_paid(
    net: LocalNetwork, about: About
) -> None:
    alice = net["alice"]
    task = alice.submit("echo", {"count": 3})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=60)
    spent = int(str(alice.task(task)["spent"]))
    for name in NAMES:
        apply(net, Lie(at_ms=0, for_ms=60_000, node=name, about=about))
    net.run_until(net.is_even, limit_s=180)
    assert sum(net.paid("alice", name) for name in NAMES) == spent


def test_a_list_is_shrunk_to_what_fails_together() -> None:
    tried: list[tuple[int, ...]] = []

    def fails(faults: tuple[int, ...]) -> bool:
        tried.append(faults)
        return {3, 17} <= set(faults)

    assert shrink(range(24), fails) == (3, 17)
    assert len(tried) < 60


def test_a_run_that_fails_without_any_fault_is_shrunk_to_none() -> None:
    assert shrink(range(24), lambda faults: True) == ()


def test_shrinking_gives_up_in_time() -> None:
    assert len(shrink(range(64), lambda faults: len(faults) == 64, max_runs=10)) == 64
