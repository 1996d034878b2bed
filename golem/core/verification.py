"""From a delivery to its verdict: fetch, plan, judge.

It always ends: fetching and every check are bounded by their own limits, and all checks of a result by a time
(`core.checking`). A check that fails or hangs, or a template that breaks, makes the verdict UNSURE, which harms nobody
and has the chunk done again.
"""

from __future__ import annotations

from collections.abc import Sequence

from golem.core import checking, sampling
from golem.core.board import MAX_WAITING, fill, leave
from golem.core.consequences import accept, ended, reject
from golem.core.machine import advance
from golem.core.subtask import TABLE, Phase, Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.model.events import Executed
from golem.model.ids import NodeId, SubtaskId, check_id
from golem.model.spec import Job, Judgement, Status, Verdict
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
        _arrived(turn, board, new)
    elif new.phase in ENDED_BADLY:
        ended(turn, board, new)
    _look(turn, board, new.provider)


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


def _arrived(turn: Turn, board: Board, subtask: Subtask) -> None:
    if sampling.may_wait(turn, board, subtask, turn.plan(board.task.task_id, board.task.spec).verifier):
        sampling.hold(turn, board, subtask)
    else:
        _verify(turn, board, subtask)


def _look(turn: Turn, board: Board, provider: NodeId) -> None:
    """Check one of the results that wait for another of their provider's, if none comes by itself."""
    if sampling.is_time(turn, board, provider):
        _verify(turn, board, turn.state.subtasks[sampling.take_one(turn, board, provider)])


def _work(turn: Turn, board: Board, subtask: Subtask) -> Job:
    spec = board.task.spec
    chunk = turn.plan(board.task.task_id, spec).chunks[subtask.chunk]
    return turn.template(spec.template).job(spec, chunk, subtask.subtask_id, subtask.provider)


def _verify(turn: Turn, board: Board, subtask: Subtask) -> None:
    jobs = _plan(turn, board, subtask)
    if isinstance(jobs, Verdict):
        _decide(turn, board, subtask, jobs)
    elif not jobs:
        _judge(turn, board, subtask, ())
    elif checking.has_room(turn):
        checking.begin(turn, subtask, jobs)
    else:
        checking.queue(turn, subtask)  # its checks are planned anew then, by another chance


def _plan(turn: Turn, board: Board, subtask: Subtask) -> Sequence[Job] | Verdict:
    """The checks that the template wants, or the verdict where it breaks."""
    plan = turn.plan(board.task.task_id, board.task.spec)
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is verified without a delivery")
    work = _work(turn, board, subtask)
    try:
        jobs = plan.verifier.plan(plan.chunks[subtask.chunk], work, subtask.delivery, turn.salt)
    except Exception as why:  # noqa: BLE001 - a template's fault is named, and blamed on nobody else
        return _unsure(board, f"its plan failed: {why!r}")
    if len(jobs) > MAX_CHECKS:
        return _unsure(board, f"it plans {len(jobs)} checks of one result, at most {MAX_CHECKS}")
    return jobs


def on_check(turn: Turn, subtask_id: SubtaskId, event: Executed) -> None:
    """A check has ended; after the last one, judge."""
    subtask = turn.state.subtasks[subtask_id]
    if subtask.phase is not Phase.VERIFYING:
        return  # it was judged without this one
    board = turn.state.boards[subtask.task_id]
    outcome = event.outcome
    if outcome.status is not Status.DONE:
        failed = [index for index, job_id in checking.missing(subtask) if job_id == event.key]
        why = f"{_named(subtask, failed)} failed here: {outcome.status.value}: {outcome.detail}"
        _decide(turn, board, subtask, _unsure(board, why))
    else:
        new, _ = advance(TABLE, subtask, event)
        turn.state.subtasks[subtask_id] = new
        if checking.missing(new):
            return
        reports = tuple(new.reports[check_id(subtask_id, index)] for index in range(new.checks))
        _judge(turn, board, new, reports)
    _go_on(turn)


def overdue(turn: Turn, subtask: Subtask) -> None:
    """The time for a result's checks is over, or the time that it waited for another's."""
    board = turn.state.boards[subtask.task_id]
    if sampling.is_held(board, subtask):
        _verify(turn, board, turn.state.subtasks[sampling.take_one(turn, board, subtask.provider)])
    elif subtask.subtask_id in turn.state.checking:
        _give_up(turn, board, subtask)


def _give_up(turn: Turn, board: Board, subtask: Subtask) -> None:
    hung = [index for index, _ in checking.missing(subtask)]
    limit_s = turn.settings.verification_ms // 1000
    _decide(turn, board, subtask, _unsure(board, f"{_named(subtask, hung)} did not end within {limit_s} s"))
    _go_on(turn)


def _named(subtask: Subtask, indices: Sequence[int]) -> str:
    return f"check {', '.join(str(index + 1) for index in indices)} of {subtask.checks}"


def _go_on(turn: Turn) -> None:
    """There may be room: for results that wait for their check, and for work, where too many of them kept it back."""
    was_full = len(turn.state.to_check) >= MAX_WAITING
    while (subtask_id := checking.next_queued(turn)) is not None:
        subtask = turn.state.subtasks[subtask_id]
        _verify(turn, turn.state.boards[subtask.task_id], subtask)
    if was_full:
        for board in turn.state.boards.values():
            fill(turn, board)


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
    checking.end(turn, subtask)
    new, effects = advance(TABLE, subtask, verdict)
    turn.state.subtasks[new.subtask_id] = new
    turn.ask(*effects)
    if new.phase is Phase.ACCEPTED:
        accept(turn, board, new, verdict)
    else:
        reject(turn, board, new, verdict)
    if verdict.checked:
        _follow(turn, board, new)


def _follow(turn: Turn, board: Board, judged: Subtask) -> None:
    """What a verdict means for its provider's results that waited for it."""
    if judged.phase is Phase.ACCEPTED:
        reason = f"not checked itself: {judged.subtask_id}, drawn from the same provider's, was right"
        right = Verdict(judgement=Judgement.ACCEPT, reason=reason, checked=False)
        for subtask_id in sampling.let_go(board, judged.provider):
            _decide(turn, board, turn.state.subtasks[subtask_id], right)
    elif judged.phase is Phase.REJECTED:
        for other in list(turn.state.boards.values()):
            for subtask_id in sampling.let_go(other, judged.provider):
                _verify(turn, other, turn.state.subtasks[subtask_id])
    _look(turn, board, judged.provider)
