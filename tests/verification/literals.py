"""What the tests of strategies give to them."""

from __future__ import annotations

from collections.abc import Sequence

from golem.interfaces import IVerifier
from golem.model.ids import Cid, JobId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Verdict
from golem.model.value import evolve
from golem.template import to_json
from golem.verification import PartialRecompute

ACCEPT, WRONG, MALFORMED, UNSURE = Judgement.ACCEPT, Judgement.WRONG, Judgement.MALFORMED, Judgement.UNSURE
CHUNK = Chunk(index=3, label="piece 3", params=b"{}")
WORK = Job(job_id=JobId("1" * 32), task_id=TaskId(""), template="toy", program="work", params=b"{}")
SALT = b"s" * 16


def delivered(report: bytes = b"[]", result: str = "", size: int = 0) -> Delivery:
    return Delivery(subtask_id=SubtaskId("5" * 32), result=Cid(result), size_bytes=size, report=report, used_ms=1)


def judged(verifier: IVerifier, report: bytes, *reports: bytes) -> Verdict:
    return verifier.judge(CHUNK, WORK, delivered(report), reports)


class Says:
    """A verifier that says one thing, after so many jobs."""

    def __init__(self, judgement: Judgement, jobs: int = 0) -> None:
        self.verdict = Verdict(judgement=judgement, reason=judgement.value)
        self.jobs = jobs
        self.heard: list[Sequence[bytes]] = []

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        return [work] * self.jobs

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        self.heard.append(reports)
        return self.verdict


def narrowed(work: Job, items: Sequence[int]) -> Job:
    return evolve(work, program="again", params=to_json({"items": items}))


def squares(count: int = 10, **same: object) -> PartialRecompute:
    return PartialRecompute(lambda chunk: 10, narrowed, count, **same)  # type: ignore[arg-type]  # one keyword
