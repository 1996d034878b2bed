"""Which content a node must still hold: of its own open tasks, and of work it does or is yet to be judged for."""

from __future__ import annotations

from golem.core.job import LIVE as AT_WORK
from golem.core.job import Phase
from golem.core.state import NodeState
from golem.core.task import LIVE
from golem.model.ids import TaskId

HELD = AT_WORK | {Phase.DELIVERED}


def is_needed(state: NodeState, task_id: TaskId) -> bool:
    """Whether a task's content is needed here: a result, until its verdict, whatever became of the task."""
    board = state.boards.get(task_id)
    if board is not None and (board.task.phase in LIVE or board.open):
        return True
    return any(w.phase in HELD and w.assignment.job.task_id == task_id for w in state.works.values())
