"""The requestor does a chunk itself, where nobody could tell whether a provider's result is right.

    UNSURE --it is the first time, and somebody is there--> another provider, or the same
    UNSURE --else, and there is room--> an attempt of our own: free, and nobody's to verify
                                          --done--> ACCEPTED     --failed--> FAILED, and the chunk waits for others

So whatever becomes of checks, a task ends with a result. Once for each chunk, and as many at once as there are slots.
"""

from __future__ import annotations

from golem.core.board import charge, fill, finish, release, requeue, step
from golem.core.machine import advance
from golem.core.merging import begin_ready
from golem.core.subtask import TABLE, Computed, Phase, Subtask
from golem.core.task import Board, ChunkAccepted
from golem.core.task import Phase as TaskPhase
from golem.core.turn import Turn
from golem.core.work import job_of
from golem.model.effects import Execute
from golem.model.events import Executed
from golem.model.ids import SubtaskId, subtask_id
from golem.model.money import NOTHING

DOUBTS = 2  # results of one chunk that nobody could judge: a third would hardly fare better
ERRAND = "substitute"


def takes_over(turn: Turn, board: Board, subtask: Subtask) -> bool:
    """An attempt came to nothing: whether the chunk is done here now, and if so, have it done."""
    if subtask.phase is not Phase.UNSURE or board.task.phase is not TaskPhase.OPEN or board.copies > 1:
        return False
    if subtask.chunk in board.accepted or any(sid in board.open for sid in board.doubled.get(subtask.chunk, ())):
        return False
    running = sum(kind == ERRAND for kind, _ in turn.state.errands.values())
    is_wanted = running < turn.settings.slots and _is_last_resort(turn, board, subtask.chunk)
    return is_wanted and _begin(turn, board, subtask)


def _is_last_resort(turn: Turn, board: Board, chunk: int) -> bool:
    before = _attempts(turn, board, chunk)
    if any(one.provider == turn.started.node_id for one in before):
        return False
    is_last = not board.agreements or len(board.tried.get(chunk, ())) + 1 >= board.task.spec.max_attempts
    return is_last or sum(one.phase is Phase.UNSURE for one in before) >= DOUBTS


def _attempts(turn: Turn, board: Board, chunk: int) -> list[Subtask]:
    ids = (subtask_id(board.task.task_id, chunk, number) for number in range(board.attempts[chunk]))
    return [turn.state.subtasks[sid] for sid in ids]


def _begin(turn: Turn, board: Board, doubted: Subtask) -> bool:
    task, me, chunk = board.task, turn.started.node_id, doubted.chunk
    number = board.attempts[chunk]
    sid = subtask_id(task.task_id, chunk, number)
    job = job_of(turn, task.task_id, task.spec, chunk, (sid, me))
    if isinstance(job, str):
        return False
    board.attempts[chunk] = number + 1
    board.tried.setdefault(chunk, []).append(doubted.provider)
    board.open[sid] = None
    board.history.append(sid)
    turn.state.subtasks[sid] = Subtask(
        subtask_id=sid,
        task_id=task.task_id,
        chunk=chunk,
        provider=me,
        gateway="",
        price=NOTHING,
        cap=NOTHING,
        output_bytes=job.limits.output_bytes,
        assigned_ms=turn.now_ms,
        deadline_ms=turn.now_ms + job.limits.timeout_ms,
    )
    turn.state.errands[job.job_id] = (ERRAND, sid)
    turn.ask(Execute(job=job))
    turn.tell(task.task_id, "assigned", subtask=sid, chunk=chunk, provider=me, attempt=number)
    return True


def on_computed(turn: Turn, subtask_id: SubtaskId, event: Executed) -> None:
    """Our own computer is done with a chunk."""
    subtask = turn.state.subtasks[subtask_id]
    if subtask.phase is not Phase.ASSIGNED:
        return  # called off meanwhile
    board = turn.state.boards[subtask.task_id]
    new, _ = advance(TABLE, subtask, Computed(outcome=event.outcome, at_ms=turn.now_ms))
    turn.state.subtasks[subtask_id] = new
    turn.tell(new.task_id, new.phase.value, subtask=subtask_id, chunk=new.chunk, provider=new.provider)
    release(turn, board, new)
    if new.phase is Phase.ACCEPTED:
        charge(board, new)
        step(turn, board, ChunkAccepted())
        begin_ready(turn, board, new.chunk)
    else:
        requeue(turn, board, new, is_his_fault=True)
    fill(turn, board)
    finish(turn, board)
