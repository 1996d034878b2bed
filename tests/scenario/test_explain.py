"""Why a task waits and why a provider gets no work, for every reason that a market can bring about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from golem.control.views import Explanation, Prospects, view
from golem.model.events import Rested
from golem.model.messages import Reason
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.local import LocalNetwork
from golem.testing.local_node import LIMITS, MAX_PRICE

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]
ASKING, PROVIDING = LocalNetwork.REQUESTOR, LocalNetwork.PROVIDER
HERE, PROVIDERS = "this node", "providers"


def asked(net: LocalNetwork, name: str = "alice", **terms: object) -> str:
    """A task of two chunks, some seconds after it was asked for."""
    answers: list[str] = []
    net[name].post("echo", {"count": 2}, answers.append, **terms)
    net.advance(8)
    return answers[0]


def told(net: LocalNetwork, task: str) -> Mapping[tuple[str, str], int]:
    """Why its chunks wait; everything adds up."""
    found = view(Explanation, net["alice"].node.desk.explain(task))
    assert found.accepted + found.verifying + found.computing + found.waiting == found.chunks
    assert sum(group.chunks for group in found.groups) == found.waiting > 0
    for group in found.groups:
        assert sum(reason.count for reason in group.reasons) == found.peers == len(net.world.names) - 1
    return {(reason.reason, reason.by): reason.count for reason in found.reasons}


def hears(net: LocalNetwork, name: str) -> Prospects:
    """Why a provider gets no work; everything adds up."""
    found = view(Prospects, net[name].node.desk.prospects())
    assert sum(reason.count for reason in found.reasons) == found.demands
    assert found.offers == found.taken + found.waiting + sum(reason.count for reason in found.losses)
    return found


@pytest.mark.parametrize(
    ("reason", "bob", "task", "advice"),
    [
        (Reason.PRICE_TOO_LOW, evolve(PROVIDING, min_price=Wei(MAX_PRICE + 1)), {}, "pay less than we ask"),
        (Reason.REPUTATION, evolve(PROVIDING, min_requestor_trust=0.9), {}, "provider.min_requestor_trust"),
        (Reason.TEMPLATE, evolve(PROVIDING, templates=("raytrace",)), {}, "others want echo"),
        (Reason.TIER, PROVIDING, {"tiers": ("docker",)}, "provider.executor"),
        (Reason.RESOURCES, PROVIDING, {"limits": evolve(LIMITS, memory_bytes=32 << 30)}, "provider.memory"),
        (Reason.RESOURCES, PROVIDING, {"limits": evolve(LIMITS, cores=9)}, "cores"),
        (Reason.TOO_LONG, evolve(PROVIDING, max_job_ms=1_000), {}, "provider.max_job"),
        (Reason.UNLISTED, evolve(PROVIDING, requestors=(FixedKeyring("carol").node_id,)), {}, "provider.requestors"),
        (Reason.EXPOSURE, evolve(PROVIDING, max_exposure=Wei(0)), {}, "provider.max_exposure"),
    ],
)
def test_both_sides_hear_why_a_provider_does_not_offer(
    network: Networks, reason: Reason, bob: Settings, task: Mapping[str, object], advice: str
) -> None:
    net = network(nodes=("alice", "bob"), terms={"bob": bob})
    assert told(net, asked(net, **task)) == {(reason.value, PROVIDERS): 1}
    found = hears(net, "bob")
    assert [each.reason for each in found.reasons] == [reason.value]
    assert any(advice in words for words in found.advice), found.advice


@pytest.mark.parametrize("reason", [Reason.HOURS, Reason.IN_USE, Reason.DISK])
def test_a_machine_that_rests_says_why(network: Networks, reason: Reason) -> None:
    net = network(nodes=("alice", "bob"))
    net["bob"].node.engine.post(Rested(reason=reason))
    assert told(net, asked(net)) == {(reason.value, PROVIDERS): 1}
    assert hears(net, "bob").advice[0] == f"no new work is taken: {reason.value}"


def test_a_provider_that_works_for_somebody_else_has_no_free_slot(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol"), terms={"carol": ASKING}, takes_s={"bob": 50.0})
    asked(net, "carol")
    task = asked(net)
    assert told(net, task)[Reason.BUSY.value, PROVIDERS] == 1
    found = hears(net, "bob")
    assert (found.busy, found.slots) == (1, 1)
    assert {each.reason for each in found.reasons} == {"we work on it", Reason.BUSY.value}


def test_who_is_gone_or_does_not_provide_is_counted_as_that(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol"), terms={"carol": ASKING})
    net.advance(5)
    net.kill("bob")
    assert told(net, asked(net)) == {
        ("unreachable: there is no session with it", HERE): 1,
        ("it has not answered; nodes that do not provide say nothing", HERE): 1,
    }
    assert any("provider.enabled" in words for words in hears(net, "carol").advice)


def test_a_requestor_that_trusts_nobody_says_so_and_its_providers_hear_it(network: Networks) -> None:
    net = network(nodes=("alice", "bob"), terms={"alice": evolve(ASKING, min_provider_trust=0.9)})
    assert told(net, asked(net)) == {(Reason.REPUTATION.value, HERE): 1}
    found = hears(net, "bob")
    assert [each.reason for each in found.losses] == [Reason.REPUTATION.value]
    assert any("trust us too little" in words for words in found.advice)


def test_a_liar_is_named_as_that(network: Networks) -> None:
    net = network(nodes=("alice", "bob"), behave={"bob": "liar"})
    assert told(net, asked(net)) == {(Reason.QUARANTINE.value, HERE): 1}
    net.advance(60)
    found = hears(net, "bob")
    assert [each.reason for each in found.losses] == [Reason.QUARANTINE.value]
    assert any("trust us too little" in words for words in found.advice)


def test_a_requestor_that_has_not_paid_is_told_why_nobody_offers(network: Networks) -> None:
    net = network(
        nodes=("alice", "bob"),
        terms={"alice": evolve(ASKING, payment_window_ms=20_000)},
        behave={"alice": "dont_pay"},
    )
    asked(net)
    net.advance(60)
    assert told(net, asked(net)) == {(Reason.OVERDUE.value, PROVIDERS): 1}


def test_a_provider_that_was_outbid_hears_what_others_were_paid(network: Networks) -> None:
    net = network(
        nodes=("alice", "bob", "carol"), terms={"carol": evolve(PROVIDING, min_price=Wei(MAX_PRICE // 2 + 1))}
    )
    task = net["alice"].submit("echo", {"count": 1})
    net.advance(20)
    ((one,),) = [net["alice"].subtasks(task)]
    loser = next(name for name in ("bob", "carol") if net[name].keyring.node_id != one["provider"])
    found = hears(net, loser)
    (lost,) = found.lost
    assert (lost.reason, lost.price) == (Reason.OUTBID.value, str(one["price"]))
    assert any("offers were lost to others who were paid at most" in words for words in found.advice)
