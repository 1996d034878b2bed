"""A task's board, as its template lays it out."""

from __future__ import annotations

from golem.core.asking import asking
from golem.core.board import lay_out
from golem.core.merging import FINISHED
from golem.core.task import Board, Task
from golem.core.turn import Turn
from golem.errors import TemplateFailed
from golem.interfaces import IFinishing, IPreparing
from golem.model.events import TaskSubmitted
from golem.model.ids import ticket


def open_board(turn: Turn, e: TaskSubmitted) -> tuple[Board, str]:
    """The board of a task; or an empty one, and the template's fault."""
    try:
        return _lay_out(turn, e), ""
    except TemplateFailed as why:
        task = Task(task_id=e.task_id, spec=e.spec, resources=(), submitted_ms=turn.now_ms, chunks=0, merges=0)
        return Board(task=task), str(why)


def _lay_out(turn: Turn, e: TaskSubmitted) -> Board:
    template = turn.template(e.spec.template)
    with asking(e.spec.template, "finish"):
        is_finished = IFinishing.providedBy(template) and IFinishing(template).finish(e.spec, ()) is not None
    prepares = IPreparing.providedBy(template)
    plan = None if prepares else turn.plan(e.task_id, e.spec)
    task = Task(
        task_id=e.task_id,
        spec=e.spec,
        resources=e.resources,
        submitted_ms=turn.now_ms,
        chunks=len(plan.chunks) if plan else 0,
        merges=len(plan.merges) + is_finished if plan else 0,
        prepares=prepares,
        ticket=ticket(e.task_id, turn.salt),
    )
    board = Board(task=task, finishing=FINISHED if is_finished else "")
    if plan:
        lay_out(turn, board, plan.merges)
    return board
