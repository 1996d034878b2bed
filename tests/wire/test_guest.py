"""What a sandbox says is read with care."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import Malformed
from golem.model.ids import JobId, TaskId
from golem.model.spec import MAX_REPORT_BYTES, Job, Status
from golem.wire.guest import MAX_LINE_BYTES, Lines, job_line, outcome_of

JOB = Job(job_id=JobId("5" * 32), task_id=TaskId("7" * 32), template="t", program="render", params=b'{"a":\n1}')


def test_a_job_is_one_line_of_json() -> None:
    line = job_line(JOB, "/in/x", "/out/x")
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    said = {"job": JOB.job_id, "program": "render", "inputs": "/in/x", "output": "/out/x", "params": {"a": 1}}
    assert msgspec.json.decode(line) == said


def test_an_answer_carries_its_report_as_it_was_written() -> None:
    job_id, outcome = outcome_of(b'{"job":"j","ok":true,"report":{"n": 1}}')
    assert (job_id, outcome.status, outcome.report) == ("j", Status.DONE, b'{"n": 1}')


@pytest.mark.parametrize(
    ("line", "status", "detail"),
    (
        (b'{"job":"j","ok":false,"error":"boom"}', Status.ERROR, "boom"),
        (b'{"job":"j","ok":false,"memory":true}', Status.OUT_OF_MEMORY, "the report is no small JSON object"),
        (b'{"job":"j","ok":true,"report":[1]}', Status.ERROR, "the report is no small JSON object"),
        (
            b'{"job":"j","ok":true,"report":{"a":"' + b"x" * MAX_REPORT_BYTES + b'"}}',
            Status.ERROR,
            "the report is no small JSON object",
        ),
    ),
    ids=("error", "memory", "list", "large"),
)
def test_what_is_no_small_object_is_no_result(line: bytes, status: Status, detail: str) -> None:
    _, outcome = outcome_of(line)
    assert (outcome.status, outcome.detail) == (status, detail)


@given(st.binary(max_size=200))
def test_garbage_is_malformed_and_nothing_worse(data: bytes) -> None:
    with suppress(Malformed):
        outcome_of(data)


@given(st.lists(st.binary(max_size=50).map(lambda line: line.replace(b"\n", b"")), max_size=9), st.data())
def test_however_lines_are_cut_they_come_out_whole(lines: list[bytes], data: st.DataObject) -> None:
    stream, reader, out = b"".join(line + b"\n" for line in lines), Lines(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        out += reader.feed(stream[:size])
        stream = stream[size:]
    assert out == lines


@pytest.mark.parametrize("end", (b"", b"\n"), ids=("endless", "ended"))
def test_a_line_past_the_limit_is_refused(end: bytes) -> None:
    with pytest.raises(Malformed):
        list(Lines().feed(b"x" * (MAX_LINE_BYTES + 1) + end))
