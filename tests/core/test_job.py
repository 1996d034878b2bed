"""One attempt, as its provider sees it."""

from __future__ import annotations

from golem.core.job import TABLE, Phase, Settled, Work, begin
from golem.model.effects import Execute, Fetch, Send, Stop
from golem.model.events import Executed, Failed, Fetched
from golem.model.ids import Cid, JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Acceptance, Assignment, Cancellation, Delivery, Failure, Rejection
from golem.model.money import Wei
from golem.model.spec import Input, Job, Outcome, Status
from golem.testing.playbook import Play

ALICE = NodeId("02" + "a" * 64)
SID = SubtaskId("5" * 32)
CID = Cid("b" + "a" * 52)


def assignment(inputs: int = 1) -> Assignment:
    job = Job(
        job_id=JobId(SID),
        task_id=TaskId("a" * 32),
        template="t",
        program="p",
        params=b"{}",
        inputs=tuple(Input(name=f"i{n}", cid=CID, size_bytes=9) for n in range(inputs)),
    )
    return Assignment(subtask_id=SID, price=Wei(1), cap=Wei(9), deadline_ms=99, job=job)


def work(phase: Phase) -> Work:
    return Work(subtask_id=SID, requestor=ALICE, assignment=assignment(), since_ms=0, phase=phase, missing=1)


def done(status: Status = Status.DONE) -> Executed:
    outcome = Outcome(status=status, result=CID, size_bytes=3, used_ms=8, detail="d", log="l")
    return Executed(key=SID, outcome=outcome)


def test_all_inputs_are_fetched_before_anything_is_computed() -> None:
    state, effects = begin(ALICE, assignment(2), ("alice:2",), 0)
    assert [type(effect) for effect in effects] == [Fetch, Fetch]
    play = Play(TABLE, state)
    play.hears(Fetched(key="k", size_bytes=9)).asks().is_now(Phase.FETCHING)
    play.hears(Fetched(key="k", size_bytes=9)).asks(Execute(job=assignment(2).job)).is_now(Phase.COMPUTING)


def test_work_without_inputs_is_computed_at_once() -> None:
    state, effects = begin(ALICE, assignment(0), ("alice:2",), 0)
    assert state.phase is Phase.COMPUTING
    assert effects == (Execute(job=assignment(0).job),)


def test_a_result_is_delivered_accepted_and_paid() -> None:
    play = Play(TABLE, work(Phase.COMPUTING)).hears(done())
    delivery = Delivery(subtask_id=SID, result=CID, size_bytes=3, report=b"{}", used_ms=8)
    play.asks(Send(to=ALICE, message=delivery)).is_now(Phase.DELIVERED)
    play.hears(Acceptance(subtask_id=SID, amount=Wei(4), cumulative=Wei(40), due_ms=7)).asks().is_now(Phase.ACCEPTED)
    assert (play.state.amount, play.state.cumulative, play.state.due_ms) == (4, 40, 7)
    play.hears(Settled(at_ms=5)).asks().is_now(Phase.PAID)
    play.refuses(Settled(at_ms=6))


def test_a_failed_job_and_a_missing_input_are_reported_in_time() -> None:
    play = Play(TABLE, work(Phase.COMPUTING)).hears(done(Status.TIMEOUT))
    play.asks(
        Send(to=ALICE, message=Failure(subtask_id=SID, detail="time-out: d".replace("time-out", "timeout"), log="l"))
    )
    play.is_now(Phase.FAILED).hears(Cancellation(subtask_id=SID)).asks()
    play = Play(TABLE, work(Phase.FETCHING)).hears(Failed(key="k", fault="f", detail="nobody has it"))
    play.asks(Send(to=ALICE, message=Failure(subtask_id=SID, detail="input not to be had: nobody has it")))


def test_a_cancelled_job_is_stopped_and_its_outcome_ignored() -> None:
    play = Play(TABLE, work(Phase.COMPUTING)).hears(Cancellation(subtask_id=SID))
    play.asks(Stop(job_id=JobId(SID))).is_now(Phase.CANCELLED)
    play.hears(done(Status.STOPPED)).asks().is_now(Phase.CANCELLED)


def test_a_rejection_keeps_its_reason() -> None:
    play = Play(TABLE, work(Phase.DELIVERED)).hears(Rejection(subtask_id=SID, reason=None, evidence="crop 3 differs"))
    play.asks().is_now(Phase.REJECTED)
    assert play.state.reason == "crop 3 differs"
