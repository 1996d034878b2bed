"""When to pay, whom, and how much: one batch at a time, for all dues accepted up to the closure.

The batch is on disk before it is sent, it says the cumulative total of each pair, and so it pays once however often
it is sent. A new batch is only frozen when nothing is open. docs/economics.md, Settlement.
"""

from __future__ import annotations

from golem.core.ledger import settle
from golem.core.turn import Turn
from golem.model.chain import MAX_BATCH_WORDS, Batch, Word
from golem.model.effects import Pay
from golem.model.events import Failed, Paid
from golem.model.ids import BatchId, derive

RETRY_MS = 15_000  # a chain that failed is asked again after one block of the slowest chain we know


def schedule(turn: Turn) -> None:
    """Have dues settled a closure window after the first of them."""
    state = turn.state
    if not state.is_settling:
        state.is_settling = True
        turn.after(turn.settings.closure_ms, "settle")


def on_timer(turn: Turn) -> None:
    """The window has closed: freeze a batch of all that is owed, or send again the one that is open."""
    state = turn.state
    if state.batch is None:
        words = [
            Word(payee=payee, cumulative=pair.promised)
            for payee, pair in sorted(state.ledger.owing.items())
            if pair.promised > pair.paid
        ][:MAX_BATCH_WORDS]
        if not words:
            state.is_settling = False
            return
        state.batches += 1
        batch_id = BatchId(derive("batch", turn.started.payee, state.batches))
        state.batch = Batch(batch_id=batch_id, words=tuple(words))
        turn.tell("node", "settling", batch=batch_id, payees=len(words))
    turn.ask(Pay(key=state.batch.batch_id, batch=state.batch))


def on_paid(turn: Turn, event: Paid) -> None:
    """The batch is deep enough in the chain: book it, and go on with what was accepted meanwhile."""
    state = turn.state
    if state.batch is None or event.key != state.batch.batch_id:
        return
    for word in state.batch.words:
        settle(state.ledger, word.payee, word.cumulative)
    payees = len(state.batch.words)
    turn.tell("node", "paid", batch=event.key, payees=payees, tx=event.receipt.tx_hash, block=event.receipt.block)
    state.batch, state.is_settling = None, False
    if any(pair.promised > pair.paid for pair in state.ledger.owing.values()):
        schedule(turn)


def on_failed(turn: Turn, event: Failed) -> None:
    """The chain did not take it: the batch stays as it is and is sent again."""
    turn.tell("node", "payment failed", batch=event.key, why=event.detail)
    turn.after(RETRY_MS, "settle")
