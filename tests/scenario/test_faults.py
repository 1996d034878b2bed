"""Nodes die and come back, and lines break."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]
SILENT_S = 15.0  # golem.net.peer drops a peer that says nothing for so long
GRACE_S = 3.0  # Settings.lease_grace_ms


def holds(net: LocalNetwork, name: str, task: str) -> set[object]:
    """The chunks that a provider is at."""
    node_id = net[name].keyring.node_id
    return {s["chunk"] for s in net["alice"].subtasks(task) if (s["phase"], s["provider"]) == ("assigned", node_id)}


def is_with(net: LocalNetwork, names: tuple[str, ...], chunks: set[object], task: str) -> bool:
    """Whether each of these chunks is with one of these providers, or done by one."""
    ids = {net[name].keyring.node_id for name in names}
    taken = {
        s["chunk"]
        for s in net["alice"].subtasks(task)
        if s["phase"] in ("assigned", "accepted") and s["provider"] in ids
    }
    return chunks <= taken


def all_paid(net: LocalNetwork, task: str) -> bool:
    """Whether each provider was paid what was accepted of it, to the wei."""
    owed: dict[object, int] = {}
    for s in net["alice"].subtasks(task):
        owed[s["provider"]] = owed.get(s["provider"], 0) + int(str(s["amount"]))
    return all(net.paid("alice", n) == owed.get(net[n].keyring.node_id, 0) for n in net.world.names if n != "alice")


def test_a_provider_killed_at_work_is_replaced_within_five_seconds(network: Networks) -> None:
    net = network(takes_s={"bob": 30.0})
    task = net["alice"].submit("echo", {"count": 20})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    lost = holds(net, "bob", task)
    net.kill("bob")
    net.run_until(lambda: not holds(net, "bob", task), limit_s=5)
    net.run_until(lambda: is_with(net, ("carol",), lost, task), limit_s=5)
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=60)


def test_a_provider_that_falls_silent_is_replaced_once_it_was_silent_for_long(network: Networks) -> None:
    net = network(takes_s={"bob": 100.0})
    task = net["alice"].submit("echo", {"count": 60})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    net.cut("alice", "bob")
    net.run_until(lambda: not holds(net, "bob", task), limit_s=SILENT_S + GRACE_S + 1)
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=120)


def test_a_short_cut_costs_nobody_anything(network: Networks) -> None:
    net = network(takes_s={"bob": 30.0, "carol": 30.0})
    task = net["alice"].submit("echo", {"count": 4})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    net.cut("alice", "bob")
    net.advance(SILENT_S - 7)
    net.heal("alice", "bob")
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=200)
    assert {s["phase"] for s in net["alice"].subtasks(task)} == {"accepted"}


def test_a_line_that_broke_is_whole_again_before_anybody_loses_work(network: Networks) -> None:
    net = network(takes_s={"bob": 30.0, "carol": 30.0})
    task = net["alice"].submit("echo", {"count": 4})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    net.reset("alice", "bob")
    net.reset("alice", "carol")
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=200)
    assert {s["phase"] for s in net["alice"].subtasks(task)} == {"accepted"}


def test_a_requestor_that_restarts_takes_no_work_from_its_providers(network: Networks) -> None:
    net = network(takes_s={"bob": 30.0, "carol": 30.0})
    task = net["alice"].submit("echo", {"count": 4})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    net.kill("alice")
    net.boot("alice")
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=200)
    assert {s["phase"] for s in net["alice"].subtasks(task)} == {"accepted"}


def test_a_provider_that_was_away_for_long_is_hired_again(network: Networks) -> None:
    net = network(nodes=("alice", "bob"))
    task = net["alice"].submit("echo", {"count": 5})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    net.cut("alice", "bob")
    net.advance(60)
    assert not holds(net, "bob", task)
    net.heal("alice", "bob")
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=120)
    net.run_until(lambda: all_paid(net, task), limit_s=60)


def test_a_provider_that_was_killed_delivers_what_it_had_finished(network: Networks) -> None:
    net = network(nodes=("alice", "bob"))
    task = net["alice"].submit("echo", {"count": 1})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    net.cut("alice", "bob")  # so the result is ready, and can't be handed over
    net.advance(2)
    net.kill("bob")
    net.heal("alice", "bob")
    net.boot("bob")
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=30)
    assert [s["phase"] for s in net["alice"].subtasks(task)] == ["accepted"]
    net.run_until(lambda: all_paid(net, task), limit_s=30)


def test_a_provider_killed_at_work_and_back_at_once_does_it_again(network: Networks) -> None:
    net = network(nodes=("alice", "bob"), takes_s={"bob": 5.0})
    task = net["alice"].submit("echo", {"count": 3})
    net.run_until(lambda: bool(holds(net, "bob", task)), limit_s=10)
    net.advance(2)
    net.kill("bob")
    net.boot("bob")
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=60)
    assert {s["phase"] for s in net["alice"].subtasks(task)} == {"accepted"}


def test_a_task_outlives_the_death_of_everybody(network: Networks) -> None:
    net = network()
    task = net["alice"].submit("echo", {"count": 10})
    net.advance(3)
    for name in net.world.names:
        net.kill(name)
    net.advance(60)
    for name in net.world.names:
        net.boot(name)
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=120)
    net.run_until(lambda: all_paid(net, task), limit_s=60)


@pytest.mark.parametrize("is_torn", (False, True), ids=("after-the-commit", "before-the-commit"))
@pytest.mark.parametrize("victim", ("alice", "bob"))
def test_a_crash_at_any_turn_changes_neither_results_nor_payments(
    network: Networks, victim: str, is_torn: bool
) -> None:
    turn = 1
    while has_crashed(network(seed=turn), victim, turn, is_torn=is_torn):
        turn += 1
    assert turn > 10, "the sweep covers the run"


def has_crashed(net: LocalNetwork, victim: str, turn: int, *, is_torn: bool) -> bool:
    """Run a task to its end with one crash on the way; says whether it came to that turn at all."""
    alice = net["alice"]
    task = alice.submit("echo", {"count": 3})
    net.crash(victim, turn, is_torn=is_torn)
    net.run_until(lambda: alice.phase(task) == "done", limit_s=120)
    net.run_until(lambda: all_paid(net, task), limit_s=60)
    assert len(Path(alice.results, "echo.txt").read_text().splitlines()) == 3
    accepted = [s["chunk"] for s in alice.subtasks(task) if s["phase"] == "accepted"]
    assert sorted(accepted, key=str) == [0, 1, 2], accepted
    net.close()
    return net[victim].journal.dies_at is None
