"""Whether a strip is what its parameters say: bytes of WebAssembly's floats are the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from zope.interface import implementer

from golem.interfaces import IVerifier
from golem.model.drawing import some
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict
from golem.verification.cheap import accepted, wrong
from golem.verification.measured import Measured, examined, measured


class Rows(msgspec.Struct, frozen=True):
    """What the check needs to know of the provider's parameters."""

    rows: int


class Report(Measured, frozen=True):
    """What the program `check` reports."""

    wrong: int = 0


_rows = msgspec.json.Decoder(Rows)
_report = msgspec.json.Decoder(Report)


@implementer(IVerifier)
class Recomputed:
    """Computes `count` rows of a strip again, drawn when it is there already."""

    def __init__(self, count: int) -> None:
        self._count = count

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job, which sees the result, if there is one."""
        if not delivery.result:
            return ()
        again = some(_rows.decode(work.params).rows, self._count, salt)
        return (examined(work, delivery, "check", {"again": again}),)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG where a single byte differs."""
        report = measured(delivery, reports, _report)
        if isinstance(report, Verdict):
            return report
        tried = min(self._count, _rows.decode(work.params).rows)
        if report.wrong:
            return wrong(f"rows: {chunk.label}: {report.wrong} of {tried} computed again are others")
        return accepted(f"rows: {chunk.label}: {tried} computed again are the same, byte by byte")
