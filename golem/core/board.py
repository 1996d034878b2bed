"""Keeps an open task moving: hands its chunks out, takes failed ones back, ends it.

A provider has as many subtasks as it offered slots, and one more waiting while there is more work than slots; when
its subtasks are short, so many more that the round trip costs nothing. At the end of a task nobody hoards.
"""

from __future__ import annotations

from collections.abc import Sequence

from golem.core.ledger import FREE, close
from golem.core.machine import advance
from golem.core.market import LEAST_WORK_MS, MAX_QUEUED_PER_SLOT
from golem.core.subtask import TABLE as ATTEMPTS
from golem.core.subtask import Cancelled, Subtask
from golem.core.subtask import Phase as Attempt
from golem.core.task import LIVE, TABLE, Agreement, Board, Doomed, Phase, sharers
from golem.core.turn import Turn
from golem.core.work import job_of
from golem.model.effects import ClearTimer, Release, Send, SetTimer, Stop
from golem.model.ids import JobId, NodeId, SubtaskId, subtask_id
from golem.model.messages import Assignment, Reason, Refusal, Withdrawal
from golem.model.money import Wei, cost, show_ether
from golem.model.spec import Job, Merge

TRANSFER_MS = 120_000  # on top of computing time, for fetching inputs and handing over the result
MAX_WAITING = 1_000  # results that wait for their check; with more, no work is given out
MAX_REFUSED = 1_000  # nodes of one task whose refusal is remembered
SHORT_MS = 1_000  # subtasks shorter than this are queued deeper, up to this much work


def fill(turn: Turn, board: Board) -> None:
    """Assign pending chunks to whoever agreed and has room: every slot first, then the waiting places."""
    if board.task.phase is not Phase.OPEN or len(turn.state.to_check) >= MAX_WAITING:
        return
    for depth in (1, MAX_QUEUED_PER_SLOT):
        for node, agreement in board.agreements.items():
            while board.pending and len(agreement.live) < _room(board, agreement, depth):
                if not _assign_one(turn, board, node, agreement):
                    break


def _room(board: Board, agreement: Agreement, depth: int) -> int:
    slots = 0 if agreement.is_paused else agreement.offer.slots
    if depth == 1 or len(board.pending) < sum(a.offer.slots for a in board.agreements.values()):
        return slots
    waiting = int(SHORT_MS / max(agreement.pace_ms, 1.0)) if agreement.pace_ms else 1
    return slots * min(1 + max(1, waiting), MAX_QUEUED_PER_SLOT)


def _assign_one(turn: Turn, board: Board, node: NodeId, agreement: Agreement) -> bool:
    chunk = _next_chunk(board, node)
    if chunk is None:
        return False
    cap = Wei(min(cost(agreement.offer.price, board.task.spec.limits.timeout_ms), _share(board)))
    if board.pending[-1] == chunk:
        board.pending.pop()  # the usual case, and the cheap one
    else:
        board.pending.remove(chunk)
    assign(turn, board, node, agreement, chunk, cap)
    return True


def _share(board: Board) -> int:
    """How much of the budget is for one pending chunk: never 0, see `requestor.submit`.

    Chunks that are being done count as whole ones, however little they were given out for: somebody else may have to
    do them again, and must find enough left.
    """
    left = board.task.spec.budget - board.spent
    todo = len(board.pending)
    return min(left // (todo + len(board.open)), (left - board.outstanding) // todo)


def _next_chunk(board: Board, node: NodeId) -> int | None:
    """The next chunk that this node has not failed; one it has failed only if nobody else is there to try."""
    if board.copies > 1:
        return next((chunk for chunk in reversed(board.pending) if node not in board.doers.get(chunk, ())), None)
    last = board.pending[-1]
    if last not in board.tried:
        return last
    for chunk in reversed(board.pending):
        tried = board.tried.get(chunk, ())
        if node not in tried or all(n in tried or a.is_paused for n, a in board.agreements.items()):
            return chunk
    return None


def assign(turn: Turn, board: Board, node: NodeId, agreement: Agreement, chunk: int, cap: Wei) -> None:
    """Give a chunk to a provider, for so much at most."""
    task, spec = board.task, board.task.spec
    attempt = board.attempts.get(chunk, 0)
    board.attempts[chunk] = attempt + 1
    sid = subtask_id(task.task_id, chunk, attempt)
    job = job_of(turn, task.task_id, spec, chunk, (sid, node))
    if isinstance(job, str):
        doom(turn, board, job)
        return
    ahead = 1 + len(agreement.live) // agreement.offer.slots
    subtask = Subtask(
        subtask_id=sid,
        task_id=task.task_id,
        chunk=chunk,
        provider=node,
        gateway=turn.gateway(node),
        price=agreement.offer.price,
        cap=cap,
        output_bytes=job.limits.output_bytes,
        assigned_ms=turn.now_ms,
        deadline_ms=turn.now_ms + job.limits.timeout_ms * ahead + TRANSFER_MS,
        ahead=ahead,
    )
    turn.state.subtasks[sid] = subtask
    agreement.live[sid] = board.open[sid] = None
    if board.copies > 1:
        board.doers.setdefault(chunk, []).append(node)
    board.history.append(sid)
    board.outstanding = Wei(board.outstanding + cap)
    assignment = _assignment(turn, board, subtask, job)
    turn.ask(Send(to=node, message=assignment), SetTimer(name=f"lease/{sid}", at_ms=subtask.deadline_ms))
    turn.tell(task.task_id, "assigned", subtask=sid, chunk=chunk, provider=node, attempt=attempt)


def _assignment(turn: Turn, board: Board, subtask: Subtask, job: Job) -> Assignment:
    others = sharers(board, subtask.provider)
    return Assignment(
        subtask_id=subtask.subtask_id,
        price=subtask.price,
        cap=subtask.cap,
        deadline_ms=subtask.deadline_ms,
        job=job,
        sources=tuple(place for other in others if (place := turn.public_gateway(other))),
        ticket=board.task.ticket,
    )


def release(turn: Turn, board: Board, subtask: Subtask) -> None:
    """An attempt is over, whichever way: its place and its part of the budget are free again."""
    turn.ask(ClearTimer(name=f"lease/{subtask.subtask_id}"))
    board.open.pop(subtask.subtask_id, None)
    board.outstanding = Wei(board.outstanding - subtask.cap)
    leave(board, subtask)


def charge(board: Board, subtask: Subtask) -> None:
    """An attempt is accepted: its chunk is done, at this cost."""
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is accepted without a delivery")
    board.spent = Wei(board.spent + subtask.amount)
    board.accepted.setdefault(subtask.chunk, subtask.delivery)


def lay_out(turn: Turn, board: Board, merges: Sequence[Merge]) -> None:
    """Make room for chunks and merges that are new; chunks that are known already stay as they are."""
    plan = turn.plan(board.task.task_id, board.task.spec)
    board.copies = plan.copies
    new = range(len(plan.chunks) - 1, board.laid_out - 1, -1)
    board.pending[:0] = [chunk for chunk in new for _ in range(board.copies)]
    board.laid_out = len(plan.chunks)
    for merge in merges:
        board.missing[merge.name] = sum(index not in board.accepted for index in merge.chunks)


def affords(turn: Turn, board: Board) -> bool:
    """Whether the budget suffices for a little work per chunk; if not, the task is doomed."""
    spec, chunks = board.task.spec, board.task.chunks
    least = cost(spec.max_price, LEAST_WORK_MS) * chunks * board.copies
    if spec.budget < least:
        doom(turn, board, f"budget too small: {chunks} chunks need at least {show_ether(least)} at this price")
    return spec.budget >= least


def has_left(board: Board, chunks: int) -> bool:
    """Whether what is left of the budget suffices for a little work on so many chunks more."""
    left = board.task.spec.budget - board.spent - board.outstanding
    return left >= cost(board.task.spec.max_price, LEAST_WORK_MS) * chunks * board.copies


def leave(board: Board, subtask: Subtask) -> None:
    """The provider is done with this attempt and has room for another."""
    agreement = board.agreements.get(subtask.provider)
    if agreement is not None:
        agreement.live.pop(subtask.subtask_id, None)


def turn_down(board: Board, node: NodeId, reason: Reason) -> None:
    """Remember, for `explain`, whose offer is not taken, or not any more."""
    if node in board.refused or len(board.refused) < MAX_REFUSED:
        board.refused[node] = reason


def dismiss(turn: Turn, board: Board, node: NodeId, reason: Reason) -> None:
    """An agreement is over, and its provider is told: it may offer anew once the task is announced to it again."""
    board.agreements.pop(node, None)
    board.offers.pop(node, None)
    turn_down(board, node, reason)
    turn.ask(Send(to=node, message=Refusal(task_id=board.task.task_id, reason=reason)))


def requeue(turn: Turn, board: Board, subtask: Subtask, *, is_his_fault: bool) -> None:
    """Have a chunk done again, by another if it was this one's fault; too many failures doom the task."""
    if board.task.phase is not Phase.OPEN or not _is_wanted(board, subtask):
        finish(turn, board)
        return
    if is_his_fault:
        tried = board.tried.setdefault(subtask.chunk, [])
        tried.append(subtask.provider)
        if len(tried) >= board.task.spec.max_attempts:
            doom(turn, board, f"chunk {subtask.chunk} failed {len(tried)} times, the last time: {subtask.reason}")
            return
    board.pending.append(subtask.chunk)


def _is_wanted(board: Board, subtask: Subtask) -> bool:
    """Whether a chunk that came to nothing is to be done again: of several copies, not if enough are under way."""
    if board.copies == 1:
        has_other = any(sid in board.open for sid in board.doubled.get(subtask.chunk, ()))
        return subtask.chunk not in board.accepted and not has_other
    chunk, doers = subtask.chunk, board.doers[subtask.chunk]
    doers.remove(subtask.provider)
    under_way = board.pending.count(chunk) + len(doers)
    return chunk not in board.accepted and under_way < board.begun.get(chunk, board.copies)


def doom(turn: Turn, board: Board, reason: str) -> None:
    """The task can't be done; say why."""
    step(turn, board, Doomed(reason=reason))


def step(turn: Turn, board: Board, event: object) -> None:
    """Advance the task itself, and see to its end when this was it."""
    was_live = board.task.phase in LIVE
    board.task, effects = advance(TABLE, board.task, event)
    turn.ask(*effects)
    if was_live and board.task.phase not in LIVE:
        end(turn, board)


def end(turn: Turn, board: Board) -> None:
    """The task is over: withdraw the demand, say so, and give back what of the budget is not needed."""
    task = board.task
    board.finished_ms = turn.now_ms
    board.pending.clear()
    for name in ("offers", "deadline"):
        turn.ask(ClearTimer(name=f"{name}/{task.task_id}"))
    turn.after(0, f"demand/{task.task_id}")  # takes the demand back
    _stop_attempts(turn, board)
    _part(turn, board)
    turn.state.demands.pop(task.task_id, None)
    turn.tell(task.task_id, task.phase.value, reason=task.reason, spent_wei=str(board.spent))
    finish(turn, board)


def _part(turn: Turn, board: Board) -> None:
    """Take leave of whoever agreed: those that got no work hear what others were paid for it."""
    attempts = [turn.state.subtasks[sid] for sid in board.history]
    hired = {subtask.provider for subtask in attempts}
    dearest = Wei(max((s.price for s in attempts if s.phase is Attempt.ACCEPTED), default=0))
    outbid = Refusal(task_id=board.task.task_id, reason=Reason.OUTBID, price=dearest)
    for node in board.agreements:
        is_outbid = dearest and node not in hired
        turn.ask(Send(to=node, message=outbid if is_outbid else Withdrawal(task_id=board.task.task_id)))


def _stop_attempts(turn: Turn, board: Board) -> None:
    """Nobody computes for an ended task; what was delivered is still verified and paid."""
    for sid in list(board.open):
        if turn.state.subtasks[sid].phase is Attempt.ASSIGNED:
            call_off(turn, board, sid)


def call_off(turn: Turn, board: Board, sid: SubtaskId) -> None:
    """An attempt that is not delivered yet is not needed any more; nobody is to blame."""
    subtask = turn.state.subtasks[sid]
    turn.state.subtasks[sid], effects = advance(ATTEMPTS, subtask, Cancelled())
    is_own = subtask.provider == turn.started.node_id
    turn.ask(*((Stop(job_id=JobId(sid)),) if is_own else effects))
    release(turn, board, subtask)


def finish(turn: Turn, board: Board) -> None:
    """Once an ended task has no attempt left that may still be paid: close its account and forget its content."""
    if board.open or board.task.phase in LIVE:
        return
    account = f"task/{board.task.task_id}"
    if account in turn.state.ledger.balances:
        close(turn.state.ledger, account, FREE)
    turn.ask(Release(task_id=board.task.task_id))
    turn.forget_plan(board.task.task_id)
