"""What a provider earns: promises it takes, payments it looks for, and what it does where they do not come.

Acceptance --> due --seen paid--> received --worth its gas--> withdrawn
                |--past due--> late: no more work for this requestor
                |--`claim_after_ms` past due--> claimed by the voucher
                '--three days past due--> not paid: held against the requestor for months
"""

from __future__ import annotations

from golem.core.job import Settled, Work
from golem.core.ledger import Pair, earn, receive
from golem.core.provider import take
from golem.core.reputation import DAY_MS, Deed
from golem.core.turn import Turn
from golem.errors import IllegalTransition
from golem.model.chain import Sighting
from golem.model.effects import Claim, Observe, Whisper, Withdraw
from golem.model.events import Claimed, Connected, Failed, Observed, Withdrawn
from golem.model.ids import Address, NodeId
from golem.model.messages import Acceptance, Cancellation, Delay, Rejection, Reminder
from golem.model.value import evolve

GRACE_MS = 3 * DAY_MS  # past due for so long, a payment is not late but missing
MAX_WINDOW_MS = 7 * DAY_MS  # who promises to pay later than that does not mean to
CLAIM_AGAIN_MS = 6 * 3_600_000  # a claim that brought nothing is tried again: the payer may have deposited
WORTH_FEES = 100  # what is taken out is so many times the gas for it
MAX_SEEN = 500  # payers in one call of the contract; more than that are seen where they owe
CLAIMED_GAS = 40_000  # of a withdrawal, and TAKEN_GAS for each payer: benchmarks/gas.py
TAKEN_GAS = 6_000


def on_verdict(turn: Turn, peer: NodeId, message: Acceptance | Rejection | Cancellation) -> None:
    """The requestor has decided."""
    work = turn.state.works.get(message.subtask_id)
    if work is None or work.requestor != peer:
        return
    if isinstance(message, Acceptance):
        _check(turn, work, message)
    take(turn, message.subtask_id, peer, message)
    if isinstance(message, Acceptance):
        _book(turn, work, message)


def _check(turn: Turn, work: Work, acceptance: Acceptance) -> None:
    """Raise IllegalTransition where this is not the promise that follows from the earlier ones."""
    payer = turn.state.peers[work.requestor].payee
    before = turn.state.ledger.earning.get(payer, Pair()).promised
    if (acceptance.payer, acceptance.payee) != (payer, turn.started.payee):
        raise IllegalTransition(f"voucher from {acceptance.payer} to {acceptance.payee}: not between us and {payer}")
    if acceptance.cumulative < before + acceptance.amount:
        raise IllegalTransition(
            f"voucher of {payer}: {before} and {acceptance.amount} wei owed do not make {acceptance.cumulative}"
        )
    if acceptance.due_ms > turn.now_ms + MAX_WINDOW_MS:
        raise IllegalTransition(f"voucher of {payer}: due in more than {MAX_WINDOW_MS // DAY_MS} days")


def _book(turn: Turn, work: Work, acceptance: Acceptance) -> None:
    """What is owed to us is entered, and watched for on the chain."""
    payer = turn.state.peers[work.requestor].payee
    earn(turn.state.ledger, payer, acceptance.amount, acceptance.cumulative)
    turn.state.dues.setdefault(payer, []).append(work.subtask_id)
    turn.tell("node", "earned", subtask=work.subtask_id, amount_wei=str(acceptance.amount))
    watch(turn)


def remind(turn: Turn, e: Connected) -> None:
    """Show a requestor that owes us what it has promised: it may have lost its books."""
    due = turn.state.dues.get(e.payee, [])
    if due and (voucher := turn.state.works[due[-1]].voucher):
        turn.ask(Whisper(to=(e.peer,), message=Reminder(voucher=voucher)))


def on_delay(turn: Turn, peer: NodeId, message: Delay) -> None:
    """A requestor says that what it owes us is not sent yet. It is late no later for that."""
    payer = turn.state.peers[peer].payee
    if turn.state.dues.get(payer):
        turn.state.delays[payer] = message.reason
        turn.tell("node", "payment delayed", payer=payer, owed_wei=str(message.owed), why=message.reason)


def watch(turn: Turn) -> None:
    """Look at the chain soon, as long as anything is due."""
    state = turn.state
    if not state.is_watching and any(state.dues.values()):
        state.is_watching = True
        turn.after(turn.settings.observe_ms, "observe")


def observe(turn: Turn) -> None:
    """It is time to look at the chain: at who owes us, and at who has paid, since that may be worth taking out now."""
    owing = {payer for payer, due in turn.state.dues.items() if due}
    others = sorted(turn.state.ledger.earning.keys() - owing)[: max(0, MAX_SEEN - len(owing))]
    turn.ask(Observe(key="income", payers=(*sorted(owing), *others)))


def on_income(turn: Turn, e: Observed) -> None:
    """The chain was looked at: settle what is paid, and act on what is not."""
    state, sighting = turn.state, e.sighting
    state.is_watching = False
    state.funds, state.chain_problem = sighting.funds, ""
    for payer, cumulative in sorted(sighting.paid.items()):
        state.reserved.pop(payer, None)
        receive(state.ledger, payer, cumulative, sighting.block_ms)
        due = state.dues.get(payer, [])
        while due and state.works[due[0]].cumulative <= cumulative:
            _paid(turn, state.works[due.pop(0)], sighting.block_ms)
        if not due:
            state.delays.pop(payer, None)
        for subtask_id in due:
            _unpaid(turn, state.works[subtask_id], sighting.block_ms, payer)
        _claim(turn, payer, sighting.block_ms)
    state.reserved |= sighting.reserved
    _withdraw(turn, sighting)
    watch(turn)


def on_blind(turn: Turn, e: Failed) -> None:
    """The chain could not be looked at: computing goes on, up to the exposure cap; look again."""
    turn.state.is_watching, turn.state.chain_problem = False, e.detail
    turn.tell("node", "chain not to be seen", why=e.detail)
    watch(turn)


def _paid(turn: Turn, work: Work, block_ms: int) -> None:
    take(turn, work.subtask_id, None, Settled(at_ms=block_ms))
    late_ms = block_ms - work.due_ms
    deed = Deed.PAID if late_ms <= 0 else Deed.PAID_LATE
    if not work.is_overdue:
        turn.note(work.requestor, deed, work.amount, work.subtask_id)
        for _ in range(min(3, max(0, late_ms) // DAY_MS)):
            turn.note(work.requestor, Deed.ONE_DAY_LATER, work.amount, work.subtask_id)
    turn.tell("node", "income", subtask=work.subtask_id, amount_wei=str(work.amount), late_ms=max(0, late_ms))


def _unpaid(turn: Turn, work: Work, block_ms: int, payer: Address) -> None:
    if not work.is_late and block_ms > work.due_ms:
        work = turn.state.works[work.subtask_id] = evolve(work, is_late=True)
        turn.tell("node", "payment late", subtask=work.subtask_id, payer=payer, amount_wei=str(work.amount))
    if not work.is_overdue and block_ms > work.due_ms + GRACE_MS:
        turn.state.works[work.subtask_id] = evolve(work, is_overdue=True)
        turn.note(work.requestor, Deed.NOT_PAID, work.amount, work.subtask_id)
        turn.tell("node", "not paid", subtask=work.subtask_id, payer=payer, amount_wei=str(work.amount))


def _claim(turn: Turn, payer: Address, block_ms: int) -> None:
    """Have the contract pay what is long past due: the newest such promise covers all before it."""
    state = turn.state
    due = [state.works[subtask_id] for subtask_id in state.dues.get(payer, [])]
    late = [work for work in due if block_ms > work.due_ms + turn.settings.claim_after_ms]
    if not late or late[-1].voucher is None or state.claims.get(payer, 0) > block_ms:
        return
    state.claims[payer] = block_ms + CLAIM_AGAIN_MS
    turn.ask(Claim(key=f"claim/{payer}", voucher=late[-1].voucher))
    turn.tell("node", "claiming", payer=payer, cumulative_wei=str(late[-1].cumulative))


def on_claimed(turn: Turn, e: Claimed) -> None:
    """The contract has taken the voucher: the next look shows what it credited."""
    turn.tell("node", "claimed", payer=e.key.partition("/")[2], tx=e.receipt.tx_hash)


def _withdraw(turn: Turn, sighting: Sighting) -> None:
    """Take earnings out by themselves where they are enough, and many times the gas for it."""
    state, at = turn.state, turn.settings.withdraw_at
    payers = tuple(sorted(state.ledger.earning))
    fee = sighting.base_fee * (CLAIMED_GAS + TAKEN_GAS * len(payers))
    if at and not state.is_withdrawing and sighting.funds.claimable >= max(at, WORTH_FEES * fee):
        state.is_withdrawing = True
        state.withdraws += 1
        turn.ask(Withdraw(key=f"withdraw/{state.withdraws}", payers=payers))


def on_withdrawn(turn: Turn, e: Withdrawn) -> None:
    """What was earned is in the wallet."""
    turn.state.is_withdrawing = False
    turn.tell("node", "withdrew", tx=e.receipt.tx_hash)


def on_failed(turn: Turn, e: Failed) -> None:
    """A claim or a withdrawal did not work: the next look at the chain decides anew."""
    kind, _, subject = e.key.partition("/")
    if kind == "withdraw":
        turn.state.is_withdrawing = False
    turn.tell("node", f"{kind} failed", subject=subject, why=e.detail)
