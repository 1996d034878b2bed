"""Before the market opens: a job of the requestor's own looks at the inputs, where the template wants it."""

from __future__ import annotations

from golem.core.asking import asking
from golem.core.board import affords, doom, lay_out, step
from golem.core.hiring import open_market
from golem.core.task import Board, Phase, Prepared
from golem.core.turn import Turn
from golem.errors import BadParameters, TemplateFailed
from golem.interfaces import IPreparing
from golem.model.effects import Execute
from golem.model.events import Executed
from golem.model.ids import TaskId, stage_id
from golem.model.spec import Status
from golem.model.value import evolve


def begin(turn: Turn, board: Board) -> None:
    """The task has its money and its inputs: open the market, or look at the inputs first."""
    if board.task.phase is Phase.OPEN:
        open_market(turn, board)
    elif board.task.phase is Phase.PREPARING:
        spec, task_id = board.task.spec, board.task.task_id
        try:
            with asking(spec.template, "prepare"):
                job = IPreparing(turn.template(spec.template)).prepare(spec)
                job = evolve(job, job_id=stage_id(task_id, "prepare"), task_id=task_id)
        except TemplateFailed as why:
            doom(turn, board, str(why))
            return
        turn.state.errands[job.job_id] = ("prepare", task_id)
        turn.ask(Execute(job=job))


def on_prepared(turn: Turn, task_id: TaskId, event: Executed) -> None:
    """The inputs were looked at: the market opens, or the task ends with what is wrong with them."""
    board = turn.state.boards[task_id]
    if board.task.phase is not Phase.PREPARING:
        return
    outcome, template = event.outcome, IPreparing(turn.template(board.task.spec.template))
    if outcome.status is not Status.DONE:
        doom(turn, board, f"the inputs can't be used: {outcome.detail or outcome.status.value}")
        return
    try:
        with asking(board.task.spec.template, "prepared or estimate"):
            spec = template.prepared(board.task.spec, outcome)
            least, most = template.estimate(spec)
        plan = turn.plan(task_id, spec)
    except (BadParameters, TemplateFailed) as why:
        doom(turn, board, str(why))
        return
    merges = len(plan.merges) + bool(board.finishing)
    step(turn, board, Prepared(spec=spec, chunks=len(plan.chunks), merges=merges))
    turn.tell(task_id, "prepared", chunks=len(plan.chunks), least_ms=least * plan.copies, most_ms=most * plan.copies)
    if affords(turn, board):
        lay_out(turn, board, plan.merges)
        open_market(turn, board)
