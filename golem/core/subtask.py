"""The requestor's view of one attempt at one chunk.

    ASSIGNED --Delivery--> FETCHING --Fetched--> VERIFYING --Verdict--> ACCEPTED | REJECTED | UNSURE
       |  (no content: straight to VERIFYING)        ^ Executed: a check's report
       |--Failure--> FAILED      |--Failed--> LOST (withheld)
       |--Refusal--> RETURNED
       |--Lapsed--> LOST         ASSIGNED --Cancelled--> CANCELLED
       '--Computed, by ourselves--> ACCEPTED | FAILED

What has been delivered is verified and paid for even if the task is cancelled meanwhile. A delivery that comes after
LOST or CANCELLED is answered by a rejection, reason LATE; it is no offence.
"""

from __future__ import annotations

from enum import Enum

from golem.core.machine import Step, Table
from golem.model.effects import Fetch, Send
from golem.model.events import Executed, Failed, Fetched
from golem.model.ids import NOBODY, Address, NodeId, SubtaskId, TaskId
from golem.model.messages import Cancellation, Delivery, Failure, Place, Reason, Refusal, Rejection
from golem.model.money import Wei, cost
from golem.model.spec import Judgement, Outcome, Status, Verdict
from golem.model.value import Value, evolve


class Phase(Enum):
    """Where an attempt stands."""

    ASSIGNED = "assigned"
    FETCHING = "fetching"
    VERIFYING = "verifying"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNSURE = "unsure"
    FAILED = "failed"
    RETURNED = "returned"
    LOST = "lost"
    CANCELLED = "cancelled"


MAX_REASON = 4096  # characters
LIVE = frozenset({Phase.ASSIGNED, Phase.FETCHING, Phase.VERIFYING})
JUDGED = {
    Judgement.ACCEPT: Phase.ACCEPTED,
    Judgement.UNSURE: Phase.UNSURE,
    Judgement.WRONG: Phase.REJECTED,
    Judgement.MALFORMED: Phase.REJECTED,
}


class Subtask(Value):
    """One attempt. `gateway`: where its provider serves content. `reports`: by check, as they come in.

    `step`: of the verifier's, which is asked now; `salt`: from which its checks were planned, and `care`: how closely
    they look, of 1. `sums`: what had gathered against its provider before (`core.sums`).
    `ahead`: one more than what each slot of its provider has before it. `amount`: owed for it, to `payee`.
    `reason`: how it ended; before that, why it is checked, if for more than that it is here.
    """

    subtask_id: SubtaskId
    task_id: TaskId
    chunk: int
    provider: NodeId
    gateway: Place
    price: Wei
    cap: Wei
    output_bytes: int
    assigned_ms: int
    deadline_ms: int
    ahead: int = 1
    phase: Phase = Phase.ASSIGNED
    delivered_ms: int = 0
    delivery: Delivery | None = None
    step: int = 0
    salt: bytes = b""
    care: float = 1.0
    checks: int = 0
    reports: dict[str, bytes] = {}
    sums: dict[str, float] = {}
    judgement: Judgement | None = None
    amount: Wei = Wei(0)
    payee: Address = NOBODY
    reason: str = ""


def worth(s: Subtask) -> Wei:
    """What a delivered attempt costs: the time the provider says, but no more than it had, and never above the cap."""
    if s.delivery is None:
        raise AssertionError(f"{s.subtask_id} was not delivered")
    used_ms = min(s.delivery.used_ms, s.delivered_ms - s.assigned_ms)
    return Wei(min(s.cap, cost(s.price, used_ms)))


def held(s: Subtask, now_ms: int) -> Wei:
    """What an attempt kept from us: its price for all the time since it was assigned, at most its cap."""
    return Wei(min(s.cap, cost(s.price, max(0, now_ms - s.assigned_ms))))


class Lapsed(Value):
    """The lease is over: the provider vanished, or the deadline passed."""

    reason: str


class Cancelled(Value):
    """The task does not need this attempt any more."""


class Computed(Value):
    """What came of the chunk on our own computer, which does it for nothing: see `core.substitute`."""

    outcome: Outcome
    at_ms: int


class Planned(Value):
    """How many checks the verifier wants."""

    checks: int


def _deliver(s: Subtask, d: Delivery) -> Step[Subtask]:
    if not d.result:
        return Step(evolve(s, phase=Phase.VERIFYING, delivery=d))
    fetch = Fetch(
        key=f"result/{s.subtask_id}",
        task_id=s.task_id,
        cid=d.result,
        sources=(s.gateway,),
        limit_bytes=s.output_bytes,
    )
    return Step(evolve(s, phase=Phase.FETCHING, delivery=d), (fetch,))


def _computed(s: Subtask, e: Computed) -> Step[Subtask]:
    found = e.outcome
    if found.status is not Status.DONE:
        why = f"done by this node itself: {found.status.value}: {found.detail}"
        return Step(evolve(s, phase=Phase.FAILED, reason=why))
    delivery = Delivery(
        subtask_id=s.subtask_id,
        result=found.result,
        size_bytes=found.size_bytes,
        report=found.report,
        used_ms=found.used_ms,
    )
    why = "done by this node itself, as results could not be judged"
    return Step(evolve(s, phase=Phase.ACCEPTED, delivery=delivery, delivered_ms=e.at_ms, reason=why))


def _fail(s: Subtask, f: Failure) -> Step[Subtask]:
    return Step(evolve(s, phase=Phase.FAILED, reason=f.detail))


def _return(s: Subtask, r: Refusal) -> Step[Subtask]:
    return Step(evolve(s, phase=Phase.RETURNED, reason=r.reason.value))


def _lose(s: Subtask, e: Lapsed) -> Step[Subtask]:
    cancel = Send(to=s.provider, message=Cancellation(subtask_id=s.subtask_id))
    return Step(evolve(s, phase=Phase.LOST, reason=e.reason), (cancel,))


def _cancel(s: Subtask, _: Cancelled) -> Step[Subtask]:
    cancel = Send(to=s.provider, message=Cancellation(subtask_id=s.subtask_id))
    return Step(evolve(s, phase=Phase.CANCELLED, reason="cancelled"), (cancel,))


def _have(s: Subtask, _: Fetched) -> Step[Subtask]:
    return Step(evolve(s, phase=Phase.VERIFYING))


def _withheld(s: Subtask, e: Failed) -> Step[Subtask]:
    why = f"result not to be had: {e.detail}"
    reject = Send(to=s.provider, message=Rejection(subtask_id=s.subtask_id, reason=None, evidence=why))
    return Step(evolve(s, phase=Phase.LOST, reason=why), (reject,))


def _plan(s: Subtask, e: Planned) -> Step[Subtask]:
    return Step(evolve(s, checks=e.checks))


def _report(s: Subtask, e: Executed) -> Step[Subtask]:
    return Step(evolve(s, reports={**s.reports, e.key: e.outcome.report}))


def _judge(s: Subtask, v: Verdict) -> Step[Subtask]:
    reason = "; ".join(part for part in (v.reason, s.reason) if part)[:MAX_REASON]
    judged = evolve(s, phase=JUDGED[v.judgement], judgement=v.judgement, reason=reason)
    if judged.phase is Phase.ACCEPTED:
        return Step(judged)
    rejection = Rejection(subtask_id=s.subtask_id, reason=None, evidence=v.reason)
    return Step(judged, (Send(to=s.provider, message=rejection),))


def _late(s: Subtask, _: Delivery) -> Step[Subtask]:
    late = Rejection(subtask_id=s.subtask_id, reason=Reason.LATE, evidence=s.reason)
    return Step(s, (Send(to=s.provider, message=late),))


def _ignore(s: Subtask, _: object) -> Step[Subtask]:
    return Step(s)


TABLE: Table[Subtask] = {
    (Phase.ASSIGNED, Delivery): _deliver,
    (Phase.ASSIGNED, Computed): _computed,
    (Phase.ASSIGNED, Failure): _fail,
    (Phase.ASSIGNED, Refusal): _return,
    (Phase.ASSIGNED, Lapsed): _lose,
    (Phase.ASSIGNED, Cancelled): _cancel,
    (Phase.FETCHING, Fetched): _have,
    (Phase.FETCHING, Failed): _withheld,
    (Phase.VERIFYING, Planned): _plan,
    (Phase.VERIFYING, Executed): _report,
    (Phase.VERIFYING, Verdict): _judge,
    (Phase.LOST, Delivery): _late,
    (Phase.CANCELLED, Delivery): _late,
    (Phase.LOST, Failure): _ignore,
    (Phase.CANCELLED, Failure): _ignore,
    (Phase.LOST, Refusal): _ignore,
    (Phase.CANCELLED, Refusal): _ignore,
}
