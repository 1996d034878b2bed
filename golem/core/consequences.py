"""What follows from a verdict: money and trust, and the chunk's next chance."""

from __future__ import annotations

from golem.core.board import charge, dismiss, fill, finish, release, requeue, step, turn_down
from golem.core.ledger import owe
from golem.core.merging import begin_ready
from golem.core.reputation import Deed
from golem.core.settlement import schedule
from golem.core.subtask import Phase, Subtask, held, worth
from golem.core.task import Board, ChunkAccepted
from golem.core.turn import Turn
from golem.model.effects import Send
from golem.model.messages import Acceptance, Reason
from golem.model.spec import Judgement, Verdict
from golem.model.value import evolve


def accept(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    """The result is right: owe its price, remember it, and use it."""
    amount, is_new = worth(subtask), subtask.chunk not in board.accepted
    release(turn, board, subtask)
    payee = turn.state.peers[subtask.provider].payee
    due_ms = turn.now_ms + turn.settings.payment_window_ms
    cumulative = owe(turn.state.ledger, subtask.task_id, payee, amount, due_ms)
    charge(board, subtask, amount)
    turn.state.subtasks[subtask.subtask_id] = evolve(subtask, amount=amount)
    acceptance = Acceptance(
        subtask_id=subtask.subtask_id,
        amount=amount,
        cumulative=cumulative,
        due_ms=due_ms,
        payer=turn.started.payee,
        payee=payee,
    )
    turn.ask(Send(to=subtask.provider, message=acceptance))
    turn.note(
        subtask.provider,
        Deed.VERIFIED if verdict.checked else Deed.UNCHECKED,
        amount,
        subtask.subtask_id,
        verdict.reason,
    )
    schedule(turn)
    turn.tell(subtask.task_id, "accepted", subtask=subtask.subtask_id, chunk=subtask.chunk, provider=subtask.provider)
    if is_new:
        step(turn, board, ChunkAccepted())
        begin_ready(turn, board, subtask.chunk)
    fill(turn, board)
    finish(turn, board)


def reject(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    """The result is not taken: who gave a wrong one gets no more of this task."""
    if verdict.judgement is Judgement.WRONG:
        turn.note(subtask.provider, Deed.WRONG, subtask.cap, subtask.subtask_id, verdict.reason)
        board.agreements.pop(subtask.provider, None)
        board.offers.pop(subtask.provider, None)
        turn_down(board, subtask.provider, Reason.QUARANTINE)
        turn.refuse(subtask.task_id, Reason.QUARANTINE)
    elif verdict.judgement is Judgement.MALFORMED:
        turn.note(subtask.provider, Deed.MALFORMED, subtask.cap, subtask.subtask_id, verdict.reason)
    ended(turn, board, subtask)


def ended(turn: Turn, board: Board, subtask: Subtask) -> None:
    """The attempt came to nothing: remember why, and have the chunk done again."""
    if subtask.phase is Phase.FAILED:
        turn.note(subtask.provider, Deed.ERROR, held(subtask, turn.now_ms), subtask.subtask_id, subtask.reason)
    elif subtask.phase is Phase.LOST and subtask.delivery is not None:  # withheld; other losses were noted
        turn.note(subtask.provider, Deed.TIMEOUT, held(subtask, turn.now_ms), subtask.subtask_id, subtask.reason)
    turn.tell(
        subtask.task_id,
        subtask.phase.value,
        subtask=subtask.subtask_id,
        chunk=subtask.chunk,
        provider=subtask.provider,
        reason=subtask.reason,
    )
    release(turn, board, subtask)
    agreement = board.agreements.get(subtask.provider)
    if subtask.phase is Phase.RETURNED and agreement is not None and not agreement.live:
        dismiss(turn, board, subtask.provider, Reason(subtask.reason))
    requeue(turn, board, subtask, is_his_fault=subtask.phase is not Phase.RETURNED)
    fill(turn, board)
    finish(turn, board)
