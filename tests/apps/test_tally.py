"""The tally template and its programs, played through without a node."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from zope.interface.verify import verifyObject

from apps.tally import template
from apps.tally.job import count, total
from golem.errors import BadParameters
from golem.interfaces import IComparing, ITaskTemplate, IVerifier
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import Job, Judgement, TaskSpec

SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)


def spec(**params: str) -> TaskSpec:
    return TaskSpec(template="tally", params=template.parse(params), budget=Wei(0), max_price=Wei(0), output="")


def ran(job: Job) -> bytes:
    return msgspec.json.encode(count.run(msgspec.json.decode(job.params), "", ""))


def delivered(report: bytes) -> Delivery:
    return Delivery(subtask_id=SUBTASK, result=Cid(""), size_bytes=0, report=report, used_ms=1)


def judged(task: TaskSpec, report: bytes | None = None) -> Judgement:
    """The verdict on the first chunk, checked as planned; honest unless a report is given."""
    chunk = template.split(task)[0]
    work = template.job(task, chunk, SUBTASK, PROVIDER)
    verifier = template.verifier(task)
    delivery = delivered(ran(work) if report is None else report)
    jobs = verifier.plan(chunk, work, delivery, b"salt")
    return verifier.judge(chunk, work, delivery, [ran(job) for job in jobs]).judgement


def test_it_keeps_the_interfaces() -> None:
    assert verifyObject(ITaskTemplate, template)
    assert verifyObject(IVerifier, template.verifier(spec()))
    assert IComparing.providedBy(template.verifier(spec(check="copies")))


@pytest.mark.parametrize("check", ["recount", "copies"])
def test_honest_counts_are_accepted_made_up_ones_are_not(check: str) -> None:
    task = spec(ranges="4", length="50", bits="2", check=check)
    assert judged(task) is Judgement.ACCEPT
    assert judged(task, b"[0,0,0,0]") is Judgement.WRONG
    assert judged(task, b"{") is Judgement.MALFORMED


@pytest.mark.parametrize("report", [b"[1,2]", b'["x",1,2,3]', b"[1.5,1,2,3]"])
def test_a_list_of_another_form_is_malformed_without_counting_again(report: bytes) -> None:
    assert judged(spec(ranges="4"), report) is Judgement.MALFORMED


def test_chunks_add_up_to_the_whole(tmp_path: Path) -> None:
    task = spec(chunks="3", ranges="2", length="100", bits="3")
    jobs = [template.job(task, chunk, SUBTASK, PROVIDER) for chunk in template.split(task)]
    deliveries = {index: delivered(ran(job)) for index, job in enumerate(jobs)}
    job = template.merge(task, template.merges(task)[0], deliveries)
    found = count.count({"first": 0, "items": 1, "length": 600, "bits": 3}, 0)
    assert total.run(msgspec.json.decode(job.params), "", str(tmp_path)) == {"found": found}
    assert (tmp_path / "tally.txt").read_text() == f"{found} of 600 digests begin with 3 zero bits\n"
    assert template.cost_ms(task, template.split(task)[0]) >= 1


def test_a_check_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadParameters, match="none of recount, copies"):
        template.parse({"check": "trust"})
