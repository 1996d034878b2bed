"""What a node and the worker in a sandbox say to each other: one JSON line a job, one JSON line an answer.

The answers come from a stranger's program: bounded, checked, and believed in nothing but its own job.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from golem.errors import Malformed
from golem.model.spec import MAX_REPORT_BYTES, Job, Outcome, Status

MAX_LINE_BYTES = MAX_REPORT_BYTES + 4096  # a report, and what stands around it


class Answer(msgspec.Struct):
    """What a worker says came of a job."""

    job: str
    ok: bool
    report: msgspec.Raw = msgspec.Raw(b"{}")
    error: str = ""
    memory: bool = False


class _Order(msgspec.Struct):
    """A job as the worker reads it."""

    job: str
    program: str
    inputs: str
    output: str
    params: msgspec.Raw


_answers = msgspec.json.Decoder(Answer)
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()


def job_line(job: Job, inputs: str, output: str) -> bytes:
    """A job as the worker reads it. `inputs`, `output`: folders as they are inside the sandbox.

    Raises Malformed where the job's parameters, which a stranger wrote, are no JSON object.
    """
    try:
        _objects.decode(job.params)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as why:
        raise Malformed(f"the parameters are no JSON object: {why}") from why
    params = msgspec.Raw(job.params.replace(b"\n", b" "))  # between tokens: strings hold no bare line ends
    return _encoder.encode(_Order(job.job_id, job.program, inputs, output, params)) + b"\n"


def outcome_of(line: bytes) -> tuple[str, Outcome]:
    """The job an answer is about, and what came of it. Raises Malformed."""
    try:
        answer = _answers.decode(line.decode())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as why:
        raise Malformed(f"not an answer: {why}") from why
    report = bytes(answer.report)
    if answer.ok and len(report) <= MAX_REPORT_BYTES and report[:1] in (b"{", b"["):
        return answer.job, Outcome(status=Status.DONE, report=report)
    status = Status.OUT_OF_MEMORY if answer.memory else Status.ERROR
    said = answer.error[:2000] or "the report is no small JSON object or list"
    return answer.job, Outcome(status=status, detail=said)


class Lines:
    """Splits what a worker writes into lines, holding no more than one line of it."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole now. Raises Malformed past the limit."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES or any(len(line) > MAX_LINE_BYTES for line in whole):
            raise Malformed(f"an answer of more than {MAX_LINE_BYTES} bytes")
        yield from whole
