"""What holds of every task of a requestor after every turn. Each function raises AssertionError on a breach."""

from __future__ import annotations

from collections import Counter

from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.core.task import LIVE, Board
from golem.node import laws


def check_board(state: NodeState, board: Board) -> None:
    """What holds of one task."""
    laws.budget_holds(board)
    laws.chunks_are_leased_once(state, board)
    totals_are_sums(state, board)
    chunks_are_done_once(state, board)


def totals_are_sums(state: NodeState, board: Board) -> None:
    """Spent and promised are the sums of what the attempts say."""
    task_id = board.task.task_id
    attempts = [state.subtasks[subtask_id] for subtask_id in board.history]
    promised = sum([state.subtasks[subtask_id].cap for subtask_id in board.open])
    assert board.spent == sum([a.amount for a in attempts]), f"{task_id}: spent is no sum of amounts"
    assert board.outstanding == promised, f"{task_id}: outstanding is no sum of caps"
    assert all([a.amount <= a.cap for a in attempts]), f"{task_id} pays more than a cap"


def chunks_are_done_once(state: NodeState, board: Board) -> None:
    """A chunk waits or runs but not both, is nowhere lost, and once accepted is done for good.

    Of a slow attempt there may be a copy. Where several do each chunk, no more are given out once one is accepted.
    """
    task_id, waiting = board.task.task_id, set(board.pending)
    assert not board.accepted.keys() & waiting, f"{task_id}: an accepted chunk waits"
    if board.copies > 1:
        for chunk, doers in board.doers.items():
            assert len(set(doers)) == len(doers), f"{task_id}: one provider does chunk {chunk} twice"
        return
    accepted = Counter([s.chunk for s in map(state.subtasks.__getitem__, board.history) if s.phase is Attempt.ACCEPTED])
    assert accepted.keys() == board.accepted.keys(), f"{task_id}: the board forgot or made up an acceptance"
    twice = [chunk for chunk, count in accepted.items() if count > 1 + (chunk in board.doubled)]
    assert not twice, f"{task_id}: chunks {twice} are accepted twice"
    assert len(waiting) == len(board.pending), f"{task_id}: a chunk waits twice: {board.pending}"
    leased = {state.subtasks[subtask_id].chunk for subtask_id in board.open}
    assert not leased & waiting, f"{task_id}: a chunk runs and waits"
    again = (leased - board.doubled.keys()) & board.accepted.keys()
    assert not again, f"{task_id}: an accepted chunk was given out again"
    if board.task.phase in LIVE and board.has_picked:
        lost = set(range(board.task.chunks)) - leased - waiting - accepted.keys()
        assert not lost, f"{task_id}: chunks {sorted(lost)} are nowhere"
