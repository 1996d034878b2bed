"""From a delivery to its consequences: fetch, plan, judge; then pay or refuse, remember the deed, go on.

It always ends: fetching and every check are bounded by their own limits, and a check that fails for a reason of ours
makes the verdict UNSURE, which harms nobody and has the chunk done again.
"""

from __future__ import annotations

from golem.core.board import fill, finish, leave, release, requeue, step
from golem.core.ledger import owe
from golem.core.machine import advance
from golem.core.merging import begin_ready
from golem.core.reputation import Deed
from golem.core.settlement import schedule
from golem.core.subtask import TABLE, Phase, Planned, Subtask
from golem.core.task import Board, ChunkAccepted
from golem.core.turn import Turn
from golem.model.effects import Execute, Send
from golem.model.ids import SubtaskId, check_id
from golem.model.messages import Acceptance, Reason
from golem.model.money import Wei, cost
from golem.model.spec import Job, Judgement, Verdict
from golem.model.value import evolve

DEEDS = {
    Phase.FAILED: Deed.ERROR,
    Phase.LOST: Deed.TIMEOUT,
}
ENDED_BADLY = frozenset({Phase.FAILED, Phase.LOST, Phase.REJECTED, Phase.UNDECIDED, Phase.RETURNED, Phase.CANCELLED})


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
        _ended(turn, board, new)


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
    jobs = plan.verifier.plan(plan.chunks[subtask.chunk], work, subtask.delivery, turn.salt)
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
    verdict = plan.verifier.judge(plan.chunks[subtask.chunk], _work(turn, board, subtask), subtask.delivery, reports)
    new, effects = advance(TABLE, subtask, verdict)
    turn.state.subtasks[new.subtask_id] = new
    turn.ask(*effects)
    if new.phase is Phase.ACCEPTED:
        _accept(turn, board, new, verdict)
    else:
        _reject(turn, board, new, verdict)


def _accept(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is accepted without a delivery")
    used_ms = min(subtask.delivery.used_ms, subtask.delivered_ms - subtask.assigned_ms)
    amount = Wei(min(subtask.cap, cost(subtask.price, used_ms)))
    release(turn, board, subtask)
    payee = turn.state.peers[subtask.provider].payee
    cumulative = owe(turn.state.ledger, subtask.task_id, payee, amount)
    board.spent = Wei(board.spent + amount)
    board.accepted[subtask.chunk] = subtask.delivery
    turn.state.subtasks[subtask.subtask_id] = evolve(subtask, amount=amount)
    due_ms = turn.now_ms + turn.settings.payment_window_ms
    acceptance = Acceptance(subtask_id=subtask.subtask_id, amount=amount, cumulative=cumulative, due_ms=due_ms)
    turn.ask(Send(to=subtask.provider, message=acceptance))
    turn.note(subtask.provider, Deed.VERIFIED if verdict.checked else Deed.UNCHECKED, amount)
    schedule(turn)
    turn.tell(subtask.task_id, "accepted", subtask=subtask.subtask_id, chunk=subtask.chunk, provider=subtask.provider)
    step(turn, board, ChunkAccepted())
    begin_ready(turn, board, subtask.chunk)
    fill(turn, board)
    finish(turn, board)


def _reject(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    if verdict.judgement is Judgement.WRONG:
        turn.note(subtask.provider, Deed.WRONG, subtask.cap)
        board.agreements.pop(subtask.provider, None)
        board.offers.pop(subtask.provider, None)
        turn.refuse(subtask.task_id, Reason.QUARANTINE)
    elif verdict.judgement is Judgement.MALFORMED:
        turn.note(subtask.provider, Deed.MALFORMED, subtask.cap)
    _ended(turn, board, subtask)


def _ended(turn: Turn, board: Board, subtask: Subtask) -> None:
    """The attempt came to nothing: remember why, and have the chunk done again."""
    if deed := DEEDS.get(subtask.phase):
        turn.note(subtask.provider, deed, subtask.cap)
    turn.tell(
        subtask.task_id,
        subtask.phase.value,
        subtask=subtask.subtask_id,
        chunk=subtask.chunk,
        provider=subtask.provider,
        reason=subtask.reason,
    )
    release(turn, board, subtask)
    if subtask.phase is Phase.RETURNED and (agreement := board.agreements.get(subtask.provider)):
        if not agreement.live:
            board.agreements.pop(subtask.provider)
            board.offers.pop(subtask.provider, None)
    if subtask.phase is not Phase.CANCELLED:
        requeue(turn, board, subtask, is_his_fault=subtask.phase is not Phase.RETURNED)
    fill(turn, board)
    finish(turn, board)
