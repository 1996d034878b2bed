"""Checks of results: few at once, each with an end, whatever becomes of them; and all of it outlives a restart."""

from __future__ import annotations

import pytest

from golem.core import board, reports
from golem.core.node import Core
from golem.core.reputation import Role
from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Execute, SetTimer, Stop
from golem.model.ids import Cid, JobId, SubtaskId, TaskId
from golem.model.messages import Acceptance, Assignment, Delivery, Offer, Rejection
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Limits, Outcome, Status, TaskSpec
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, Toy
from golem.wire.codec import Decoder, encode

TASK = TaskId("7" * 32)
BUDGET = Wei(10**9)
BOB = FixedKeyring("bob").node_id
LIMIT_MS = 60_000
DONE = Outcome(status=Status.DONE)


def hiring(template: Toy, slots: int = 4, task: TaskId = TASK, me: Solo | None = None) -> Solo:
    """A requestor with one slot of its own, for whose task bob works."""
    me = me or Solo(Settings(verification_ms=LIMIT_MS), template)
    spec = TaskSpec(
        template="toy",
        params=b"{}",
        budget=BUDGET,
        max_price=Wei(3_600),
        output="/out",
        limits=Limits(timeout_ms=10_000),
    )
    me.post(e.TaskSubmitted(task_id=task, spec=spec))
    funds = Funds(free=Wei(10 * BUDGET), wallet=Wei(10**17))
    me.post(e.Observed(key=f"funds/{task}", sighting=Sighting(block=1, block_ms=0, funds=funds)))
    me.meet("bob")
    me.hear("bob", Offer(task_id=task, price=Wei(3_600), slots=slots, capability=CAPABILITY))
    me.post(e.TimerFired(name=f"offers/{task}"))
    return me


def assigned(me: Solo) -> list[SubtaskId]:
    return [message.subtask_id for message in me.said(Assignment)]


def deliver(me: Solo, subtask: SubtaskId, after_ms: int = 1_000) -> list[JobId]:
    """The checks that its delivery begins."""
    delivery = Delivery(subtask_id=subtask, result=Cid(""), size_bytes=0, report=b"{}", used_ms=1_000)
    me.hear("bob", delivery, after_ms)
    return [effect.job.job_id for effect in me.asked if isinstance(effect, Execute)]


def test_no_more_results_are_checked_at_once_than_have_room_and_the_others_follow() -> None:
    me = hiring(Toy(chunks=4, checks=1))
    jobs = [deliver(me, subtask) for subtask in assigned(me)]
    assert [len(job) for job in jobs] == [1, 1, 0, 0], "two per slot"
    assert len(me.state.checking) == len(me.state.to_check) == 2
    me.post(e.Executed(key=jobs[0][0], outcome=DONE))
    assert len(me.said(Acceptance)) == 1
    follows = me.one(Execute).job.job_id
    me.post(e.Executed(key=follows, outcome=DONE))
    assert len(me.state.checking) == 2 and not me.state.to_check


def test_a_check_that_hangs_ends_with_its_name_blames_nobody_and_the_chunk_is_done_again() -> None:
    me = hiring(Toy(chunks=1, checks=3))
    (subtask,) = assigned(me)
    jobs = deliver(me, subtask)
    assert me.one(SetTimer) == SetTimer(name=f"lease/{subtask}", at_ms=me.now_ms + LIMIT_MS)
    me.post(e.Executed(key=jobs[1], outcome=DONE))
    me.post(e.TimerFired(name=f"lease/{subtask}"), after_ms=LIMIT_MS)
    why = "the template toy: check 1, 3 of 3 did not end within 60 s"
    assert me.one_said(Rejection).evidence == me.state.subtasks[subtask].reason == why
    assert me.state.subtasks[subtask].phase is Attempt.UNSURE
    assert [effect.job_id for effect in me.asked if isinstance(effect, Stop)] == [jobs[0], jobs[2]]
    assert len(assigned(me)) == 1 and me.trust("bob", Role.PROVIDER) == 0.5
    assert me.post(e.Executed(key=jobs[0], outcome=Outcome(status=Status.STOPPED))) == [], "nobody waits for it"
    assert not me.state.errands.keys() - {jobs[2]}


@pytest.mark.parametrize("status", [Status.FAULT, Status.ERROR, Status.TIMEOUT])
def test_a_check_that_fails_is_our_own_fault_and_is_not_judged(status: Status) -> None:
    toy = Toy(chunks=1, checks=2)
    me = hiring(toy)
    (subtask,) = assigned(me)
    first, second = deliver(me, subtask)
    me.post(e.Executed(key=second, outcome=Outcome(status=status, detail="no disk")))
    assert me.state.subtasks[subtask].reason == f"the template toy: check 2 of 2 failed here: {status.value}: no disk"
    assert toy.judged == [] and me.one(Stop).job_id == first
    assert me.state.standings == {} and len(assigned(me)) == 1


def test_a_check_that_the_computer_breaks_down_under_is_our_own_fault() -> None:
    me = hiring(Toy(chunks=1, checks=1))
    (subtask,) = assigned(me)
    (job,) = deliver(me, subtask)
    me.post(e.Failed(key=job, fault="RuntimeError", detail="broken"))
    assert me.state.subtasks[subtask].reason.endswith("check 1 of 1 failed here: fault: broken")


def test_a_lapse_that_comes_early_or_after_the_verdict_changes_nothing() -> None:
    me = hiring(Toy(chunks=2, checks=1))
    subtask = assigned(me)[0]
    (job,) = deliver(me, subtask)
    assert me.post(e.TimerFired(name=f"lease/{subtask}"), after_ms=LIMIT_MS - 1) == [], "its time was given anew"
    me.post(e.Executed(key=job, outcome=DONE))
    assert me.post(e.TimerFired(name=f"lease/{subtask}"), after_ms=LIMIT_MS) == []


def test_a_result_that_waits_for_its_check_does_so_however_long_it_takes() -> None:
    me = hiring(Toy(chunks=4, checks=1))
    given = assigned(me)
    for subtask in given[:3]:
        deliver(me, subtask)
    assert me.post(e.TimerFired(name=f"lease/{given[2]}"), after_ms=100 * LIMIT_MS) == []
    assert me.state.subtasks[given[2]].phase is Attempt.VERIFYING


def test_checks_under_way_and_waiting_outlive_a_restart_with_their_whole_time() -> None:
    toy = Toy(chunks=4, checks=1)
    me = hiring(toy)
    jobs = [deliver(me, subtask) for subtask in assigned(me)]
    started = me.state.started
    assert started is not None
    decoder: Decoder[NodeState] = Decoder(NodeState)
    me.core = Core(decoder.decode(encode(me.state)), toy.policies())
    me.state = me.core.state
    me.post(started, after_ms=10 * LIMIT_MS)
    timers = {effect.name: effect.at_ms for effect in me.asked if isinstance(effect, SetTimer)}
    assert [timers[f"lease/{subtask}"] for subtask in me.state.checking] == [me.now_ms + LIMIT_MS] * 2
    me.post(e.Executed(key=jobs[0][0], outcome=DONE))
    assert me.said(Acceptance) and me.one(Execute)


def test_with_many_results_waiting_no_work_is_given_out_until_there_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (board, reports):
        monkeypatch.setattr(module, "MAX_WAITING", 1)
    me = hiring(Toy(chunks=8, checks=1), slots=3)
    jobs = []
    for subtask in assigned(me):
        jobs.append(deliver(me, subtask))
        given = assigned(me)
    assert [len(job) for job in jobs] == [1, 1, 0, 0, 0, 0] and not given
    for waiting in list(me.state.to_check)[1:]:
        del me.state.to_check[waiting]
    me.post(e.Executed(key=jobs[0][0], outcome=DONE))
    assert me.one(Execute) and assigned(me)
