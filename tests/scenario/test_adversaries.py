"""Strangers who mean harm, each in its own way: the honest come through, and lose no more than they chose to risk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from golem.model.messages import Reason
from golem.model.value import evolve
from golem.testing.adversaries import ADVERSARIES, ANYBODY, ASKING, PROVIDING
from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]
NODES = ("alice", "bob", "carol", "mallory")


def is_done(net: LocalNetwork, name: str, task: str) -> bool:
    return net[name].phase(task) == "done"


@pytest.mark.parametrize("kind", (*PROVIDING, *ANYBODY))
def test_with_a_bad_provider_about_the_work_is_done_and_paid_and_all_honest_books_agree(
    network: Networks, kind: str
) -> None:
    net = network(nodes=NODES, behave={"mallory": kind})
    for _ in range(2):
        task = net["alice"].submit("echo", {"count": 12})
        net.run_until(lambda t=task: is_done(net, "alice", t), limit_s=600)
    net.run_until(net.is_even, limit_s=120)
    net.advance(60)
    net.check_quiet()
    assert net.paid("alice", "bob") + net.paid("alice", "carol") > 0


@pytest.mark.parametrize("kind", [kind for kind in PROVIDING if kind != "rare_liar"])  # most of its work is honest
def test_a_bad_provider_earns_nothing(network: Networks, kind: str) -> None:
    net = network(nodes=NODES, behave={"mallory": kind})
    task = net["alice"].submit("echo", {"count": 12})
    net.run_until(lambda: is_done(net, "alice", task), limit_s=600)
    net.advance(60)
    answers = net["alice"].subtasks(task)
    mine = [s for s in answers if s["provider"] == net["mallory"].keyring.node_id]
    assert mine, "it was tried, and so tested"
    honest_work = kind == "copycat"  # whose first answer is its own
    assert sum(s["phase"] == "accepted" for s in mine) <= honest_work
    assert net.paid("alice", "mallory") <= (honest_work and max(int(s["amount"]) for s in answers))


@pytest.mark.parametrize("kind", (*ASKING, *ANYBODY))
def test_beside_a_bad_requestor_an_honest_one_is_served(network: Networks, kind: str) -> None:
    terms = {name: evolve(LocalNetwork.REQUESTOR, payment_window_ms=30_000) for name in ("alice", "mallory")}
    net = network(nodes=("alice", "mallory", "bob", "carol"), terms=terms, behave={"mallory": kind})
    net["mallory"].submit("echo", {"count": 12})
    task = net["alice"].submit("echo", {"count": 12})
    net.run_until(lambda: is_done(net, "alice", task), limit_s=600)
    net.run_until(net.is_even, limit_s=120)
    net.advance(60)
    net.check_quiet()


@pytest.mark.parametrize("kind", ["dont_pay", "pay_late"])
def test_who_does_not_pay_in_time_is_trusted_less_and_served_no_more(network: Networks, kind: str) -> None:
    terms = {"mallory": evolve(LocalNetwork.REQUESTOR, payment_window_ms=30_000)}
    net = network(nodes=("mallory", "bob", "carol"), terms=terms, behave={"mallory": kind})
    task = net["mallory"].submit("echo", {"count": 12})
    net.run_until(lambda: is_done(net, "mallory", task), limit_s=600)
    net.advance(120)
    again = net["mallory"].submit("echo", {"count": 12})
    net.advance(120)
    assert net["mallory"].task(again)["accepted"] == 0
    notes = [net[name].node.engine.state.notes for name in ("bob", "carol")]
    said = [reason for note in notes for reason in note.get(again, {})]
    assert Reason.OVERDUE.value in said or Reason.REPUTATION.value in said, said


def test_each_adversary_is_tried_above() -> None:
    assert {*PROVIDING, *ASKING, *ANYBODY} == ADVERSARIES.keys() - {"half_liar"}, "which test_strategies tries"
