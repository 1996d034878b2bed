"""Who may have the content of a task, after a restart: the store remembers no ticket."""

from __future__ import annotations

from golem.core import job
from golem.core.task import LIVE
from golem.core.turn import Turn
from golem.model.effects import Admit

_SERVED = job.LIVE | {job.Phase.DELIVERED}  # its requestor, or another provider, may still come for something


def readmit(turn: Turn) -> None:
    """Have the store serve again what was being served when the node stopped."""
    own = [board.task for board in turn.state.boards.values() if board.task.phase in LIVE or board.open]
    tickets = {task.task_id: task.ticket for task in own}
    for work in turn.state.works.values():
        if work.phase in _SERVED:
            tickets.setdefault(work.assignment.job.task_id, work.assignment.ticket)
    turn.ask(*(Admit(task_id=task_id, ticket=ticket) for task_id, ticket in tickets.items()))
