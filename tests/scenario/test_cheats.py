"""One of the nodes does not do what it agreed to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from golem.control.views import Explanation, view
from golem.model.value import evolve
from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]
NEVER_S = 1e6


def providers_of(net: LocalNetwork, task: str, phase: str) -> set[str]:
    names = {net[name].keyring.node_id: name for name in net.world.names}
    return {names[s["provider"]] for s in net["alice"].subtasks(task) if s["phase"] == phase}  # type: ignore[index]  # a record's ids are text


def test_a_liar_is_caught_and_not_paid_and_others_do_its_work(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol", "mallory"), behave={"mallory": "liar"})
    alice = net["alice"]
    task = alice.submit("echo", {"count": 12})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=120)
    net.advance(30)
    assert providers_of(net, task, "rejected") == {"mallory"}
    assert providers_of(net, task, "accepted") == {"bob", "carol"}
    assert net.paid("alice", "mallory") == 0
    assert alice.trust("mallory", "provider") < 0.5 < alice.trust("bob", "provider")


def test_a_liar_gets_no_more_work_from_who_caught_it(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "mallory"), behave={"mallory": "liar"})
    first = net["alice"].submit("echo", {"count": 6})
    net.run_until(lambda: net["alice"].phase(first) == "done", limit_s=120)
    second = net["alice"].submit("echo", {"count": 6})
    net.run_until(lambda: net["alice"].phase(second) == "done", limit_s=120)
    assert {s["provider"] for s in net["alice"].subtasks(second)} == {net["bob"].keyring.node_id}


def test_a_lone_liar_gets_nothing_done_and_the_task_says_why(network: Networks) -> None:
    net = network(nodes=("alice", "mallory"), behave={"mallory": "liar"})
    task = net["alice"].submit("echo", {"count": 3})
    net.advance(60)
    assert net["alice"].task(task)["accepted"] == 0
    said = [reason.reason for reason in view(Explanation, net["alice"].node.desk.explain(task)).reasons]
    assert any("wrong result" in reason for reason in said), said


def test_a_provider_that_never_answers_loses_its_work_at_the_deadline(network: Networks) -> None:
    net = network(nodes=("alice", "sloth"), takes_s={"sloth": NEVER_S})
    alice = net["alice"]
    task = alice.submit("echo", {"count": 2})
    net.run_until(lambda: providers_of(net, task, "lost") == {"sloth"}, limit_s=600)
    assert alice.trust("sloth", "provider") < 0.5
    net.advance(10)
    assert net.paid("alice", "sloth") == 0


def test_the_last_subtasks_of_who_never_answers_are_done_by_another_long_before_the_deadline(
    network: Networks,
) -> None:
    net = network(nodes=("alice", "bob", "sloth"), takes_s={"sloth": NEVER_S})
    alice = net["alice"]
    task = alice.submit("echo", {"count": 10})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=120)
    assert providers_of(net, task, "cancelled") == {"sloth"}
    assert providers_of(net, task, "accepted") == {"bob"}
    net.advance(10)
    assert net.paid("alice", "sloth") == 0
    assert net["sloth"].node.desk.status()["busy"] == 0, "what was taken away is not computed any more"
    paces = alice.node.engine.state.dealings.paces
    assert paces[f"echo/{net['sloth'].keyring.node_id}"] < paces[f"echo/{net['bob'].keyring.node_id}"] / 2


def test_a_requestor_that_pays_late_is_trusted_less_and_pays_in_the_end(network: Networks) -> None:
    quick = evolve(LocalNetwork.REQUESTOR, payment_window_ms=60_000)
    net = network(terms={"alice": quick})
    alice = net["alice"]
    task = alice.submit("echo", {"count": 10})
    net.run_until(lambda: bool(alice.task(task)["accepted"]), limit_s=60)
    net.ledger.is_down = True
    net.run_until(lambda: alice.phase(task) == "done", limit_s=60)
    net.advance(120)
    assert net["bob"].trust("alice", "requestor") == 0.5, "nobody can see the chain: nothing is held against anybody"
    net.ledger.is_down = False
    net.run_until(
        lambda: net.paid("alice", "bob") + net.paid("alice", "carol") == alice.task(task)["spent"], limit_s=60
    )
    net.advance(30)
    assert net["bob"].trust("alice", "requestor") < 0.5
    assert net["bob"].node.desk.status()["due"] == 0
