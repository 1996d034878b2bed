"""One attempt, as its requestor sees it."""

from __future__ import annotations

from golem.core.subtask import TABLE, Cancelled, Lapsed, Phase, Planned, Subtask
from golem.model.effects import Fetch, Send
from golem.model.events import Executed, Failed, Fetched
from golem.model.ids import Cid, JobId, NodeId, SubtaskId, TaskId, check_id
from golem.model.messages import Cancellation, Delivery, Failure, Reason, Refusal, Rejection
from golem.model.money import Wei
from golem.model.spec import Judgement, Outcome, Status, Verdict
from golem.testing.playbook import Play

BOB = NodeId("02" + "b" * 64)
SID = SubtaskId("5" * 32)
CID = Cid("b" + "a" * 52)


def attempt(phase: Phase = Phase.ASSIGNED) -> Subtask:
    return Subtask(
        subtask_id=SID,
        task_id=TaskId("a" * 32),
        chunk=3,
        provider=BOB,
        gateway="bob:2",
        price=Wei(7),
        cap=Wei(70),
        output_bytes=1000,
        assigned_ms=0,
        deadline_ms=9,
        phase=phase,
    )


def delivery(result: Cid = CID) -> Delivery:
    return Delivery(subtask_id=SID, result=result, size_bytes=5, report=b"{}", used_ms=1)


FETCH = Fetch(key=f"result/{SID}", task_id=TaskId("a" * 32), cid=CID, sources=("bob:2",), limit_bytes=1000)


def test_a_result_is_fetched_checked_and_accepted() -> None:
    check = check_id(SID, 0)
    play = Play(TABLE, attempt())
    play.hears(delivery()).asks(FETCH).is_now(Phase.FETCHING)
    play.hears(Fetched(key=FETCH.key, size_bytes=5)).asks().is_now(Phase.VERIFYING)
    play.hears(Planned(checks=1)).asks()
    play.hears(Executed(key=check, outcome=Outcome(status=Status.DONE, report=b'{"ok":1}'))).asks()
    assert play.state.reports == {check: b'{"ok":1}'}
    play.hears(Verdict(judgement=Judgement.ACCEPT, reason="fine")).asks().is_now(Phase.ACCEPTED)
    play.refuses(delivery())


def test_a_result_without_content_is_verified_at_once() -> None:
    Play(TABLE, attempt()).hears(delivery(Cid(""))).asks().is_now(Phase.VERIFYING)


def test_a_wrong_result_is_rejected_with_the_evidence() -> None:
    for judgement in (Judgement.WRONG, Judgement.MALFORMED):
        no = Rejection(subtask_id=SID, reason=None, evidence="pixels differ")
        play = Play(TABLE, attempt(Phase.VERIFYING))
        play.hears(Verdict(judgement=judgement, reason="pixels differ")).asks(Send(to=BOB, message=no))
        play.is_now(Phase.REJECTED)


def test_an_unsure_verdict_is_no_rejection_of_the_provider() -> None:
    play = Play(TABLE, attempt(Phase.VERIFYING)).hears(Verdict(judgement=Judgement.UNSURE, reason="the check failed"))
    play.is_now(Phase.UNSURE)


def test_a_check_reports() -> None:
    key = JobId("c" * 32)
    done = Executed(key=key, outcome=Outcome(status=Status.DONE, report=b"fine"))
    assert Play(TABLE, attempt(Phase.VERIFYING)).hears(done).state.reports == {key: b"fine"}


def test_a_provider_that_vanishes_loses_the_lease_and_a_late_result_is_told_so() -> None:
    play = Play(TABLE, attempt()).hears(Lapsed(reason="the provider vanished"))
    play.asks(Send(to=BOB, message=Cancellation(subtask_id=SID))).is_now(Phase.LOST)
    late = Rejection(subtask_id=SID, reason=Reason.LATE, evidence="the provider vanished")
    play.hears(delivery()).asks(Send(to=BOB, message=late)).is_now(Phase.LOST)
    play.hears(Failure(subtask_id=SID, detail="x")).asks()
    play.hears(Refusal(task_id=TaskId("a" * 32), reason=Reason.BUSY, subtask_id=SID)).asks()


def test_a_withheld_result_is_a_lost_attempt() -> None:
    why = "result not to be had: nobody has it"
    no = Rejection(subtask_id=SID, reason=None, evidence=why)
    play = Play(TABLE, attempt(Phase.FETCHING)).hears(Failed(key="k", fault="ContentMissing", detail="nobody has it"))
    play.asks(Send(to=BOB, message=no)).is_now(Phase.LOST)


def test_a_reported_error_and_a_refusal_end_the_attempt() -> None:
    Play(TABLE, attempt()).hears(Failure(subtask_id=SID, detail="no memory")).asks().is_now(Phase.FAILED)
    no = Refusal(task_id=TaskId("a" * 32), reason=Reason.BUSY, subtask_id=SID)
    Play(TABLE, attempt()).hears(no).asks().is_now(Phase.RETURNED)


def test_cancelling_stops_the_provider_but_not_what_is_delivered() -> None:
    play = Play(TABLE, attempt()).hears(Cancelled())
    play.asks(Send(to=BOB, message=Cancellation(subtask_id=SID))).is_now(Phase.CANCELLED)
    Play(TABLE, attempt(Phase.VERIFYING)).refuses(Cancelled())
