"""Nobody cheats and nothing breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest

from golem.control.views import Explanation, Prospects, view
from golem.errors import UnknownTemplate
from golem.model.money import Wei, cost
from golem.testing.local import LocalNetwork
from golem.testing.local_node import MAX_PRICE

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]


def test_an_honest_task_is_done_merged_and_paid_for(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol"), seed=1)
    alice = net["alice"]
    task = alice.submit("echo", {"count": 10})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=60)
    assert len(Path(alice.results, "echo.txt").read_text().splitlines()) == 10
    net.run_until(
        lambda: net.paid("alice", "bob") + net.paid("alice", "carol") == alice.task(task)["spent"], limit_s=30
    )
    assert net.paid("alice", "bob") and net.paid("alice", "carol")
    net.advance(10)
    for provider in ("bob", "carol"):
        assert alice.trust(provider, "provider") > 0.5
        assert net[provider].trust("alice", "requestor") > 0.5


def test_two_requestors_share_the_same_providers(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol", "dan"), terms={"dan": LocalNetwork.REQUESTOR})
    tasks = {name: net[name].submit("echo", {"count": 8, "text": name}) for name in ("alice", "dan")}
    net.run_until(lambda: all(net[name].phase(task) == "done" for name, task in tasks.items()), limit_s=120)
    net.run_until(
        lambda: all(
            sum(net.paid(name, provider) for provider in ("bob", "carol")) == net[name].task(task)["spent"]
            for name, task in tasks.items()
        ),
        limit_s=30,
    )


def test_the_same_seed_gives_the_same_journals_and_another_seed_others(tmp_path: Path) -> None:
    def digest(seed: int) -> str:
        rmtree(tmp_path / "net", ignore_errors=True)
        net = LocalNetwork(tmp_path / "net", seed=seed)
        task = net["alice"].submit("echo", {"count": 10})
        net.advance(3)
        net.kill("bob")
        net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=60)
        net.close()
        return net.digest()

    assert digest(1) == digest(1) != digest(2)


def test_a_task_is_cancelled_and_what_was_delivered_is_paid(network: Networks) -> None:
    net = network()
    alice = net["alice"]
    task = alice.submit("echo", {"count": 50})
    net.run_until(lambda: alice.task(task)["accepted"] == 4, limit_s=60)
    alice.node.desk.cancel(task)
    net.run_until(lambda: alice.phase(task) == "cancelled", limit_s=1)
    net.advance(30)
    record = alice.task(task)
    assert record["running"] == 0 and record["spent"]
    assert net.paid("alice", "bob") + net.paid("alice", "carol") == record["spent"]
    for name in ("bob", "carol"):
        assert net[name].node.desk.status()["busy"] == 0, f"{name} computes for an ended task"
        assert alice.trust(name, "provider") > 0.5, "being cancelled is no offence"


def test_an_unknown_template_is_refused_by_naming_those_there_are(network: Networks) -> None:
    net = network()
    with pytest.raises(UnknownTemplate, match=r"no template 'raytrace' is enabled on this node; there are: echo"):
        net["alice"].submit("raytrace", {})


def test_with_no_provider_near_explain_says_so(network: Networks) -> None:
    net = network(nodes=("alice",))
    task = net["alice"].submit("echo", {"count": 2})
    net.advance(60)
    told = view(Explanation, net["alice"].node.desk.explain(task))
    assert (told.waiting, told.peers) == (2, 0)
    assert any("none is near" in advice for advice in told.advice), told


def test_a_bootstrap_node_that_does_not_answer_is_named(network: Networks) -> None:
    net = network(nodes=("alice", "bob"))
    net.advance(5)
    assert net["bob"].node.desk.status()["problems"] == []
    net.kill("alice")
    net.advance(30)
    (problem,) = [str(p) for p in net["bob"].node.desk.status()["problems"]]  # type: ignore[attr-defined]  # a list
    assert problem.startswith("no peers: nobody answers at alice:7000; is node.bootstrap right")


def test_a_price_below_what_providers_ask_is_explained_with_what_they_ask(network: Networks) -> None:
    net = network()
    task = net["alice"].submit("echo", {"count": 1}, max_price=1, budget=10**9)
    net.advance(60)
    told = view(Explanation, net["alice"].node.desk.explain(task))
    (no,) = told.reasons
    assert (no.reason, no.count, no.by) == ("the demand pays less than the provider's least price", 2, "providers")
    assert told.advice == ("the cheapest asks 0.0018 ETH per hour: submit with a higher --max-price",)
    bob = view(Prospects, net["bob"].node.desk.prospects())
    assert (bob.demands, bob.reasons[0].reason, bob.offers) == (1, no.reason, 0)
    assert "1 of 1 demands pay less than we ask: 0.0018 ETH per hour" in bob.advice[0]


def test_a_task_past_its_users_deadline_fails_and_says_so(network: Networks) -> None:
    net = network(nodes=("alice",))
    task = net["alice"].submit("echo", {"count": 2}, deadline_s=90)
    net.run_until(lambda: net["alice"].phase(task) == "failed", limit_s=100)
    assert "deadline" in str(net["alice"].task(task)["reason"])


def test_a_budget_that_can_not_pay_for_the_task_is_refused_by_its_name(network: Networks) -> None:
    net = network()
    least = cost(MAX_PRICE, 1_000) * 10
    task = net["alice"].submit("echo", {"count": 10}, budget=least - 1)
    assert net["alice"].phase(task) == "failed"
    assert "budget too small" in str(net["alice"].task(task)["reason"])


def test_a_budget_beyond_the_wallet_is_refused_by_what_there_is(network: Networks) -> None:
    net = network()
    task = net["alice"].submit("echo", {"count": 10}, budget=10**21)
    net.run_until(lambda: net["alice"].phase(task) == "failed", limit_s=10)
    assert "not enough funds: the budget is 1000 ETH" in str(net["alice"].task(task)["reason"])


def test_jobs_longer_than_the_budget_pays_for_are_paid_up_to_it_and_no_further(network: Networks) -> None:
    net = network(takes_s={"bob": 20.0, "carol": 20.0})
    least = Wei(cost(MAX_PRICE, 1_000) * 10)
    task = net["alice"].submit("echo", {"count": 10}, budget=least)
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=300)
    net.advance(30)
    assert net.paid("alice", "bob") + net.paid("alice", "carol") == net["alice"].task(task)["spent"] <= least
