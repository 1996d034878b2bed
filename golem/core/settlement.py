"""When to pay, whom, and how much: one batch at a time, for all dues accepted up to the closure.

    due --window closes--> frozen --Pay--> paid
                             | ^---- later ----'  gas too dear for its value while there is time: deferred
                             '------ the chain failed: sent again

The batch is on disk before it is sent, it says the cumulative total of each pair, and so it pays once however often
it is sent. A new batch is only frozen when nothing is open. docs/payments.md.
"""

from __future__ import annotations

from golem.core.ledger import Pair, settle
from golem.core.turn import Turn
from golem.model.chain import MAX_BATCH_WORDS, Batch, Word
from golem.model.effects import Pay, Send
from golem.model.events import Failed, Paid
from golem.model.ids import Address, BatchId, derive
from golem.model.messages import Delay
from golem.model.money import NOTHING, Wei

RETRY_MS = 15_000  # a chain that failed is asked again after one block of the slowest chain we know
HURRY_MS = 2 * 3_600_000  # so long before the first due, gas may begin to cost more
RUSH_MS = 30 * 60_000  # from here on it may cost what it takes: to be late costs more
RUSH_FACTOR = 10  # what gas may cost at last, over what it may cost at first
TOO_DEAR = "gas costs too much for what it pays: it waits for cheaper gas, at most until it is due"
PARTS = 1_000_000  # of a share, as integers count it


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
        owed = _owed(turn)
        if not owed:
            state.is_settling = False
            return
        state.batches += 1
        words = tuple(Word(payee=payee, cumulative=pair.promised) for payee, pair in owed)
        batch_id = BatchId(derive("batch", turn.started.payee, state.batches))
        state.batch, state.frozen_ms = Batch(batch_id=batch_id, words=words), turn.now_ms
        turn.tell("node", "settling", batch=batch_id, payees=len(words))
    most = most_fee(turn, state.batch)
    turn.ask(Pay(key=state.batch.batch_id, batch=state.batch, most_fee=most))


def _owed(turn: Turn) -> list[tuple[Address, Pair]]:
    """Whom we owe, the most urgent first, as many as fit."""
    owed = [(payee, pair) for payee, pair in turn.state.ledger.owing.items() if pair.promised > pair.paid]
    return sorted(owed, key=lambda item: (item[1].due_ms, item[0]))[:MAX_BATCH_WORDS]


def most_fee(turn: Turn, batch: Batch) -> Wei:
    """The most that gas for a batch may cost now, in wei; 0: whatever it takes.

    A share of what the batch pays; ten times that towards its first due, and anything just before it.
    """
    pairs = [turn.state.ledger.owing[word.payee] for word in batch.words]
    left_ms = min(pair.due_ms for pair in pairs) - turn.now_ms
    if turn.settings.fee_share >= 1 or left_ms <= RUSH_MS:
        return NOTHING
    passed = max(0, HURRY_MS - left_ms)
    parts = int(turn.settings.fee_share * PARTS)
    parts += parts * (RUSH_FACTOR - 1) * passed // (HURRY_MS - RUSH_MS)
    value = sum(pair.promised - pair.paid for pair in pairs)
    return Wei(max(1, value * parts // PARTS))


def on_paid(turn: Turn, event: Paid) -> None:
    """The batch is deep enough in the chain: book it, and go on with what was accepted meanwhile."""
    state = turn.state
    if state.batch is None or event.key != state.batch.batch_id:
        return
    rest_due_ms = state.frozen_ms + turn.settings.payment_window_ms  # what is left was accepted after the freeze
    for word in state.batch.words:
        settle(state.ledger, word.payee, word.cumulative, rest_due_ms, turn.now_ms, event.receipt.tx_hash)
    payees = len(state.batch.words)
    turn.tell(
        "node",
        "paid",
        batch=event.key,
        payees=payees,
        tx=event.receipt.tx_hash,
        block=event.receipt.block,
        fee_wei=str(event.receipt.fee),
    )
    state.batch, state.is_settling, state.payment_problem = None, False, ""
    if any(pair.promised > pair.paid for pair in state.ledger.owing.values()):
        schedule(turn)


def on_failed(turn: Turn, event: Failed) -> None:
    """The chain did not take it: the batch stays as it is and is sent again."""
    is_deferred = event.fault == "TooDear"
    how = "payment deferred" if is_deferred else "payment failed"
    if is_deferred and not turn.state.payment_problem.startswith(how):
        _excuse(turn)
    turn.state.payment_problem = f"{how}: {event.detail}"
    turn.tell("node", how, batch=event.key, why=event.detail)
    turn.after(RETRY_MS, "settle")


def _excuse(turn: Turn) -> None:
    """Tell those who wait for the open batch that they wait for cheaper gas."""
    state = turn.state
    owed = {
        word.payee: word.cumulative - state.ledger.owing[word.payee].paid
        for word in (state.batch.words if state.batch else ())
    }
    for node, peer in state.peers.items():
        if peer.payee in owed:
            turn.ask(Send(to=node, message=Delay(owed=Wei(owed[peer.payee]), reason=TOO_DEAR)))
