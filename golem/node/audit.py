"""The laws that our books and the contract's keep between them, each looked at; docs/payments.md, Laws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from golem.core import ledger
from golem.core.job import Phase, Work
from golem.core.ledger import Pair
from golem.core.state import NodeState
from golem.model.chain import Statement
from golem.model.ids import Address

Finding = Mapping[str, object]


def audit(state: NodeState, contract: Statement) -> list[Finding]:
    """One finding for each law: whether it holds, and what breaks it."""
    laws = (
        (
            "I1",
            "what is promised, by us and to us, is what accepted work is worth, with its vouchers",
            _promises(state),
        ),
        ("I2", "the contract shows no wei paid that was not promised", _overpaid(state, contract)),
        ("I3", "every wei is somewhere: the books sum to zero", _sums(state)),
        ("I4", "the deposit covers budgets and debts", _cover(state, contract)),
        ("I5", "what we signed says one thing for each purpose", _attempts(contract)),
        ("I6", "the contract holds what it owes us", _held(contract)),
        ("I7", "work counts as paid as far as the contract shows it", _matched(state, contract)),
    )
    return [
        {"law": name, "words": words, "holds": not broken, "broken": broken}
        for name, words, found in laws
        for broken in [list(found)]
    ]


def _promises(state: NodeState) -> Iterator[str]:
    accepted: Counter[Address] = Counter()
    for subtask in state.subtasks.values():
        accepted[subtask.payee] += subtask.amount
    for payee, pair in sorted(state.ledger.owing.items()):
        if pair.promised != pair.inherited + accepted[payee]:
            known = pair.promised - pair.inherited
            yield f"{payee} was promised {known} wei, and its accepted work is worth {accepted[payee]}"
    for payer, pair in sorted(state.ledger.earning.items()):
        yield from _vouched(payer, pair, [state.works[subtask_id] for subtask_id in state.dues.get(payer, [])])


def _vouched(payer: Address, pair: Pair, due: Sequence[Work]) -> Iterator[str]:
    """What breaks the law of what a payer owes: each voucher covers its work and all before, the newest all of it."""
    before = 0
    for work in due:
        if work.voucher is None:
            yield f"{payer}: no voucher for {work.subtask_id}"
        elif not before + work.amount <= work.cumulative == work.voucher.cumulative:
            yield f"{payer}: the voucher for {work.subtask_id} is of {work.voucher.cumulative} wei, after {before}"
        before = work.cumulative
    if due and before != pair.promised:
        yield f"{payer} owes up to {pair.promised} wei in all, and its newest promise is of {before}"
    if not due and pair.promised != pair.paid:
        yield f"{payer} owes {pair.promised - pair.paid} wei, and all its work is paid"


def _overpaid(state: NodeState, contract: Statement) -> Iterator[str]:
    for payee, paid in sorted(contract.paid.items()):
        promised = state.ledger.owing[payee].promised if payee in state.ledger.owing else 0
        if paid > promised:
            yield f"{payee} was paid {paid} wei, and promised {promised}"


def _sums(state: NodeState) -> Iterator[str]:
    try:
        ledger.check(state.ledger)
    except AssertionError as why:
        yield str(why)


def _cover(state: NodeState, contract: Statement) -> Iterator[str]:
    booked = {payee: pair.paid for payee, pair in state.ledger.owing.items()}
    ahead = sum(max(0, paid - booked.get(payee, 0)) for payee, paid in contract.paid.items())  # mined, not booked yet
    kept = sum(have for name, have in state.ledger.balances.items() if name.startswith(("task/", "owed/")))
    if contract.free + ahead < kept:
        yield f"budgets and debts need {kept} wei, and {contract.free + ahead} are deposited"


def _attempts(contract: Statement) -> Iterator[str]:
    if not contract.is_sound:
        yield "attempts at one payment differ, or a nonce is missing among them"


def _held(contract: Statement) -> Iterator[str]:
    ours = contract.free + contract.claimable + contract.reserved
    if contract.held < ours:
        yield f"the contract has {contract.held} wei and owes us {ours}"


def _matched(state: NodeState, contract: Statement) -> Iterator[str]:
    for work in state.works.values():
        peer = state.peers.get(work.requestor)
        paid = contract.received.get(peer.payee) if peer else None
        if paid is not None and work.phase is Phase.PAID and work.cumulative > paid:
            yield f"{work.subtask_id} counts as paid at {work.cumulative} wei, and the contract shows {paid}"
