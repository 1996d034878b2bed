"""What a check kept of a refused result, to look at: written into the user's folder, beside the results."""

from __future__ import annotations

from collections.abc import Sequence

from golem.core.subtask import Phase
from golem.core.task import LIVE
from golem.core.turn import Turn
from golem.model.effects import Export
from golem.model.ids import SubtaskId
from golem.model.spec import Outcome
from golem.model.value import evolve

MOST = 16  # refused results of one task: more say nothing new, and who refuses all fills no disk


def concerned(turn: Turn, subtask_id: SubtaskId) -> Sequence[SubtaskId]:
    """The results that a check is made for: those that are judged together, or one."""
    subtask = turn.state.subtasks[subtask_id]
    return tuple(turn.state.boards[subtask.task_id].answers.get(subtask.chunk, ())) or (subtask_id,)


def keep(turn: Turn, subtask_id: SubtaskId, outcome: Outcome) -> None:
    """A check has ended: if a result was refused by it, have the check's files written, and say where."""
    subtask = turn.state.subtasks[subtask_id]
    board = turn.state.boards[subtask.task_id]
    is_refused = subtask.phase is Phase.REJECTED and board.task.phase in LIVE
    if not is_refused or not outcome.result or board.kept >= MOST:
        return
    board.kept += 1
    folder = f"{board.task.spec.output}/refused/{subtask_id}"
    turn.state.subtasks[subtask_id] = evolve(subtask, reason=f"{subtask.reason}; to look at: {folder}")
    key = f"exhibit/{subtask.task_id}/{subtask_id}"
    turn.ask(Export(key=key, cid=outcome.result, folder=folder, name="exhibit"))
