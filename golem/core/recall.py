"""Books that were lost: what was between us and others comes back from the contract, and from what was signed.

    an offer of a payee not in our books ----> Observe(pair) ----> its total goes on from what it was ever paid
    a Reminder: more than our books know ----> Observe(pair) ----> that much is owed, and paid with the next batch
    PayersFound, where the user looked ----> what they have ever paid us is in our books, and can be taken out

Without the first, totals would begin anew and pay nothing before they reached the old ones; without the second, what
was promised and not paid yet would be lost; without the third, what we had not taken out of the contract. An account
that never sent a transaction owes nobody, and never looks.
"""

from __future__ import annotations

from golem.core.ledger import admit, recall, remember
from golem.core.settlement import RETRY_MS, schedule
from golem.core.turn import Turn
from golem.errors import IllegalTransition
from golem.model.effects import Observe
from golem.model.events import Failed, Observed, PayersFound
from golem.model.ids import Address, NodeId
from golem.model.messages import Reminder
from golem.model.money import Wei


def is_known(turn: Turn, payee: Address) -> bool:
    """Whether our books, or the lack of any payment of ours, say how it stands with a payee."""
    return payee in turn.state.ledger.owing or not turn.state.sent


def look(turn: Turn, subject: str) -> None:
    """Look at the contract. `subject`: a payee; or a payee, what it was promised, and when that is due."""
    payee = Address(subject.partition("/")[0])
    turn.ask(Observe(key=f"pair/{subject}", payers=(), payees=(payee,)))


def on_reminder(turn: Turn, peer: NodeId, message: Reminder) -> None:
    """A payee shows what we have signed. Nothing follows where our books know as much."""
    voucher, payee = message.voucher, turn.state.peers[peer].payee
    if (voucher.payer, voucher.payee) != (turn.started.payee, payee):
        raise IllegalTransition(f"reminder from {voucher.payer} to {voucher.payee}: not between us and {payee}")
    pair = turn.state.ledger.owing.get(payee)
    if pair is None or voucher.cumulative > pair.promised:
        look(turn, f"{payee}/{voucher.cumulative}/{voucher.due_ms}")


def on_seen(turn: Turn, event: Observed) -> Address:
    """The contract has told what a payee was ever paid; returns whom."""
    _, payee, *promise = event.key.split("/")
    account = Address(payee)
    recall(turn.state.ledger, account, event.sighting.given[account])
    if promise:
        cumulative, due_ms = map(int, promise)
        more = admit(turn.state.ledger, account, Wei(cumulative), due_ms)
        turn.tell("node", "reminded", payee=payee, owed_wei=str(more))
        schedule(turn)
    return account


def on_blind(turn: Turn, event: Failed) -> None:
    """The chain could not be looked at: again, once it may have come to."""
    turn.after(RETRY_MS, event.key)


def on_payers(turn: Turn, event: PayersFound) -> None:
    """The contract's history has told who ever paid us."""
    for payer, total in sorted(event.paid.items()):
        if total:
            remember(turn.state.ledger, payer, total)
