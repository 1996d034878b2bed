"""The provider's view of one attempt: what was assigned to it, and what it earns.

    FETCHING --Fetched (the last)--> COMPUTING --Executed--> DELIVERED --Acceptance--> ACCEPTED --Settled--> PAID
       |--Failed--> FAILED              |--Executed, no result--> FAILED    |--Rejection--> REJECTED
    FETCHING, COMPUTING --Cancellation, Forsaken--> CANCELLED

A result that is ready is delivered even if the requestor is away: its message waits until it is back.
"""

from __future__ import annotations

from enum import Enum

from golem.core.machine import Step, Table
from golem.model.chain import Voucher
from golem.model.effects import Execute, Fetch, Send, Stop
from golem.model.events import Executed, Failed, Fetched
from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Acceptance, Assignment, Cancellation, Delivery, Failure, Place, Rejection
from golem.model.money import Wei
from golem.model.spec import Status
from golem.model.value import Value, evolve


class Phase(Enum):
    """Where the work stands."""

    FETCHING = "fetching"
    COMPUTING = "computing"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAID = "paid"


LIVE = frozenset({Phase.FETCHING, Phase.COMPUTING})


class Work(Value):
    """One attempt. `missing`: inputs still to come. `cumulative`: the payments that settle it reach this.

    `is_late`: seen unpaid past its due; `is_overdue`: for so long that it counts as not paid.
    """

    subtask_id: SubtaskId
    requestor: NodeId
    assignment: Assignment
    since_ms: int
    phase: Phase = Phase.FETCHING
    missing: int = 0
    used_ms: int = 0
    amount: Wei = Wei(0)
    cumulative: Wei = Wei(0)
    due_ms: int = 0
    voucher: Voucher | None = None
    is_late: bool = False
    is_overdue: bool = False
    reason: str = ""


class Settled(Value):
    """The chain shows that this work is paid, since the block of `at_ms`."""

    at_ms: int


class Forsaken(Value):
    """The requestor is gone for so long that nobody may ever pay for this work."""

    reason: str


def begin(requestor: NodeId, assignment: Assignment, sources: tuple[Place, ...], now_ms: int) -> Step[Work]:
    """Take an assignment: fetch what it needs from these gateways, or compute at once."""
    inputs = assignment.job.inputs
    work = Work(
        subtask_id=assignment.subtask_id,
        requestor=requestor,
        assignment=assignment,
        since_ms=now_ms,
        missing=len(inputs),
    )
    if not inputs:
        return _compute(work)
    keys = [f"input/{work.subtask_id}/{number}" for number in range(len(inputs))]
    return Step(
        work,
        tuple(
            Fetch(key=key, task_id=assignment.job.task_id, cid=i.cid, sources=sources, limit_bytes=i.size_bytes)
            for key, i in zip(keys, inputs, strict=True)
        ),
    )


def _compute(w: Work) -> Step[Work]:
    return Step(evolve(w, phase=Phase.COMPUTING, missing=0), (Execute(job=w.assignment.job),))


def _have(w: Work, _: Fetched) -> Step[Work]:
    return _compute(w) if w.missing == 1 else Step(evolve(w, missing=w.missing - 1))


def _give_up(w: Work, detail: str, log: str = "") -> Step[Work]:
    failure = Failure(subtask_id=w.subtask_id, detail=detail[:4096], log=log[-4096:])
    return Step(evolve(w, phase=Phase.FAILED, reason=detail), (Send(to=w.requestor, message=failure),))


def _no_input(w: Work, e: Failed) -> Step[Work]:
    return _give_up(w, f"input not to be had: {e.detail}")


def _deliver(w: Work, e: Executed) -> Step[Work]:
    outcome = e.outcome
    if outcome.status is not Status.DONE:
        return _give_up(w, f"{outcome.status.value}: {outcome.detail}", outcome.log)
    delivery = Delivery(
        subtask_id=w.subtask_id,
        result=outcome.result,
        size_bytes=outcome.size_bytes,
        report=outcome.report,
        used_ms=outcome.used_ms,
    )
    return Step(
        evolve(w, phase=Phase.DELIVERED, used_ms=outcome.used_ms),
        (Send(to=w.requestor, message=delivery),),
    )


def _cancel(w: Work, _: Cancellation) -> Step[Work]:
    return Step(evolve(w, phase=Phase.CANCELLED, reason="cancelled"), (Stop(job_id=w.assignment.job.job_id),))


def _forsake(w: Work, e: Forsaken) -> Step[Work]:
    failure = Failure(subtask_id=w.subtask_id, detail=e.reason)  # waits for the requestor, should it ever come back
    effects = (Stop(job_id=w.assignment.job.job_id), Send(to=w.requestor, message=failure))
    return Step(evolve(w, phase=Phase.CANCELLED, reason=e.reason), effects)


def _accept(w: Work, a: Acceptance) -> Step[Work]:
    promise = {"amount": a.amount, "cumulative": a.cumulative, "due_ms": a.due_ms, "voucher": a.voucher}
    return Step(evolve(w, phase=Phase.ACCEPTED, **promise))


def _reject(w: Work, r: Rejection) -> Step[Work]:
    reason = r.reason.value if r.reason else r.evidence
    return Step(evolve(w, phase=Phase.REJECTED, reason=reason))


def _settle(w: Work, _: Settled) -> Step[Work]:
    return Step(evolve(w, phase=Phase.PAID))


def _ignore(w: Work, _: object) -> Step[Work]:
    return Step(w)


TABLE: Table[Work] = {
    (Phase.FETCHING, Fetched): _have,
    (Phase.FETCHING, Failed): _no_input,
    (Phase.FETCHING, Cancellation): _cancel,
    (Phase.COMPUTING, Executed): _deliver,
    (Phase.COMPUTING, Cancellation): _cancel,
    (Phase.FETCHING, Forsaken): _forsake,
    (Phase.COMPUTING, Forsaken): _forsake,
    (Phase.DELIVERED, Acceptance): _accept,
    (Phase.DELIVERED, Rejection): _reject,
    (Phase.DELIVERED, Cancellation): _ignore,
    (Phase.ACCEPTED, Settled): _settle,
    # the other side's message was under way when ours ended it
    (Phase.FAILED, Fetched): _ignore,
    (Phase.FAILED, Failed): _ignore,
    (Phase.FAILED, Cancellation): _ignore,
    (Phase.REJECTED, Cancellation): _ignore,
    (Phase.CANCELLED, Fetched): _ignore,
    (Phase.CANCELLED, Failed): _ignore,
    (Phase.CANCELLED, Executed): _ignore,
    (Phase.CANCELLED, Cancellation): _ignore,
    (Phase.CANCELLED, Rejection): _ignore,
}
