"""The fractal template and its programs in WebAssembly, played through without a node."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from apps.fractal import template
from golem.errors import BadParameters
from golem.interfaces import IPreparing, ISampled, ITaskTemplate
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import Job, Judgement, Outcome, Status, TaskSpec, Verdict
from golem.model.value import evolve
from golem.testing.bench import Bench

pytest.importorskip("wasmtime")

SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
SMALL = {"size": "64x48", "iterations": "60"}
STRIPS = {**SMALL, "iterations": "80000", "chunk": "0.1"}


class Stage:
    """One task, its programs' worker, and what is delivered."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(template.programs, folder / "bench", is_wasm=True)

    def spec(self, params: dict[str, str]) -> TaskSpec:
        spec = TaskSpec(template="fractal", params=template.parse(params), budget=Wei(0), max_price=Wei(0), output="")
        return template.prepared(spec, self.run(template.prepare(spec)))

    def run(self, job: Job) -> Outcome:
        outcome = self.bench.run(evolve(job, job_id=JobId(SUBTASK), task_id=TaskId("7" * 32)))
        assert outcome.status is Status.DONE, outcome
        return outcome

    def deliver(self, spec: TaskSpec, index: int = 0) -> Delivery:
        return delivered(self.run(template.job(spec, template.split(spec)[index], SUBTASK, PROVIDER)))

    def judge(self, spec: TaskSpec, delivery: Delivery) -> Verdict:
        """As of a stranger."""
        chunk = template.split(spec)[0]
        work = template.job(spec, chunk, SUBTASK, PROVIDER)
        verifier = template.verifier(spec).steps[-1]
        reports = [self.run(job).report for job in verifier.plan(chunk, work, delivery, b"salt")]
        return verifier.judge(chunk, work, delivery, reports)

    def picture(self, spec: TaskSpec) -> bytes:
        deliveries = {index: self.deliver(spec, index) for index in range(len(template.split(spec)))}
        merged = self.run(template.merge(spec, template.merges(spec)[0], deliveries))
        return (self.bench.path(merged.result) / "picture.png").read_bytes()


def delivered(outcome: Outcome) -> Delivery:
    return Delivery(
        subtask_id=SUBTASK, result=outcome.result, size_bytes=outcome.size_bytes, report=outcome.report, used_ms=1
    )


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.bench.close()


def pixels(png: bytes) -> bytes:
    """Of a picture that is read as the standard says, every sum checked."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, head = 8, b"", b""
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", png, at + 8 + size) == (zlib.crc32(kind + data),)
        head, packed = (data if kind == b"IHDR" else head), packed + data * (kind == b"IDAT")
        at += size + 12
    width, height = struct.unpack_from(">II", head)
    raw = zlib.decompress(packed)
    assert len(raw) == height * (1 + 3 * width)
    return b"".join(raw[row * (1 + 3 * width) + 1 : (row + 1) * (1 + 3 * width)] for row in range(height))


def test_it_keeps_the_interfaces(stage: Stage) -> None:
    assert verifyObject(ITaskTemplate, template)
    assert verifyObject(IPreparing, template)
    assert verifyObject(ISampled, template.verifier(stage.spec(SMALL)))


def test_the_gauge_leaves_nothing(stage: Stage) -> None:
    gauge = template.gauge
    job = Job(job_id=JobId(""), task_id=TaskId(""), template="fractal", program=gauge.program, params=gauge.params)
    assert not stage.run(job).result


def test_strips_join_to_the_very_picture_of_one(stage: Stage) -> None:
    many = stage.spec(STRIPS)
    one = stage.spec({**STRIPS, "chunk": "3600"})
    assert len(template.split(many)) > 2 and len(template.split(one)) == 1
    shown = pixels(stage.picture(many))
    assert shown == pixels(stage.picture(one))
    middle, corner = shown[(24 * 64 + 32) * 3 :][:3], shown[:3]
    assert middle == b"\0\0\0" != corner


def test_a_large_picture_is_a_picture(stage: Stage) -> None:
    shown = pixels(stage.picture(stage.spec({"size": "700x300", "iterations": "20"})))  # ten blocks, of 64 KiB each
    assert len(set(shown)) > 50


def test_a_preview_is_small_and_black_where_nothing_is_yet(stage: Stage) -> None:
    spec = stage.spec({"size": "2000x1500", "iterations": "30", "chunk": "0.1"})
    chunks = template.split(spec)
    last = chunks[len(chunks) - 1]
    shown = stage.run(template.preview(spec, last, {last.index: stage.deliver(spec, last.index)}))
    rows = pixels((stage.bench.path(shown.result) / "preview.png").read_bytes())
    assert len(rows) == 3 * 667 * 500
    assert not any(rows[: 3 * 667 * 200]) and any(rows[-3 * 667 :])


def test_honest_strips_are_accepted_and_others_are_not(stage: Stage) -> None:
    spec = stage.spec(SMALL)
    honest = stage.deliver(spec)
    assert stage.judge(spec, honest).judgement is Judgement.ACCEPT
    fewer = stage.deliver(evolve(spec, params=spec.params.replace(b'"iterations":60', b'"iterations":30')))
    elsewhere = stage.deliver(evolve(spec, params=spec.params.replace(b'"im":0.0', b'"im":0.001')))
    for other in (fewer, elsewhere):
        assert stage.judge(spec, other).judgement is Judgement.WRONG
    path = stage.bench.path(honest.result) / "rows.bin"
    data = path.read_bytes()
    path.write_bytes(bytes(byte ^ 1 for byte in data))
    assert stage.judge(spec, honest).reason == "rows: from row 0: 6 of 6 computed again are others"
    path.write_bytes(data[:-1])
    assert stage.judge(spec, honest).judgement is Judgement.MALFORMED
    assert stage.judge(spec, evolve(honest, result=type(honest.result)(""))).judgement is Judgement.MALFORMED


def test_who_saves_steps_where_the_picture_hides_it_is_caught(stage: Stage) -> None:
    spec = stage.spec({**SMALL, "re": "-0.2", "span": "0.1"})  # all black, however many there are
    fewer = evolve(spec, params=spec.params.replace(b'"iterations":60', b'"iterations":59'))
    assert pixels(stage.picture(spec)) == pixels(stage.picture(fewer))
    assert stage.judge(spec, stage.deliver(fewer)).judgement is Judgement.WRONG


def test_strips_take_about_the_seconds_that_were_wanted(stage: Stage) -> None:
    spec = stage.spec({"size": "2000x1000", "chunk": "2"})
    guesses = [template.cost_ms(spec, chunk) for chunk in template.split(spec)]
    assert all(1_500 < guess < 2_100 for guess in guesses[:-1])
    low, high = template.estimate(spec)
    assert low < sum(guesses) < high


@pytest.mark.parametrize("params", [{"size": "100000x100000"}, {"span": "0"}, {"chunk": "0"}, {"re": "nan"}])
def test_what_can_not_be_is_refused_by_name(params: dict[str, str]) -> None:
    with pytest.raises(BadParameters, match=next(iter(params))):
        template.parse(params)
