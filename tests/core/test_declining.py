"""A provider that does not offer says why, once, and the requestor remembers it."""

from __future__ import annotations

from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Send
from golem.model.ids import NodeId, TaskId
from golem.model.messages import Assignment, Demand, Offer, Reason, Refusal, Withdrawal
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Limits, TaskSpec
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo
from golem.testing.toy import CAPABILITY

TASK = TaskId("7" * 32)
PRICE = Wei(3_600_000)
BUDGET = Wei(10**9)
PROVIDING = Settings(provide=True, templates=("toy",), min_price=PRICE)


def demand(max_price: int = PRICE, later_ms: int = 0) -> Demand:
    return Demand(
        task_id=TASK,
        requestor=FixedKeyring("alice").node_id,
        address="alice:1",
        template="toy",
        environment="toy-1",
        max_price=Wei(max_price),
        limits=Limits(),
        chunks=4,
        expires_ms=BEGIN_MS + 600_000 + later_ms,
    )


def near(settings: Settings = PROVIDING) -> Solo:
    """A node that has a session with alice."""
    me = Solo(settings)
    me.meet("alice")
    return me


def open_task() -> Solo:
    """A requestor with an open task, and a session with bob."""
    me = Solo()
    spec = TaskSpec(template="toy", params=b"{}", budget=BUDGET, max_price=PRICE, output="/out")
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    sighting = Sighting(block=1, block_ms=0, funds=Funds(free=BUDGET, wallet=Wei(10**16)))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting))
    me.meet("bob")
    return me


def declined(me: Solo) -> dict[NodeId, Refusal]:
    return me.state.boards[TASK].declined


NO = Refusal(task_id=TASK, reason=Reason.PRICE_TOO_LOW, price=PRICE)


def test_a_provider_says_once_why_it_does_not_offer_and_what_it_would_ask() -> None:
    me = near()
    me.hear("alice", demand(max_price=1))
    assert me.one_said(Refusal) == NO
    me.hear("alice", demand(max_price=1))
    assert not me.said(Refusal)


def test_another_reason_is_said_anew_and_an_offer_ends_it() -> None:
    me = near()
    me.hear("alice", demand(max_price=1))
    me.state.standings.clear()
    me.hear("alice", demand(later_ms=1))
    assert me.said(Offer) and not me.state.declined
    me.hear("alice", Refusal(task_id=TASK, reason=Reason.LATE))
    me.hear("alice", demand(max_price=1, later_ms=2))
    assert me.one_said(Refusal) == NO


def test_who_does_not_provide_or_has_no_session_keeps_its_reasons_to_itself() -> None:
    me = near(Settings())
    me.hear("alice", demand())
    assert not me.said(Refusal)
    me = Solo(PROVIDING)
    me.meet("bob")
    me.hear("bob", demand(max_price=1))
    assert not [effect for effect in me.asked if isinstance(effect, Send)]


def test_nobody_but_the_requestor_withdraws_a_task_or_refuses_an_offer() -> None:
    me = near()
    me.meet("mallory")
    me.hear("alice", demand())
    assert me.said(Offer)
    for message in (Withdrawal(task_id=TASK), Refusal(task_id=TASK, reason=Reason.CLOSED)):
        assert me.hear("mallory", message) == []
        assert TASK in me.state.demands and TASK in me.state.offered


def test_a_requestor_remembers_who_declined_until_it_offers() -> None:
    me = open_task()
    bob = FixedKeyring("bob").node_id
    me.hear("bob", NO)
    assert declined(me) == {bob: NO}
    me.hear("bob", Offer(task_id=TASK, price=PRICE, slots=1, capability=CAPABILITY))
    assert not declined(me)
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    assert me.said(Assignment)


def test_an_offer_that_is_taken_back_before_the_first_pick_is_no_offer() -> None:
    me = open_task()
    me.hear("bob", Offer(task_id=TASK, price=PRICE, slots=1, capability=CAPABILITY))
    me.hear("bob", NO)
    assert declined(me)
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    assert not me.said(Assignment)


def test_a_refusal_for_a_task_that_is_over_is_forgotten() -> None:
    me = open_task()
    me.post(e.TaskCancelled(task_id=TASK))
    me.hear("bob", NO)
    assert not declined(me)


def test_a_requestor_that_must_not_be_dialled_gets_no_offer_that_nobody_could_bring() -> None:
    me = Solo(evolve(PROVIDING, bootstrap=("8.8.8.8:1",)))
    me.meet("bob")
    me.hear("bob", demand())
    assert not me.said(Offer) and me.state.notes[TASK] == {Reason.UNREACHABLE.value: 1}
