"""Previews while a task runs, as the template makes them: jobs of the requestor's own, never in the way of the work."""

from __future__ import annotations

from golem.core.asking import asking
from golem.core.board import finish
from golem.core.task import LIVE, Board, Phase
from golem.core.turn import Turn
from golem.errors import TemplateFailed
from golem.interfaces import IShowing
from golem.model.effects import Execute, Export
from golem.model.events import Executed
from golem.model.ids import TaskId, stage_id
from golem.model.spec import Status
from golem.model.value import evolve

PREVIEW_MS = 5_000  # between previews: soon enough for people, and far longer than one takes


def show(turn: Turn, board: Board, chunk: int) -> None:
    """A chunk was accepted: have a preview made, if the last is old enough and the template makes any."""
    template = turn.template(board.task.spec.template)
    is_due = board.task.phase is Phase.OPEN and not board.is_showing and turn.now_ms - board.shown_ms >= PREVIEW_MS
    if not is_due or not IShowing.providedBy(template):
        return
    spec, task_id = board.task.spec, board.task.task_id
    try:
        with asking(spec.template, "preview"):
            job = IShowing(template).preview(spec, turn.plan(task_id, spec).chunks[chunk], board.accepted)
    except TemplateFailed as why:
        board.shown_ms = turn.now_ms
        turn.tell(task_id, "no preview", reason=str(why))
        return
    if job is None:
        return
    board.is_showing, board.shown_ms = True, turn.now_ms
    job = evolve(job, job_id=stage_id(task_id, "preview", board.task.accepted), task_id=task_id)
    turn.state.errands[job.job_id] = ("preview", task_id)
    turn.ask(Execute(job=job))


def on_preview(turn: Turn, task_id: TaskId, event: Executed) -> None:
    """A preview is there, or not: the task doesn't depend on it."""
    board = turn.state.boards[task_id]
    board.is_showing = False
    if board.task.phase not in LIVE:
        finish(turn, board)
    elif event.outcome.status is Status.DONE and event.outcome.result:
        key, folder = f"preview/{task_id}/{board.task.accepted}", board.task.spec.output
        turn.ask(Export(key=key, cid=event.outcome.result, folder=folder, name="preview"))
    else:
        turn.tell(task_id, "no preview", reason=event.outcome.detail)
