"""What a worker answers is taken apart the same however it comes, and garbage is Malformed and nothing worse."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from golem.errors import Malformed
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import MAX_REPORT_BYTES, Job, Outcome, Status
from golem.wire.guest import MAX_LINE_BYTES, Lines, job_line, outcome_of

JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(some.lists(some.binary(max_size=40).map(lambda b: b.replace(b"\n", b" ")), max_size=8), some.data())
def test_how_lines_are_chopped_never_matters(lines: list[bytes], data: some.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines) + b"begun"
    cuts = sorted(data.draw(some.lists(some.integers(0, len(whole)), max_size=10)))
    splitter = Lines()
    found: list[bytes] = []
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += splitter.feed(whole[begin:end])
    assert found == lines


@pytest.mark.parametrize("chunk", [1, 1000, 1 << 20])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_that_is_too_long_is_malformed_before_it_is_whole(chunk: int, end: bytes) -> None:
    lines = Lines()
    data = b"x" * (MAX_LINE_BYTES + 1) + end
    with pytest.raises(Malformed, match="more than"):
        for begin in range(0, len(data), chunk):
            list(lines.feed(data[begin : begin + chunk]))


def test_a_line_may_be_as_long_as_the_limit() -> None:
    assert list(Lines().feed(b"x" * MAX_LINE_BYTES + b"\n")) == [b"x" * MAX_LINE_BYTES]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[" * 8000,
        b'{"job":"a","ok":true,"report":' + b"[" * 8000,
        b'{"job":"a","ok":true,"report":{"a":"\xff"}}',
        b'{"job":"\xff","ok":true}',
        b'{"job":"\\ud800","ok":true}',
        b'{"job":"a","ok":1}',
        b'{"job":1,"ok":true}',
        b'{"ok":true}',
        b'{"job":"a","ok":true} and more',
    ],
)
def test_garbage_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        outcome_of(line)


@given(some.text(max_size=40), some.booleans(), JSON, some.text(max_size=5000), some.booleans())
def test_any_answer_of_the_right_form_makes_an_outcome_that_may_travel(
    job: str, ok: bool, report: object, error: str, memory: bool
) -> None:
    said = {"job": job, "ok": ok, "report": report, "error": error, "memory": memory}
    about, outcome = outcome_of(msgspec.json.encode(said))
    assert about == job
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome) == outcome
    assert (outcome.status is Status.DONE) == (ok and isinstance(report, dict | list))
    if not ok:
        assert outcome.status is (Status.OUT_OF_MEMORY if memory else Status.ERROR)
        assert outcome.report == b"{}"


def test_a_report_past_the_limit_is_an_error() -> None:
    for size, status in ((MAX_REPORT_BYTES, Status.DONE), (MAX_REPORT_BYTES + 1, Status.ERROR)):
        report = b'{"a":"' + b"x" * (size - 8) + b'"}'
        assert outcome_of(b'{"job":"a","ok":true,"report":' + report + b"}")[1].status is status


@given(some.dictionaries(some.text(max_size=8), JSON, max_size=4), some.integers(0, 3))
def test_a_job_is_one_line_that_says_all_of_it(params: dict[str, object], indent: int) -> None:
    encoded = msgspec.json.format(msgspec.json.encode(params), indent=indent)
    job = Job(
        job_id=JobId(derive("job")), task_id=TaskId(derive("task")), template="t", program="render", params=encoded
    )
    line = job_line(job, "/in/a", "/out/a")
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    said = msgspec.json.decode(line)
    assert said == {
        "job": job.job_id,
        "program": "render",
        "inputs": "/in/a",
        "output": "/out/a",
        "params": params,
    }


@pytest.mark.parametrize("params", [b"", b"[]", b"\xff", b'{"a":1}{'])
def test_parameters_that_are_no_object_never_become_an_order(params: bytes) -> None:
    job = Job(
        job_id=JobId(derive("job")), task_id=TaskId(derive("task")), template="echo", program="echo", params=params
    )
    with pytest.raises(Malformed, match="no JSON object"):
        job_line(job, "/in/1", "/out/0")
