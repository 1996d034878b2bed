"""What a provider does about its money: it takes no worse promise, sees who is late, claims, and takes earnings out."""

from __future__ import annotations

import pytest

from golem.core.income import CLAIM_AGAIN_MS, GRACE_MS, MAX_SEEN, MAX_WINDOW_MS
from golem.core.ledger import unpaid
from golem.core.reputation import DAY_MS, Role
from golem.errors import IllegalTransition
from golem.model import events as e
from golem.model.chain import Funds, Receipt, Sighting
from golem.model.effects import Claim, Observe, Send, Whisper, Withdraw
from golem.model.ids import Address, SubtaskId, TaskId
from golem.model.messages import Acceptance, Assignment, Delay, Demand, Offer, Reason, Refusal, Reminder
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Job, Limits, Outcome, Status
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo

ALICE, ME = FixedKeyring("alice"), FixedKeyring("me")
TASK = TaskId("7" * 32)
PRICE, AMOUNT = Wei(3_600_000), Wei(1_000)
TERMS = Settings(provide=True, templates=("toy",), min_price=PRICE, max_exposure=Wei(50_000), claim_after_ms=3_600_000)
LIMITS = Limits(timeout_ms=10_000)
RECEIPT = Receipt(tx_hash="0x1", block=1, gas_used=1, fee=Wei(0))
DUE_MS = BEGIN_MS + DAY_MS


def hired(terms: Settings = TERMS) -> Solo:
    """A provider whose offer stands with alice."""
    me = Solo(terms)
    me.meet("alice")
    offer_for(me, TASK)
    return me


def offer_for(me: Solo, task: TaskId) -> None:
    me.hear(
        "alice",
        Demand(
            task_id=task,
            requestor=ALICE.node_id,
            address="alice:1",
            template="toy",
            environment="toy-1",
            max_price=PRICE,
            limits=LIMITS,
            chunks=9,
            expires_ms=me.now_ms + 3_600_000,
        ),
    )


def subtask(number: int) -> SubtaskId:
    return SubtaskId(f"{number:032x}")


def gets(me: Solo, number: int) -> None:
    job = Job(job_id=subtask(number), task_id=TASK, template="toy", program="work", params=b"{}", limits=LIMITS)  # type: ignore[arg-type]  # the same hex
    me.hear(
        "alice",
        Assignment(subtask_id=subtask(number), price=PRICE, cap=Wei(10_000), deadline_ms=me.now_ms + DAY_MS, job=job),
    )


def computes(me: Solo, number: int) -> None:
    gets(me, number)
    me.post(e.Executed(key=subtask(number), outcome=Outcome(status=Status.DONE, used_ms=1)))


def promise(number: int, **changes: object) -> Acceptance:
    """Alice's, for the subtasks up to this one."""
    made = Acceptance(
        subtask_id=subtask(number),
        amount=AMOUNT,
        cumulative=Wei(AMOUNT * number),
        due_ms=DUE_MS,
        payer=ALICE.account,
        payee=ME.account,
        signature=b"v" * 65,
    )
    return evolve(made, **changes)


def works(me: Solo, number: int, **changes: object) -> None:
    computes(me, number)
    me.hear("alice", promise(number, **changes))


def sees(me: Solo, at_ms: int, paid: int = 0, **more: object) -> None:
    """Look at the chain; its clock is ours."""
    me.post(e.TimerFired(name="observe"), at_ms - me.now_ms)
    payers = me.one(Observe).payers
    seen = Sighting(block=1, block_ms=me.now_ms, funds=Funds(), paid=dict.fromkeys(payers, Wei(paid)))
    me.post(e.Observed(key="income", sighting=evolve(seen, **more)))


def claims(me: Solo) -> list[Claim]:
    return [effect for effect in me.asked if isinstance(effect, Claim)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"payer": FixedKeyring("mallory").account}, "not between us"),
        ({"payee": ALICE.account}, "not between us"),
        ({"cumulative": Wei(AMOUNT * 2 - 1)}, "do not make"),
        ({"cumulative": Wei(0)}, "do not make"),
        ({"cumulative": Wei(AMOUNT)}, "do not make"),
        ({"due_ms": BEGIN_MS + MAX_WINDOW_MS + 1}, "7 days"),
    ],
    ids=["payer", "payee", "too little", "back to nothing", "back to the last", "never"],
)
def test_a_promise_that_does_not_follow_from_the_last_is_refused_and_changes_nothing(
    change: dict[str, object], words: str
) -> None:
    me = hired()
    works(me, 1)
    computes(me, 2)
    with pytest.raises(IllegalTransition, match=words):
        me.hear("alice", promise(2, **change))
    assert me.state.works[subtask(2)].voucher is None
    assert me.state.ledger.earning[ALICE.account].promised == AMOUNT


def test_after_a_jump_no_promise_goes_back_to_where_the_work_would_have_led() -> None:
    me = hired()
    computes(me, 1)
    computes(me, 2)
    me.hear("alice", promise(1, cumulative=Wei(50 * AMOUNT)))
    with pytest.raises(IllegalTransition, match="do not make"):
        me.hear("alice", promise(2))
    me.hear("alice", promise(2, cumulative=Wei(51 * AMOUNT)))
    assert me.state.ledger.earning[ALICE.account].promised == 51 * AMOUNT


def test_old_payments_to_lost_books_do_not_let_a_requestor_owe_more() -> None:
    me = hired(evolve(TERMS, max_exposure=Wei(5 * AMOUNT)))
    for number in (1, 2, 3, 4, 5):
        works(me, number, cumulative=Wei((90 + number) * AMOUNT))
        sees(me, me.now_ms + 1, paid=90 * AMOUNT)
    assert unpaid(me.state.ledger, ALICE.account) == 5 * AMOUNT
    gets(me, 6)
    assert subtask(6) not in me.state.works, "she owes as much as she may"


def test_whose_payment_is_late_gets_nothing_more_before_it_has_paid() -> None:
    me = hired()
    works(me, 1)
    sees(me, DUE_MS)
    other = TaskId("8" * 32)
    offer_for(me, other)
    assert [effect for effect in me.asked if isinstance(effect, Send) and isinstance(effect.message, Offer)]
    sees(me, DUE_MS + 1)
    offer_for(me, TaskId("9" * 32))
    assert me.one_said(Refusal).reason is Reason.OVERDUE
    sees(me, DUE_MS + 2, paid=AMOUNT)
    offer_for(me, TaskId("a" * 32))
    assert me.one_said(Offer)


def test_what_is_long_past_due_is_claimed_once_by_the_newest_promise_that_is() -> None:
    me = hired()
    works(me, 1)
    works(me, 2)
    works(me, 3, due_ms=DUE_MS + DAY_MS)
    sees(me, DUE_MS + TERMS.claim_after_ms)
    assert not claims(me), "it may still come"
    sees(me, DUE_MS + TERMS.claim_after_ms + 1)
    (claim,) = claims(me)
    assert (claim.voucher, claim.key) == (promise(2).voucher, f"claim/{ALICE.account}")
    sees(me, DUE_MS + TERMS.claim_after_ms + 2)
    assert not claims(me), "one is under way"
    me.post(e.Claimed(key=claim.key, receipt=RECEIPT))
    sees(me, DUE_MS + TERMS.claim_after_ms + 3, paid=2 * AMOUNT)
    assert not claims(me)


def test_a_claim_that_brought_nothing_is_made_again_hours_later() -> None:
    me = hired()
    works(me, 1)
    sees(me, DUE_MS + TERMS.claim_after_ms + 1)
    (claim,) = claims(me)
    me.post(e.Failed(key=claim.key, fault="NotEnoughFunds", detail="has nothing in the contract"))
    sees(me, DUE_MS + TERMS.claim_after_ms + CLAIM_AGAIN_MS)
    assert not claims(me)
    sees(me, DUE_MS + TERMS.claim_after_ms + CLAIM_AGAIN_MS + 1)
    assert len(claims(me)) == 1


def test_work_of_an_earlier_version_without_a_voucher_is_not_claimed() -> None:
    me = hired()
    works(me, 1)
    me.state.works[subtask(1)] = evolve(me.state.works[subtask(1)], voucher=None)
    sees(me, DUE_MS + TERMS.claim_after_ms + 1)
    assert not claims(me)


def first_refused(me: Solo, number: int) -> int:
    """Do subtasks from the `number`-th on, unpaid, until one is not taken."""
    while True:
        gets(me, number)
        if subtask(number) not in me.state.works:
            return number
        works(me, number)
        number += 1


def test_a_newcomer_may_owe_a_tenth_and_more_by_twice_what_it_has_paid() -> None:
    me = hired(evolve(TERMS, max_exposure=Wei(20 * AMOUNT)))
    assert first_refused(me, 1) == 3, "a tenth is two"
    sees(me, me.now_ms + 1, paid=2 * AMOUNT)
    offer_for(me, TASK)
    assert first_refused(me, 3) == 9, "two, and twice the two that were paid"


def test_who_is_trusted_less_may_owe_less_and_a_reserve_adds_to_it() -> None:
    me = hired(evolve(TERMS, max_exposure=Wei(45 * AMOUNT)))
    works(me, 1)
    sees(me, DUE_MS + GRACE_MS + 1)
    assert me.trust("alice", Role.REQUESTOR) < 0.5
    sees(me, DUE_MS + GRACE_MS + 2, paid=AMOUNT)
    offer_for(me, TASK)
    for number in (2, 3, 4):
        works(me, number, due_ms=me.now_ms + DAY_MS)
    assert me.trust("alice", Role.REQUESTOR) * 2 * (45 * AMOUNT // 10 + 2 * AMOUNT) < 3 * AMOUNT
    gets(me, 5)
    assert me.state.works.get(subtask(5)) is None, "3,000 wei are more than she may owe"
    sees(me, me.now_ms + 1, paid=AMOUNT, reserved={ALICE.account: Wei(3_000)})
    works(me, 5, due_ms=me.now_ms + DAY_MS)
    assert subtask(5) in me.state.works
    sees(me, me.now_ms + 1, paid=AMOUNT)
    assert not me.state.reserved, "she began to take it back"


def test_earnings_are_taken_out_when_they_are_enough_and_worth_the_gas() -> None:
    me = hired(evolve(TERMS, withdraw_at=Wei(10_000_000)))
    works(me, 1)
    for claimable, base_fee in ((9_999_999, 0), (10_000_000, 7), (10**18, 10**15)):
        sees(me, me.now_ms + 1, funds=Funds(claimable=Wei(claimable)), base_fee=Wei(base_fee))
        assert not any(isinstance(effect, Withdraw) for effect in me.asked)
    sees(me, me.now_ms + 1, funds=Funds(claimable=Wei(10_000_000)), base_fee=Wei(2))
    assert me.one(Withdraw) == Withdraw(key="withdraw/1", payers=(ALICE.account,))
    sees(me, me.now_ms + 1, funds=Funds(claimable=Wei(10_000_000)))
    assert not any(isinstance(effect, Withdraw) for effect in me.asked), "one is under way"
    me.post(e.Failed(key="withdraw/1", fault="ChainFault", detail="away"))
    sees(me, me.now_ms + 1, funds=Funds(claimable=Wei(10_000_000)))
    assert me.one(Withdraw).key == "withdraw/2"
    me.post(e.Withdrawn(key="withdraw/2", receipt=RECEIPT))
    assert not me.state.is_withdrawing


def test_who_has_paid_all_is_still_seen_since_it_may_be_worth_taking_out() -> None:
    me = hired()
    works(me, 1)
    me.post(e.PayersFound(paid={Address(f"0x{number:040x}"): Wei(1) for number in range(1, 600)}))
    me.post(e.TimerFired(name="observe"))
    payers = me.one(Observe).payers
    assert payers[0] == ALICE.account and len(set(payers)) == len(payers) == MAX_SEEN


def test_earnings_stay_where_they_are_if_the_user_says_so() -> None:
    me = hired(evolve(TERMS, withdraw_at=Wei(0)))
    works(me, 1)
    sees(me, me.now_ms + 1, funds=Funds(claimable=Wei(10**18)))
    assert not any(isinstance(effect, Withdraw) for effect in me.asked)


def shown(me: Solo) -> list[Whisper]:
    return [effect for effect in me.asked if isinstance(effect, Whisper) and isinstance(effect.message, Reminder)]


def test_a_requestor_that_comes_back_is_shown_its_newest_promise_while_it_owes() -> None:
    me = hired()
    me.meet("alice")
    assert not shown(me)
    works(me, 1)
    works(me, 2)
    me.meet("alice")
    assert shown(me) == [Whisper(to=(ALICE.node_id,), message=Reminder(voucher=promise(2).voucher))]
    me.state.works[subtask(2)] = evolve(me.state.works[subtask(2)], voucher=None)
    me.meet("alice")
    assert not shown(me), "of an earlier version: there is none"


def test_a_delay_is_kept_until_it_is_over_and_makes_nobody_less_late() -> None:
    me = hired()
    me.hear("alice", Delay(owed=AMOUNT, reason="gas"))
    assert not me.state.delays, "she owes us nothing"
    works(me, 1)
    me.hear("alice", Delay(owed=AMOUNT, reason="gas"))
    assert me.state.delays == {ALICE.account: "gas"}
    sees(me, DUE_MS + 1)
    assert me.state.works[subtask(1)].is_late
    assert me.state.delays
    sees(me, DUE_MS + 2, paid=AMOUNT)
    assert not me.state.delays
