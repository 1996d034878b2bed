"""What gas may cost, and whom a batch pays first."""

from __future__ import annotations

import pytest

from golem.core.ledger import Ledger, Pair, move, owe, settle
from golem.core.settlement import HURRY_MS, RUSH_MS, TOO_DEAR
from golem.model import events as e
from golem.model.chain import MAX_BATCH_WORDS, Receipt
from golem.model.effects import Pay, Send, SetTimer
from golem.model.ids import Address, TaskId
from golem.model.messages import Delay
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo

TASK = TaskId("7" * 32)
DAY_MS = 24 * 3_600_000
RECEIPT = Receipt(tx_hash="0x1", block=1, gas_used=1, fee=Wei(7))
BOB, CAROL = Address("0x" + "b0" * 20), Address("0x" + "ca" * 20)


def owing(settings: Settings | None = None, **debts: int) -> Solo:
    """A node that owes a million wei, due a day after its begin."""
    me = Solo(settings or Settings())
    move(me.state.ledger, "chain", f"task/{TASK}", 10**9)
    owe(me.state.ledger, TASK, BOB, Wei(10**6), BEGIN_MS + DAY_MS)
    return me


def asks(me: Solo, at_ms: int) -> Pay:
    me.post(e.TimerFired(name="settle"), at_ms - me.now_ms)
    return me.one(Pay)


@pytest.mark.parametrize(
    ("left_ms", "most"),
    [
        (DAY_MS, 10_000),
        (HURRY_MS, 10_000),
        ((HURRY_MS + RUSH_MS) // 2, 55_000),
        (RUSH_MS + 1, 99_999),
        (RUSH_MS, 0),
        (-DAY_MS, 0),
    ],
)
def test_gas_may_cost_a_hundredth_then_up_to_a_tenth_and_at_last_what_it_takes(left_ms: int, most: int) -> None:
    assert asks(owing(), BEGIN_MS + DAY_MS - left_ms).most_fee == most


def test_whoever_does_not_mind_pays_any_fee() -> None:
    assert asks(owing(Settings(fee_share=1.0)), BEGIN_MS).most_fee == 0


def test_a_batch_of_next_to_nothing_is_not_sent_at_any_price() -> None:
    me = owing(Settings(fee_share=0.0))
    assert asks(me, BEGIN_MS).most_fee == 1


def test_a_deferred_batch_is_asked_for_again_with_what_gas_may_cost_by_then() -> None:
    me = owing()
    first = asks(me, BEGIN_MS)
    me.post(e.Failed(key=first.key, fault="TooDear", detail="wait"))
    assert me.state.payment_problem == "payment deferred: wait"
    assert me.one(SetTimer).name == "settle"
    again = asks(me, BEGIN_MS + DAY_MS - RUSH_MS)
    assert (again.batch, again.most_fee) == (first.batch, 0)
    me.post(e.Failed(key=first.key, fault="ChainFault", detail="away"))
    assert me.state.payment_problem == "payment failed: away"
    me.post(e.Paid(key=first.key, receipt=RECEIPT))
    assert me.state.payment_problem == ""


def test_who_waits_for_cheaper_gas_is_told_once_a_deferral() -> None:
    me = owing()
    for name in ("bob", "carol"):
        me.meet(name)
    owe(me.state.ledger, TASK, FixedKeyring("bob").account, Wei(7), BEGIN_MS + DAY_MS)
    batch = asks(me, BEGIN_MS)
    dear = e.Failed(key=batch.key, fault="TooDear", detail="wait")
    me.post(dear)
    (told,) = [effect for effect in me.asked if isinstance(effect, Send)]
    assert (told.to, told.message) == (FixedKeyring("bob").node_id, Delay(owed=Wei(7), reason=TOO_DEAR))
    me.post(dear)
    assert not me.said(Delay)
    me.post(e.Failed(key=batch.key, fault="ChainFault", detail="away"))
    assert not me.said(Delay), "it does not know how long that takes"
    me.post(dear)
    assert me.said(Delay)


def test_what_was_accepted_after_the_freeze_is_due_a_window_after_it() -> None:
    me = owing()
    paid = asks(me, BEGIN_MS + 5)
    owe(me.state.ledger, TASK, BOB, Wei(7), BEGIN_MS + DAY_MS + 9)
    me.post(e.Paid(key=paid.key, receipt=RECEIPT), after_ms=3)
    assert me.state.ledger.owing[BOB] == Pair(
        promised=Wei(10**6 + 7), paid=Wei(10**6), due_ms=BEGIN_MS + 5 + DAY_MS, last_ms=me.now_ms, last_tx="0x1"
    )
    assert me.state.gas == RECEIPT.fee


def test_the_most_urgent_come_first_where_not_all_fit() -> None:
    me = Solo()
    move(me.state.ledger, "chain", f"task/{TASK}", 10**9)
    for number in range(MAX_BATCH_WORDS + 1):
        owe(me.state.ledger, TASK, Address(f"0x{number:040x}"), Wei(1), BEGIN_MS + MAX_BATCH_WORDS + 1 - number)
    words = asks(me, BEGIN_MS).batch.words
    assert len(words) == MAX_BATCH_WORDS
    assert Address("0x" + "00" * 20) not in {word.payee for word in words}, "it is due last"


def test_the_oldest_debt_to_a_payee_says_when_it_is_due() -> None:
    ledger = Ledger()
    move(ledger, "chain", f"task/{TASK}", 100)
    owe(ledger, TASK, CAROL, Wei(1), 5)
    owe(ledger, TASK, CAROL, Wei(1), 9)
    assert ledger.owing[CAROL].due_ms == 5
    settle(ledger, CAROL, Wei(2))
    assert ledger.owing[CAROL].due_ms == 0
    owe(ledger, TASK, CAROL, Wei(1), 12)
    assert ledger.owing[CAROL].due_ms == 12
