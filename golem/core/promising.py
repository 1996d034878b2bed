"""What an accepted result is worth, promised to its provider: booked against the budget, paid with the next batch."""

from __future__ import annotations

from golem.core.ledger import owe
from golem.core.settlement import schedule
from golem.core.subtask import Subtask, worth
from golem.core.turn import Turn
from golem.model.effects import Send
from golem.model.messages import Acceptance
from golem.model.value import evolve


def promise(turn: Turn, subtask: Subtask) -> Subtask:
    """Owe a subtask its price, and say so to its provider."""
    amount = worth(subtask)
    payee = turn.state.peers[subtask.provider].payee
    due_ms = turn.now_ms + turn.settings.payment_window_ms
    cumulative = owe(turn.state.ledger, subtask.task_id, payee, amount, due_ms)
    acceptance = Acceptance(
        subtask_id=subtask.subtask_id,
        amount=amount,
        cumulative=cumulative,
        due_ms=due_ms,
        payer=turn.started.payee,
        payee=payee,
    )
    turn.ask(Send(to=subtask.provider, message=acceptance))
    schedule(turn)
    paid = turn.state.subtasks[subtask.subtask_id] = evolve(subtask, amount=amount, payee=payee)
    return paid
