"""What a verifier makes of its one job's report before it looks at what was measured."""

from __future__ import annotations

import msgspec
import pytest

from golem.model.ids import Cid, JobId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Input, Job, Judgement, Verdict
from golem.verification.measured import Measured, examined, measured

SUBTASK = SubtaskId("5" * 32)
RESULT = Cid("b" + "a" * 58)
DELIVERY = Delivery(subtask_id=SUBTASK, result=RESULT, size_bytes=7, report=b"{}", used_ms=1)
SCENE = Input(name="scene", cid=RESULT, size_bytes=9)
WORK = Job(
    job_id=JobId(SUBTASK), task_id=TaskId("7" * 32), template="toy", program="work", params=b'{"a":1}', inputs=(SCENE,)
)


class Length(Measured, frozen=True):
    metres: float = 0.0


LENGTH = msgspec.json.Decoder(Length)


def test_the_job_sees_what_the_work_saw_and_its_result() -> None:
    job = examined(WORK, DELIVERY, "measure", {"b": 2})
    assert (job.program, msgspec.json.decode(job.params)) == ("measure", {"a": 1, "b": 2})
    assert job.inputs == (SCENE, Input(name="result", cid=RESULT, size_bytes=7))
    assert job.job_id != WORK.job_id


def test_what_was_measured_is_the_verifiers_to_judge() -> None:
    assert measured(DELIVERY, (b'{"ok":true,"metres":2.5}',), LENGTH) == Length(ok=True, metres=2.5)


@pytest.mark.parametrize(
    ("delivery", "reports", "judgement", "reason"),
    [
        (msgspec.structs.replace(DELIVERY, result=""), (), Judgement.MALFORMED, "file: none was delivered"),
        (DELIVERY, (b'{"ok":false,"why":"too short"}',), Judgement.MALFORMED, "file: too short"),
        (DELIVERY, (), Judgement.UNSURE, "our own check gave no report"),
        (DELIVERY, (b'{"metres":1}',), Judgement.UNSURE, "our own check gave no report"),
    ],
)
def test_all_else_is_a_verdict_at_once(
    delivery: Delivery, reports: tuple[bytes, ...], judgement: Judgement, reason: str
) -> None:
    verdict = measured(delivery, reports, LENGTH)
    assert isinstance(verdict, Verdict)
    assert verdict.judgement is judgement and verdict.reason.startswith(reason)
