"""What comes of checks: their reports, failures of our own, or the end of their time."""

from __future__ import annotations

from collections.abc import Sequence

from golem.core import checking, copies, sampling
from golem.core.board import MAX_WAITING, fill
from golem.core.judging import unsure
from golem.core.subtask import Phase, Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.core.verification import decide, judge, verify
from golem.model.events import Executed
from golem.model.ids import SubtaskId
from golem.model.spec import Status

MOST_NAMED = 4  # checks that a reason names


def on_check(turn: Turn, subtask_id: SubtaskId, event: Executed) -> None:
    """A check has ended; after the last one, judge."""
    subtask = turn.state.subtasks[subtask_id]
    ids = checking.job_ids(subtask)
    if subtask.phase is not Phase.VERIFYING or event.key not in ids:
        return  # it was judged, or is checked otherwise by now, without this one
    board = turn.state.boards[subtask.task_id]
    outcome = event.outcome
    if outcome.status is not Status.DONE:
        why = f"{_named(subtask, [event.key])} failed here: {outcome.status.value}: {outcome.detail}"
        decide(turn, board, subtask, unsure(board, why))
    else:
        new = checking.report(turn, subtask, event)
        if checking.missing(new):
            return
        judge(turn, board, new, tuple(new.reports[job_id] for job_id in ids))
    _go_on(turn)


def overdue(turn: Turn, subtask: Subtask) -> None:
    """The time for a result's checks is over, or the time that it waited for others' results."""
    board = turn.state.boards[subtask.task_id]
    if sampling.is_held(board, subtask):
        verify(turn, board, turn.state.subtasks[sampling.take_one(turn, board, subtask.provider)])
    elif subtask.subtask_id in turn.state.checking:
        _give_up(turn, board, subtask)
    elif subtask.subtask_id in board.answers.get(subtask.chunk, ()):
        _remember(turn, board, subtask)


def _give_up(turn: Turn, board: Board, subtask: Subtask) -> None:
    limit_s = turn.settings.verification_ms // 1000
    why = f"{_named(subtask, checking.missing(subtask))} did not end within {limit_s} s"
    decide(turn, board, subtask, unsure(board, why))
    _go_on(turn)


def _remember(turn: Turn, board: Board, subtask: Subtask) -> None:
    """An answer still waits for others; where nobody does the chunk, or the task is over, the referee is enough."""
    if copies.others_come(board, subtask.chunk):
        checking.give_time(turn, subtask, copies.LOOK_MS)
    elif subtask.subtask_id == board.answers[subtask.chunk][0]:
        copies.call_off(board, subtask.chunk)
        verify(turn, board, subtask)


def _named(subtask: Subtask, job_ids: Sequence[str]) -> str:
    numbers = [str(index + 1) for index, job_id in enumerate(checking.job_ids(subtask)) if job_id in job_ids]
    more = f" and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else ""
    return f"check {', '.join(numbers[:MOST_NAMED])}{more} of {subtask.checks}"


def _go_on(turn: Turn) -> None:
    """There may be room: for results that wait for their check, and for work, where too many of them kept it back."""
    was_full = len(turn.state.to_check) >= MAX_WAITING
    while (subtask_id := checking.next_queued(turn)) is not None:
        subtask = turn.state.subtasks[subtask_id]
        verify(turn, turn.state.boards[subtask.task_id], subtask)
    if was_full:
        for board in turn.state.boards.values():
            fill(turn, board)
