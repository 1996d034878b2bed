"""A template whose verifier breaks is named; nobody else is harmed, and the task ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import pytest

from golem.core.checking import MAX_CHECKS
from golem.core.reputation import Role
from golem.core.task import Phase
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.ids import NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery, Offer
from golem.model.money import Wei
from golem.model.spec import Chunk, Job, Judgement, Limits, Outcome, Status, TaskSpec, Verdict
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, Toy

TASK = TaskId("7" * 32)
BUDGET = Wei(10**9)
BOB = FixedKeyring("bob").node_id


class Plans(Toy):
    """Its plan breaks."""

    def plan(self, chunk: Chunk, job: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        raise ZeroDivisionError("no tiles")


class PlansNothing(Toy):
    """It forgot to return its plan."""

    def plan(self, chunk: Chunk, job: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        return None  # type: ignore[return-value]  # that is the fault


class PlansForEver(Toy):
    """Its plan has no end."""

    def plan(self, chunk: Chunk, job: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        return repeat(job)  # type: ignore[return-value]  # that is the fault


class PlansWords(Toy):
    """Its plan has no jobs in it."""

    def plan(self, chunk: Chunk, job: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        return ["check it"]  # type: ignore[list-item]  # that is the fault


class JudgesByNothing(Toy):
    """It forgot to return its verdict."""

    def judge(self, chunk: Chunk, job: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        return None  # type: ignore[return-value]  # that is the fault


class JudgesAtLength(Toy):
    """Its reason is longer than any message may be."""

    def judge(self, chunk: Chunk, job: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        return Verdict(judgement=Judgement.WRONG, reason="x" * 5_000)


class Judges(Toy):
    """Its judgement breaks."""

    def judge(self, chunk: Chunk, job: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        raise ZeroDivisionError("no pixels")


def hiring(template: Toy) -> Solo:
    """A requestor whose task bob works on."""
    me = Solo(template=template)
    spec = TaskSpec(
        template="toy",
        params=b"{}",
        budget=BUDGET,
        max_price=Wei(3_600_000),
        output="/out",
        limits=Limits(timeout_ms=10_000),
        max_attempts=2,
    )
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    funds = Funds(free=BUDGET, wallet=Wei(10**17))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=Sighting(block=1, block_ms=0, funds=funds)))
    for name in ("bob", "carol"):
        me.meet(name)
        me.hear(name, Offer(task_id=TASK, price=Wei(3_600_000), slots=1, capability=CAPABILITY))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    return me


def at_hand(me: Solo, provider: NodeId) -> SubtaskId:
    """What a provider was given last."""
    return next(reversed([s for s, subtask in me.state.subtasks.items() if subtask.provider == provider]))


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (Plans(chunks=1), "the template toy: its plan failed: ZeroDivisionError('no tiles')"),
        (Judges(chunks=1), "the template toy: its judgement failed: ZeroDivisionError('no pixels')"),
        (PlansNothing(chunks=1), "the template toy: its plan failed: TypeError("),
        (PlansForEver(chunks=1), f"the template toy: it plans {MAX_CHECKS + 1} checks of one result or more, at most"),
        (PlansWords(chunks=1), "the template toy: its plan failed: TypeError(\"'check it' is no job\")"),
        (JudgesByNothing(chunks=1), "the template toy: its judgement failed: ValidationError("),
        (JudgesAtLength(chunks=1), "the template toy: its judgement failed: ValidationError("),
        (Toy(chunks=1, checks=MAX_CHECKS + 1), f"the template toy: it plans {MAX_CHECKS + 1} checks of one result"),
    ],
)
def test_a_verifier_that_breaks_is_named_and_blames_nobody(template: Toy, why: str) -> None:
    me = hiring(template)
    for name in sorted(("bob", "carol"), key=lambda name: FixedKeyring(name).node_id not in _workers(me)):
        subtask = at_hand(me, FixedKeyring(name).node_id)
        me.hear(name, Delivery(subtask_id=subtask, result="", size_bytes=0, report=b"{}", used_ms=1_000))  # type: ignore[arg-type]  # a Cid
        assert me.state.subtasks[subtask].reason.startswith(why)
        assert me.trust(FixedKeyring(name).node_id, Role.PROVIDER) == 0.5
    board = me.state.boards[TASK]
    assert board.task.phase is Phase.OPEN, "the node does the chunk itself"
    own = at_hand(me, me.turn().started.node_id)
    me.post(e.Executed(key=own, outcome=Outcome(status=Status.DONE)))
    assert board.task.accepted == 1


def _workers(me: Solo) -> set[NodeId]:
    return {subtask.provider for subtask in me.state.subtasks.values()}


def test_as_many_checks_as_are_allowed_are_done() -> None:
    me = hiring(Toy(chunks=1, checks=MAX_CHECKS))
    (provider,) = _workers(me)
    name = "bob" if provider == BOB else "carol"
    me.hear(name, Delivery(subtask_id=at_hand(me, provider), result="", size_bytes=0, report=b"{}", used_ms=1_000))  # type: ignore[arg-type]  # a Cid
    for key in [key for key, (kind, _) in me.state.errands.items() if kind == "check"]:
        me.post(e.Executed(key=key, outcome=Outcome(status=Status.DONE)))
    assert me.state.boards[TASK].task.accepted == 1
