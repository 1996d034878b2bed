"""Makes results of accepted chunks as soon as all that one needs are in, and writes them where the user wants them."""

from __future__ import annotations

from golem.core.board import doom, step
from golem.core.task import Board, Phase
from golem.core.turn import Turn
from golem.model.effects import Execute, Export, Release
from golem.model.events import Executed, Exported
from golem.model.ids import TaskId, merge_id
from golem.model.spec import Status
from golem.model.value import evolve


def begin_ready(turn: Turn, board: Board, chunk: int) -> None:
    """A chunk was accepted: start what it completes."""
    if board.task.phase is not Phase.OPEN:
        return
    spec = board.task.spec
    for merge in turn.plan(board.task.task_id, spec).merges_of.get(chunk, ()):
        board.missing[merge.name] -= 1
        if not board.missing[merge.name]:
            task_id = board.task.task_id
            job = turn.template(spec.template).merge(
                spec, merge, {index: board.accepted[index] for index in merge.chunks}
            )
            job = evolve(job, job_id=merge_id(task_id, merge.name), task_id=task_id)
            turn.state.errands[job.job_id] = ("merge", f"{task_id}/{merge.name}")
            turn.ask(Execute(job=job))


def on_merged(turn: Turn, which: str, event: Executed) -> None:
    """A merge has ended: write it out, or give the task up with the reason."""
    task_id, _, name = which.partition("/")
    board = turn.state.boards[TaskId(task_id)]
    outcome = event.outcome
    if board.task.phase is not Phase.OPEN:
        turn.ask(Release(task_id=board.task.task_id))  # it ended meanwhile, and what was made is nobody's
        return
    if outcome.status is not Status.DONE or not outcome.result:
        doom(turn, board, f"merging {name} failed: {outcome.status.value}: {outcome.detail or 'no file was made'}")
        return
    turn.ask(Export(key=f"export/{which}", cid=outcome.result, folder=board.task.spec.output, name=name))


def on_exported(turn: Turn, event: Exported) -> None:
    """A result is where the user wants it."""
    _, task_id, name = event.key.split("/", 2)
    board = turn.state.boards[TaskId(task_id)]
    board.exported[name] = event.path
    turn.tell(task_id, "exported", path=event.path)
    step(turn, board, event)
