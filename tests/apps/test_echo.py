"""The echo template and its programs, played through without a node."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from zope.interface.verify import verifyObject

from apps.echo import template
from apps.echo.job import echo, merge
from golem.errors import BadParameters
from golem.interfaces import ITaskTemplate, IVerifier
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import Chunk, Job, Judgement, TaskSpec

SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)


def spec(**params: str) -> TaskSpec:
    return TaskSpec(template="echo", params=template.parse(params), budget=Wei(0), max_price=Wei(0), output="")


def work(task: TaskSpec, chunk: Chunk) -> Job:
    return template.job(task, chunk, SUBTASK, PROVIDER)


def delivered(report: object) -> Delivery:
    data = report if isinstance(report, bytes) else msgspec.json.encode(report)
    return Delivery(subtask_id=SUBTASK, result=Cid(""), size_bytes=0, report=data, used_ms=1)


def answered(job: Job) -> Delivery:
    return delivered(echo.run(msgspec.json.decode(job.params), "", ""))


def test_it_keeps_the_interfaces() -> None:
    assert verifyObject(ITaskTemplate, template)
    assert verifyObject(IVerifier, template.verifier(spec()))


def test_an_honest_answer_is_accepted() -> None:
    task = spec(count="3", text="grüße", spin="5")
    verifier = template.verifier(task)
    for chunk in template.split(task):
        job = work(task, chunk)
        assert verifier.plan(chunk, job, answered(job), b"") == ()
        assert verifier.judge(chunk, job, answered(job), ()).judgement is Judgement.ACCEPT


def test_another_chunks_answer_is_wrong_and_the_reason_shows_both() -> None:
    task = spec(count="2")
    first, second = template.split(task)
    verdict = template.verifier(task).judge(first, work(task, first), answered(work(task, second)), ())
    assert verdict.judgement is Judgement.WRONG
    assert verdict.reason.count("echo") == 2


@pytest.mark.parametrize("report", [b"", b"{", b"\xff", b"[" * 4096])
def test_a_report_that_is_no_json_is_malformed(report: bytes) -> None:
    task = spec()
    chunk = template.split(task)[0]
    verdict = template.verifier(task).judge(chunk, work(task, chunk), delivered(report), ())
    assert verdict.judgement is Judgement.MALFORMED


@pytest.mark.parametrize("report", [{}, {"echo": None}, [], "x", {"echo": "0" * 64}, {"echo": "x" * 4000}])
def test_a_report_that_says_something_else_is_wrong(report: object) -> None:
    task = spec()
    chunk = template.split(task)[0]
    verdict = template.verifier(task).judge(chunk, work(task, chunk), delivered(report), ())
    assert verdict.judgement is Judgement.WRONG


def test_ten_thousand_answers_are_merged_into_one_list(tmp_path: Path) -> None:
    task = spec(count="10000")
    chunks = template.split(task)
    (whole,) = template.merges(task)
    deliveries = {chunk.index: answered(work(task, chunk)) for chunk in chunks}
    job = template.merge(task, whole, deliveries)
    assert merge.run(msgspec.json.decode(job.params), "", str(tmp_path)) == {"lines": 10_000}
    lines = (tmp_path / "echo.txt").read_text().splitlines()
    assert len(lines) == 10_000
    assert lines[7] == f"8 {msgspec.json.decode(deliveries[7].report)['echo']}"


def test_merging_refuses_answers_of_another_task(tmp_path: Path) -> None:
    task, other = spec(count="2"), spec(count="2", text="other")
    deliveries = {chunk.index: answered(work(other, chunk)) for chunk in template.split(other)}
    job = template.merge(task, template.merges(task)[0], deliveries)
    with pytest.raises(ValueError, match="not those"):
        merge.run(msgspec.json.decode(job.params), "", str(tmp_path))


def test_a_hundred_thousand_chunks_are_made_only_as_they_are_asked_for() -> None:
    chunks = template.split(spec(count="100000"))
    assert len(chunks) == 100_000
    assert (chunks[99_999].index, chunks[-1].label) == (99_999, "line 100000")
    assert [chunk.index for chunk in chunks[3:5]] == [3, 4]
    with pytest.raises(IndexError):
        chunks[100_000]


def test_mistakes_are_told_together() -> None:
    with pytest.raises(BadParameters, match=r"cuont: unknown \(did you mean count\?\); spin: "):
        template.parse({"cuont": "3", "spin": "-1"})
