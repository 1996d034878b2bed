"""For verifiers whose one job of our own sees what the work saw, and the result, and reports what it measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from golem.model.ids import SubtaskId, check_id
from golem.model.messages import Delivery
from golem.model.spec import Input, Job, Verdict
from golem.model.value import evolve
from golem.template import to_json
from golem.verification.cheap import malformed, unsure


class Measured(msgspec.Struct, frozen=True):
    """What such a job reports. `ok`: the result is a file of the kind it must be; else `why` not."""

    ok: bool
    why: str = ""


R = TypeVar("R", bound=Measured)
_params = msgspec.json.Decoder(dict[str, msgspec.Raw])


def examined(work: Job, delivery: Delivery, program: str, look: Mapping[str, object]) -> Job:
    """The job: the work's inputs and the input `result`, the work's parameters and those in `look`."""
    return evolve(
        work,
        job_id=check_id(SubtaskId(work.job_id), 0),
        program=program,
        params=to_json({**_params.decode(work.params), **look}),
        inputs=(*work.inputs, Input(name="result", cid=delivery.result, size_bytes=delivery.size_bytes)),
    )


def measured(delivery: Delivery, reports: Sequence[bytes], decoder: msgspec.json.Decoder[R]) -> R | Verdict:
    """What it measured; or the verdict, where there was no file, none of the right kind, or no report of ours."""
    if not delivery.result:
        return malformed("file: none was delivered")
    try:
        report = decoder.decode(reports[0])
    except (IndexError, msgspec.MsgspecError) as why:
        return unsure(f"our own check gave no report: {why}")
    return report if report.ok else malformed(f"file: {report.why}")
