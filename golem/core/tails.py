"""The last slow subtasks of a task: done a second time by who idles, and the first result that is right counts.

    nothing waits, one runs much longer than others took --> a copy of it elsewhere
    the first of the two is accepted --> the other is called off; was it delivered by then, it is verified and paid, too
    one of the two comes to nothing --> the other goes on alone

So no provider works in good faith for nothing once it has delivered, and one that is called off is blamed for
nothing; but it is known to be slow.
Templates that compare copies have their own way (`core.copies`).
"""

from __future__ import annotations

from statistics import median

from golem.core.board import assign, call_off
from golem.core.market import LEAST_WORK_MS
from golem.core.pace import measure
from golem.core.subtask import Phase, Subtask
from golem.core.task import Agreement, Board
from golem.core.turn import Turn
from golem.model.ids import NodeId
from golem.model.money import Wei, cost
from golem.model.value import evolve

SLOW = 2.0  # times what others took
RECENT = 64  # accepted subtasks whose times are looked at
MOST_COPIES = 16  # begun at one look; there is another in half a minute


def hurry(turn: Turn, board: Board) -> None:
    """Nothing waits: begin copies of what is slow, where somebody is free and the budget has room for them."""
    usual_ms = _usual(turn, board) if board.copies == 1 else 0.0
    if not usual_ms:
        return
    slow = [s for s in map(turn.state.subtasks.__getitem__, board.open) if _is_slow(turn, board, s, usual_ms)]
    for subtask in sorted(slow, key=lambda s: (s.assigned_ms, s.chunk))[:MOST_COPIES]:
        _copy(turn, board, subtask)


def _usual(turn: Turn, board: Board) -> float:
    """How long an accepted subtask took, in the middle; 0 where there is none."""
    done = [turn.state.subtasks[sid] for sid in board.history[-4 * RECENT :]]
    took = [(s.delivered_ms - s.assigned_ms) / s.ahead for s in done if s.phase is Phase.ACCEPTED]
    return max(1.0, median(took[-RECENT:])) if took else 0.0


def _is_slow(turn: Turn, board: Board, subtask: Subtask, usual_ms: float) -> bool:
    if subtask.phase is not Phase.ASSIGNED or board.attempts[subtask.chunk] >= board.task.spec.max_attempts:
        return False
    has_copy = all(sid in board.open for sid in board.doubled.get(subtask.chunk, (None,)))
    return not has_copy and turn.now_ms - subtask.assigned_ms > SLOW * usual_ms * subtask.ahead


def _copy(turn: Turn, board: Board, subtask: Subtask) -> None:
    helper = _free(board, subtask)
    if helper is None:
        return
    node, agreement = helper
    price, limits = agreement.offer.price, board.task.spec.limits
    left = board.task.spec.budget - board.spent - board.outstanding
    cap = Wei(min(cost(price, limits.timeout_ms), left // 2))
    if cap < cost(price, min(LEAST_WORK_MS, limits.timeout_ms)):
        return
    assign(turn, board, node, agreement, subtask.chunk, cap)
    board.doubled[subtask.chunk] = (subtask.subtask_id, board.history[-1])
    turn.tell(board.task.task_id, "copied", chunk=subtask.chunk, slow=subtask.provider, provider=node)


def _free(board: Board, subtask: Subtask) -> tuple[NodeId, Agreement] | None:
    """The best ranked provider with nothing to do that has not failed this chunk."""
    out = {subtask.provider, *board.tried.get(subtask.chunk, ())}
    for node, agreement in board.agreements.items():
        if node not in out and not agreement.is_paused and len(agreement.live) < agreement.offer.slots:
            return node, agreement
    return None


def settle(turn: Turn, board: Board, chunk: int) -> None:
    """A chunk is accepted: who still computes it need not."""
    for sid in board.doubled.get(chunk, ()):
        subtask = turn.state.subtasks[sid]
        if sid in board.open and subtask.phase is Phase.ASSIGNED:
            call_off(turn, board, sid)
            if sid == board.doubled[chunk][0]:
                measure(turn, board, evolve(subtask, delivered_ms=turn.now_ms))  # no faster than that, it is known
