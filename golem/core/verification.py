"""From a delivery to its verdict: fetch, plan, judge.

It always ends: fetching and every check are bounded by their own limits, and a check that fails for a reason of ours,
or a template that breaks, makes the verdict UNSURE, which harms nobody and has the chunk done again.
"""

from __future__ import annotations

from collections.abc import Sequence

from golem.core.board import fill, leave
from golem.core.consequences import accept, ended, reject
from golem.core.machine import advance
from golem.core.subtask import TABLE, Phase, Planned, Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.model.effects import Execute
from golem.model.ids import SubtaskId, check_id
from golem.model.spec import Job, Judgement, Verdict
from golem.model.value import evolve

MAX_CHECKS = 64  # of one result: templates plan a handful, and each is a job of ours
MAX_REASON = 200  # characters of a template's failure that are kept
ENDED_BADLY = frozenset({Phase.FAILED, Phase.LOST, Phase.RETURNED})


def take(turn: Turn, subtask: Subtask, event: object) -> None:
    """Advance an attempt by an event, and see to what follows from where it stands then."""
    board = turn.state.boards[subtask.task_id]
    new, effects = advance(TABLE, subtask, event)
    turn.state.subtasks[subtask.subtask_id] = new
    turn.ask(*effects)
    if new.phase is subtask.phase:
        return
    if subtask.phase is Phase.ASSIGNED and new.phase in (Phase.FETCHING, Phase.VERIFYING):
        new = _delivered(turn, board, new)
    if new.phase is Phase.VERIFYING:
        _verify(turn, board, new)
    elif new.phase in ENDED_BADLY:
        ended(turn, board, new)


def _delivered(turn: Turn, board: Board, subtask: Subtask) -> Subtask:
    """The provider's clock stops; it is free for its next subtask, which goes out in this same turn."""
    new = evolve(subtask, delivered_ms=turn.now_ms)
    turn.state.subtasks[new.subtask_id] = new
    if agreement := board.agreements.get(new.provider):
        took = (turn.now_ms - new.assigned_ms) / max(1, len(agreement.live))
        agreement.pace_ms = took if not agreement.pace_ms else 0.8 * agreement.pace_ms + 0.2 * took
    leave(board, new)
    fill(turn, board)
    return new


def _work(turn: Turn, board: Board, subtask: Subtask) -> Job:
    spec = board.task.spec
    chunk = turn.plan(board.task.task_id, spec).chunks[subtask.chunk]
    return turn.template(spec.template).job(spec, chunk, subtask.subtask_id, subtask.provider)


def _verify(turn: Turn, board: Board, subtask: Subtask) -> None:
    plan = turn.plan(board.task.task_id, board.task.spec)
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is verified without a delivery")
    work = _work(turn, board, subtask)
    jobs: Sequence[Job] = ()
    try:
        jobs = plan.verifier.plan(plan.chunks[subtask.chunk], work, subtask.delivery, turn.salt)
    except Exception as why:  # noqa: BLE001 - a template's fault is named, and blamed on nobody else
        _decide(turn, board, subtask, _unsure(board, f"its plan failed: {why!r}"))
        return
    if len(jobs) > MAX_CHECKS:
        _decide(
            turn, board, subtask, _unsure(board, f"it plans {len(jobs)} checks of one result, at most {MAX_CHECKS}")
        )
        return
    if not jobs:
        _judge(turn, board, subtask, ())
        return
    turn.state.subtasks[subtask.subtask_id], _ = advance(TABLE, subtask, Planned(checks=len(jobs)))
    for index, job in enumerate(jobs):
        job_id = check_id(subtask.subtask_id, index)
        turn.state.errands[job_id] = ("check", subtask.subtask_id)
        turn.ask(Execute(job=evolve(job, job_id=job_id, task_id=subtask.task_id)))


def on_check(turn: Turn, subtask_id: SubtaskId, event: object) -> None:
    """A check has ended; after the last one, judge."""
    subtask = turn.state.subtasks[subtask_id]
    board = turn.state.boards[subtask.task_id]
    new, effects = advance(TABLE, subtask, event)
    turn.state.subtasks[subtask_id] = new
    turn.ask(*effects)
    if len(new.reports) == new.checks:
        _judge(turn, board, new, tuple(new.reports[check_id(subtask_id, index)] for index in range(new.checks)))


def _judge(turn: Turn, board: Board, subtask: Subtask, reports: tuple[bytes, ...]) -> None:
    plan = turn.plan(board.task.task_id, board.task.spec)
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is judged without a delivery")
    work = _work(turn, board, subtask)
    try:
        verdict = plan.verifier.judge(plan.chunks[subtask.chunk], work, subtask.delivery, reports)
    except Exception as why:  # noqa: BLE001 - a template's fault is named, and blamed on nobody else
        verdict = _unsure(board, f"its judgement failed: {why!r}")
    _decide(turn, board, subtask, verdict)


def _unsure(board: Board, fault: str) -> Verdict:
    """The verdict where the template itself is at fault."""
    return Verdict(judgement=Judgement.UNSURE, reason=f"the template {board.task.spec.template}: {fault}"[:MAX_REASON])


def _decide(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    new, effects = advance(TABLE, subtask, verdict)
    turn.state.subtasks[new.subtask_id] = new
    turn.ask(*effects)
    if new.phase is Phase.ACCEPTED:
        accept(turn, board, new, verdict)
    else:
        reject(turn, board, new, verdict)
