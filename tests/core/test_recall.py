"""Books that were lost: totals go on from the contract, and what was promised is owed again."""

from __future__ import annotations

import pytest

from golem.core.ledger import Pair
from golem.core.recall import RETRY_MS
from golem.core.requestor import GAS_RESERVE
from golem.errors import IllegalTransition
from golem.model import events as e
from golem.model.chain import Funds, Sighting, Voucher
from golem.model.effects import Observe, SetTimer
from golem.model.ids import TaskId
from golem.model.messages import Assignment, Offer, Reminder
from golem.model.money import Wei
from golem.model.spec import Limits, TaskSpec
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo
from golem.testing.toy import CAPABILITY

ME, BOB = FixedKeyring("me").account, FixedKeyring("bob").account
TASK = TaskId("7" * 32)
PRICE, BUDGET = Wei(3_600_000), Wei(10**9)
SPEC = TaskSpec(
    template="toy", params=b"{}", budget=BUDGET, max_price=PRICE, output="/out", limits=Limits(timeout_ms=10_000)
)
OFFER = Offer(task_id=TASK, price=PRICE, slots=1, capability=CAPABILITY)
SIGHTING = Sighting(block=1, block_ms=0, funds=Funds(free=BUDGET, wallet=GAS_RESERVE), sent=1)
PROMISE = Voucher(payer=ME, payee=BOB, cumulative=Wei(900), due_ms=BEGIN_MS + 5, signature=b"v" * 65)


def opened(sent: int = 1) -> Solo:
    """A node with new books, whose account has sent transactions before, and an open task."""
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=evolve(SIGHTING, sent=sent)))
    me.meet("bob")
    return me


def seen(me: Solo, given: int) -> None:
    asked = me.one(Observe)
    assert asked.payees == (BOB,)
    me.post(e.Observed(key=asked.key, sighting=evolve(SIGHTING, given={BOB: Wei(given)})))


def test_a_payee_that_is_not_in_the_books_is_hired_once_the_contract_says_what_it_was_paid() -> None:
    me = opened()
    me.hear("bob", OFFER)
    look = me.one(Observe)
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    assert not me.said(Assignment)
    me.post(e.Observed(key=look.key, sighting=evolve(SIGHTING, given={BOB: Wei(700)})))
    assert me.said(Assignment)
    assert me.state.ledger.owing[BOB] == Pair(promised=Wei(700), paid=Wei(700), inherited=Wei(700))


def test_an_offer_whose_payee_is_looked_up_before_the_pick_waits_for_it_like_any_other() -> None:
    me = opened()
    me.hear("bob", OFFER)
    seen(me, 0)
    assert not me.said(Assignment)
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    assert me.said(Assignment)
    me.hear("bob", OFFER)
    assert not any(isinstance(effect, Observe) for effect in me.asked), "known is known"


def test_what_is_seen_of_one_payee_hires_no_other_and_none_a_second_time() -> None:
    me = opened()
    me.meet("carol")
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    for name in ("bob", "carol"):
        me.hear(name, OFFER)
    bob = e.Observed(key=f"pair/{BOB}", sighting=evolve(SIGHTING, given={BOB: Wei(0)}))
    me.post(bob)
    (board,) = me.state.boards.values()
    assert list(board.agreements) == [FixedKeyring("bob").node_id]
    me.post(bob)
    assert not me.said(Assignment)


def test_an_account_that_never_sent_anything_owes_nobody_and_does_not_look() -> None:
    me = opened(sent=0)
    me.hear("bob", OFFER)
    assert not any(isinstance(effect, Observe) for effect in me.asked)


def test_a_chain_that_can_not_be_seen_is_looked_at_again() -> None:
    me = opened()
    me.hear("bob", OFFER)
    look = me.one(Observe)
    me.post(e.Failed(key=look.key, fault="NodeFault", detail="away"))
    again = me.one(SetTimer)
    assert again == SetTimer(name=look.key, at_ms=BEGIN_MS + RETRY_MS)
    me.post(e.TimerFired(name=again.name), RETRY_MS)
    assert me.one(Observe) == look


def test_what_a_payee_shows_that_we_signed_is_owed_again() -> None:
    me = opened()
    me.hear("bob", Reminder(voucher=PROMISE))
    seen(me, 700)
    old = Pair(promised=Wei(900), paid=Wei(700), due_ms=PROMISE.due_ms, inherited=Wei(900))
    assert me.state.ledger.owing[BOB] == old
    assert me.state.ledger.balances[f"owed/{BOB}"] == 200
    assert me.state.is_settling
    me.hear("bob", Reminder(voucher=PROMISE))
    assert not me.asked, "nothing new"
    me.hear("bob", Reminder(voucher=evolve(PROMISE, cumulative=Wei(1_000), due_ms=BEGIN_MS + 9)))
    seen(me, 700)
    assert me.state.ledger.owing[BOB] == evolve(old, promised=Wei(1_000), inherited=Wei(1_000))
    me.hear("bob", Reminder(voucher=PROMISE))
    assert not me.asked, "older than what we know"


def test_what_was_shown_twice_before_the_chain_answered_is_owed_once() -> None:
    me = opened()
    me.hear("bob", Reminder(voucher=PROMISE))
    seen(me, 0)
    me.post(e.Observed(key=f"pair/{BOB}/900/5", sighting=evolve(SIGHTING, given={BOB: Wei(0)})))
    assert me.state.ledger.balances[f"owed/{BOB}"] == 900


@pytest.mark.parametrize("change", [{"payer": BOB}, {"payee": ME}])
def test_a_promise_between_others_is_no_reminder(change: dict[str, object]) -> None:
    me = opened()
    with pytest.raises(IllegalTransition, match="not between us"):
        me.hear("bob", Reminder(voucher=evolve(PROMISE, **change)))


def test_who_has_paid_us_before_is_in_our_books_once_it_was_found() -> None:
    me = Solo()
    for bobs in (700, 900):
        me.post(e.PayersFound(paid={BOB: Wei(bobs), ME: Wei(0)}))
    assert me.state.ledger.earning == {BOB: Pair(promised=Wei(700), paid=Wei(700), inherited=Wei(700))}
