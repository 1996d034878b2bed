"""A requestor's core: the money of a task."""

from __future__ import annotations

import pytest

from golem.core.task import Phase
from golem.model import events as e
from golem.model.effects import Deposit, Observe, Pay, SetTimer
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.value import evolve
from golem.testing.solo import Solo
from tests.core.requesting import (
    BUDGET,
    RECEIPT,
    SPEC,
    TASK,
    assigned,
    at_work,
    delivery,
    phase,
    reason,
    sighting,
)

# money


def test_what_is_missing_in_the_contract_is_deposited_first() -> None:
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    assert me.one(Observe).key == f"funds/{TASK}"
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting(free=1, wallet=BUDGET - 1 + 10**16)))
    assert me.one(Deposit).amount == BUDGET - 1
    me.post(e.Deposited(key=f"deposit/{TASK}", receipt=RECEIPT))
    assert phase(me) is Phase.OPEN


def test_a_deposit_that_fails_dooms_the_task_with_the_chains_own_words() -> None:
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting(free=0, wallet=10**18)))
    me.post(e.Failed(key=f"deposit/{TASK}", fault="ChainFault", detail="no gas"))
    assert (phase(me), reason(me)) == (Phase.FAILED, "no gas")


@pytest.mark.parametrize("late", ("funds", "deposit"))
def test_money_that_arrives_after_the_task_was_cancelled_is_only_booked(late: str) -> None:
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    if late == "deposit":
        me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting(free=0, wallet=10**18)))
    me.post(e.TaskCancelled(task_id=TASK))
    if late == "deposit":
        me.post(e.Deposited(key=f"deposit/{TASK}", receipt=RECEIPT))
    else:
        me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting()))
    assert phase(me) is Phase.CANCELLED
    assert me.state.ledger.balances["free"] == BUDGET


def test_a_payment_that_fails_is_tried_again_as_it_was_and_later_dues_go_into_the_next() -> None:
    me = at_work("bob")
    first, *_ = assigned(me, "bob")
    me.hear("bob", delivery(first), after_ms=1_000)
    me.post(e.TimerFired(name="settle"))
    batch = me.one(Pay).batch
    me.hear("bob", delivery(assigned(me, "bob")[0]), after_ms=1_000)
    me.post(e.Failed(key=batch.batch_id, fault="ChainFault", detail="down"))
    assert me.one(SetTimer).name == "settle"
    me.post(e.TimerFired(name="settle"), after_ms=15_000)
    assert me.one(Pay).batch == batch
    me.post(e.Paid(key="another", receipt=RECEIPT))
    assert me.state.batch == batch
    me.post(e.Paid(key=batch.batch_id, receipt=RECEIPT))
    assert me.state.batch is None and me.state.is_settling
    me.post(e.TimerFired(name="settle"))
    assert me.one(Pay).batch.words[0].cumulative == 2 * batch.words[0].cumulative
    me.post(e.Paid(key=me.one(Pay).batch.batch_id, receipt=RECEIPT))
    assert not me.state.is_settling
    me.post(e.TimerFired(name="settle"))
    assert me.asked == []


def test_what_can_not_be_paid_is_refused_before_anybody_works() -> None:
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=evolve(SPEC, budget=Wei(1_999))))
    assert phase(me) is Phase.FAILED and "2 chunks need at least" in reason(me)
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting(free=1, wallet=10**16)))
    assert phase(me) is Phase.FAILED and "not enough funds" in reason(me)
    assert f"send ether to {me.state.started.payee}" in reason(me)


def test_without_a_chain_work_is_done_for_nothing_or_not_at_all() -> None:
    me = Solo(Settings(has_chain=False))
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting(free=0, wallet=0)))
    assert phase(me) is Phase.FAILED and "no chain is configured" in reason(me)


def test_what_the_wallet_has_beyond_the_need_is_deposited_for_the_next_task() -> None:
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting(free=1, wallet=10**18)))
    assert me.one(Deposit).amount == BUDGET


# inputs
