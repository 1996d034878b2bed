"""What follows from a verdict: money and trust, and the chunk's next chance."""

from __future__ import annotations

from golem.core import tails
from golem.core.board import charge, dismiss, fill, finish, release, requeue, step
from golem.core.merging import begin_ready
from golem.core.pace import measure
from golem.core.promising import promise
from golem.core.reputation import Deed
from golem.core.substitute import takes_over
from golem.core.subtask import Phase, Subtask, held
from golem.core.task import Board, ChunkAccepted
from golem.core.turn import Turn
from golem.model.messages import Reason
from golem.model.spec import Judgement, Verdict


def accept(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    """The result is right: owe its price, remember it, and use it."""
    is_new = subtask.chunk not in board.accepted
    release(turn, board, subtask)
    paid = promise(turn, subtask)
    charge(board, paid)
    deed = Deed.VERIFIED if verdict.checked else Deed.UNCHECKED
    turn.note(paid.provider, deed, paid.amount, paid.subtask_id, verdict.reason)
    if verdict.checked:
        measure(turn, board, paid)
    turn.tell(subtask.task_id, "accepted", subtask=subtask.subtask_id, chunk=subtask.chunk, provider=subtask.provider)
    board.returned.pop(subtask.provider, None)
    _part(turn, board, subtask)
    if is_new:
        tails.settle(turn, board, subtask.chunk)
        step(turn, board, ChunkAccepted())
        begin_ready(turn, board, subtask.chunk)
    fill(turn, board)
    finish(turn, board)


def reject(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    """The result is not taken: who gave a wrong one gets no more of this task."""
    if verdict.judgement is Judgement.WRONG:
        turn.note(subtask.provider, Deed.WRONG, subtask.cap, subtask.subtask_id, verdict.reason)
        dismiss(turn, board, subtask.provider, Reason.QUARANTINE)
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
    if subtask.phase is Phase.RETURNED:
        _returned(board, subtask)
    _part(turn, board, subtask)
    if not takes_over(turn, board, subtask):
        requeue(turn, board, subtask, is_his_fault=subtask.phase is not Phase.RETURNED)
    fill(turn, board)
    finish(turn, board)


def _returned(board: Board, subtask: Subtask) -> None:
    """Somebody does not do what it offered: it gets no more until it offers anew."""
    board.returned[subtask.provider] = board.returned.get(subtask.provider, 0) + 1
    if agreement := board.agreements.get(subtask.provider):
        agreement.is_paused, agreement.refused = True, subtask.reason


def _part(turn: Turn, board: Board, subtask: Subtask) -> None:
    """An agreement that brought refusals ends once nothing of it runs."""
    agreement = board.agreements.get(subtask.provider)
    if agreement is not None and agreement.refused and not agreement.live:
        dismiss(turn, board, subtask.provider, Reason(agreement.refused))
