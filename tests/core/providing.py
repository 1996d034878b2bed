"""A provider with work, as its tests begin."""

from __future__ import annotations

from golem.core.reputation import DAY_MS
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Observe
from golem.model.ids import JobId, SubtaskId, TaskId, derive
from golem.model.messages import (
    Acceptance,
    Assignment,
    Demand,
)
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Job, Limits, Outcome, Status
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo

TASK = TaskId("7" * 32)
PRICE = Wei(3_600_000)  # wei per hour: one a millisecond
TERMS = Settings(provide=True, templates=("toy",), min_price=PRICE, max_exposure=Wei(50_000), payment_window_ms=DAY_MS)
DONE = Outcome(status=Status.DONE, used_ms=1_000)


def demand(requestor: str = "alice", **changes: object) -> Demand:
    plain = Demand(
        task_id=TASK,
        requestor=FixedKeyring(requestor).node_id,
        address=f"{requestor}:1",
        template="toy",
        environment="toy-1",
        max_price=PRICE,
        limits=Limits(),
        chunks=4,
        expires_ms=BEGIN_MS + 600_000,
    )
    return evolve(plain, **changes)


def assignment(number: int = 0, **changes: object) -> Assignment:
    subtask = SubtaskId(derive("s", number))
    job = Job(job_id=JobId(subtask), task_id=TASK, template="toy", program="work", params=b"{}")
    plain = Assignment(subtask_id=subtask, price=PRICE, cap=Wei(10_000), deadline_ms=BEGIN_MS + 60_000, job=job)
    return evolve(plain, **changes)


def provider_near(terms: Settings = TERMS) -> Solo:
    """One that has a session with alice."""
    me = Solo(terms)
    me.meet("alice")
    return me


def hired(terms: Settings = TERMS) -> Solo:
    """One whose offer stands with alice."""
    me = provider_near(terms)
    me.hear("alice", demand())
    return me


def works(me: Solo, number: int = 0, cumulative: int = 1_000, due_ms: int = BEGIN_MS + DAY_MS) -> None:
    """Do one subtask and have it accepted for 1000 wei."""
    me.hear("alice", assignment(number))
    me.post(e.Executed(key=assignment(number).subtask_id, outcome=DONE))
    me.hear(
        "alice",
        acceptance(number, cumulative, due_ms),
    )


def acceptance(number: int, cumulative: int, due_ms: int) -> Acceptance:
    """What alice promises to pay us."""
    return Acceptance(
        subtask_id=assignment(number).subtask_id,
        amount=Wei(1_000),
        cumulative=Wei(cumulative),
        due_ms=due_ms,
        payer=FixedKeyring("alice").account,
        payee=FixedKeyring("me").account,
    )


def sees(me: Solo, paid: int, after_ms: int = 0) -> None:
    """Look at the chain, which shows all that alice has ever paid."""
    me.post(e.TimerFired(name="observe"), after_ms)
    payers = me.one(Observe).payers
    sighting = Sighting(block=1, block_ms=me.now_ms, funds=Funds(), paid=dict.fromkeys(payers, Wei(paid)))
    me.post(e.Observed(key="income", sighting=sighting))
