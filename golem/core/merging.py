"""Makes results of accepted chunks as soon as all that one needs are in, and writes them where the user wants them.

A merge may call for more chunks (`IGrowing`); when all is merged, one last result may be made of the others.
"""

from __future__ import annotations

from golem.core.asking import asking
from golem.core.board import doom, fill, has_left, lay_out, step
from golem.core.showing import show
from golem.core.task import Board, Grown, Phase
from golem.core.turn import Turn
from golem.errors import BadParameters, TemplateFailed
from golem.interfaces import IFinishing, IGrowing
from golem.model.effects import Execute, Export, Release
from golem.model.events import Executed, Exported
from golem.model.ids import TaskId, merge_id, stage_id
from golem.model.spec import Input, Merge, Outcome, Status
from golem.model.value import evolve

FINISHED = "finished"  # the name of a finishing result; templates give theirs no such name


def begin_ready(turn: Turn, board: Board, chunk: int) -> None:
    """A chunk was accepted: start what it completes, and show it."""
    if board.task.phase is not Phase.OPEN:
        return
    for merge in turn.plan(board.task.task_id, board.task.spec).merges_of.get(chunk, ()):
        board.missing[merge.name] -= 1
        if not board.missing[merge.name] and board.task.phase is Phase.OPEN:
            _begin(turn, board, merge)
    show(turn, board, chunk)


def _begin(turn: Turn, board: Board, merge: Merge) -> None:
    spec, task_id = board.task.spec, board.task.task_id
    deliveries = {index: board.accepted[index] for index in merge.chunks}
    try:
        with asking(spec.template, "merge"):
            job = turn.template(spec.template).merge(spec, merge, deliveries)
            job = evolve(job, job_id=merge_id(task_id, merge.name, len(merge.chunks)), task_id=task_id)
    except TemplateFailed as why:
        doom(turn, board, str(why))
        return
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
    board.results[name] = Input(name=name, cid=outcome.result, size_bytes=outcome.size_bytes)
    _grow(turn, board, name, outcome)
    turn.ask(Export(key=f"export/{which}", cid=outcome.result, folder=board.task.spec.output, name=name))


def _grow(turn: Turn, board: Board, name: str, outcome: Outcome) -> None:
    spec = board.task.spec
    template = turn.template(spec.template)
    merges = {merge.name: merge for merge in turn.plan(board.task.task_id, spec).merges}
    if name not in merges or not IGrowing.providedBy(template):
        return
    try:
        with asking(spec.template, "grown"):
            wanted = IGrowing(template).grown(spec, merges[name], outcome)
        plan = turn.plan(board.task.task_id, wanted)
    except (BadParameters, TemplateFailed) as why:
        turn.tell(board.task.task_id, "not grown", reason=str(why))
        return
    if wanted == spec:
        return
    if not has_left(board, len(plan.chunks) - board.task.chunks):
        turn.tell(board.task.task_id, "not grown", reason="the budget does not suffice for another round")
        return
    more = [merge for merge in plan.merges if merges.get(merge.name) != merge]
    step(turn, board, Grown(spec=wanted, chunks=len(plan.chunks), merges=len(more)))
    turn.tell(board.task.task_id, "grown", chunks=len(plan.chunks))
    lay_out(turn, board, more)
    fill(turn, board)


def on_exported(turn: Turn, event: Exported) -> None:
    """A result is where the user wants it."""
    kind, task_id, name = event.key.split("/", 2)
    board = turn.state.boards[TaskId(task_id)]
    if kind in ("preview", "exhibit"):
        turn.tell(task_id, kind, path=event.path)
        return
    board.exported[name] = event.path
    turn.tell(task_id, "exported", path=event.path)
    step(turn, board, event)
    _finish(turn, board)


def _finish(turn: Turn, board: Board) -> None:
    task, spec = board.task, board.task.spec
    is_last = task.accepted == task.chunks and task.merged == task.merges - 1
    if task.phase is not Phase.OPEN or not board.finishing or not is_last:
        return
    order = [merge.name for merge in turn.plan(task.task_id, spec).merges]
    try:
        with asking(spec.template, "finish"):
            job = IFinishing(turn.template(spec.template)).finish(spec, [board.results[name] for name in order])
            if job is None:
                raise ValueError("it wanted a last result, and then none")
            job = evolve(job, job_id=stage_id(task.task_id, "finish"), task_id=task.task_id)
    except TemplateFailed as why:
        doom(turn, board, str(why))
        return
    turn.state.errands[job.job_id] = ("merge", f"{task.task_id}/{board.finishing}")
    board.finishing = ""
    turn.ask(Execute(job=job))
