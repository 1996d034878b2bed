"""A map task in chunks of ranges, and its verifiers: a part counted again, or every chunk done by two providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from zope.interface import implementer

from golem.interfaces import Gauge, IGauged, ITaskTemplate, IVerifier, Parameter
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Environment, Job, Merge, TaskSpec
from golem.model.value import evolve
from golem.template import Chunks, Form, one_of, to_json, whole
from golem.verification import All, PartialRecompute, Redundancy, Sampled, Structural

HASHES_PER_MS = 800  # of a number's digits in Python, on one core of a server
OVERHEAD_MS = 1
RECOUNTED = 2  # of a chunk's ranges: an eighth of the work for the 16 that there are unless said otherwise
RECOUNTED_OF_STRANGERS = 6  # who makes up half of them passes once in 64 times

_form = Form(
    (Parameter(name="chunks", help="how many chunks", default="10"), whole(1, 10_000)),
    (Parameter(name="ranges", help="ranges in each chunk", default="16"), whole(1, 256)),
    (Parameter(name="length", help="numbers in each range", default="1000"), whole(1, 10**7)),
    (Parameter(name="bits", help="zero bits that are looked for", default="8"), whole(1, 64)),
    (
        Parameter(name="check", help="recount: a part again; copies: two providers for each chunk", default="recount"),
        one_of("recount", "copies"),
    ),
)


class Params(msgspec.Struct, frozen=True):
    """A task's parameters, as `parse` wrote them."""

    chunks: int
    ranges: int
    length: int
    bits: int
    check: str


class Ranges(msgspec.Struct, frozen=True):
    """A chunk's parameters."""

    first: int
    items: int
    length: int
    bits: int


_params = msgspec.json.Decoder(Params)
_ranges = msgspec.json.Decoder(Ranges)
_counts = msgspec.json.Decoder(list[int])


def _again(work: Job, items: Sequence[int]) -> Job:
    ranges = msgspec.json.decode(work.params, type=dict[str, int])
    return evolve(work, params=to_json({**ranges, "again": list(items)}))


def _recount(count: int) -> IVerifier:
    again = PartialRecompute(lambda chunk: _ranges.decode(chunk.params).items, _again, count)
    return All(Structural(list[int]), again)


@implementer(ITaskTemplate, IGauged)
class Tally:
    """`chunks` lists of counts, added up."""

    name = "tally"
    title = "Counts digests that begin with zeros: shows how results are verified"
    environment = Environment(name="python-3")
    parameters = _form.parameters
    programs = str(Path(__file__).parent / "job")
    gauge = Gauge(program="count", params=to_json(Ranges(0, 1, 200_000, 8)), takes_ms=200_000 // HASHES_PER_MS)

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        return _form.parse(params)

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """Ranges upwards from 0."""
        p = _params.decode(spec.params)

        def chunk(index: int) -> Chunk:
            first = index * p.ranges * p.length
            label = f"from {first}"
            return Chunk(index=index, label=label, params=to_json(Ranges(first, p.ranges, p.length, p.bits)))

        return Chunks(p.chunks, chunk)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """The same for whoever does it, so that copies can be compared."""
        return evolve(self._job(spec, "count", chunk.params), job_id=JobId(subtask))

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """One sum."""
        return (Merge(name="tally", chunks=tuple(range(_params.decode(spec.params).chunks))),)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """The sum is made here; the job writes it down."""
        p = _params.decode(spec.params)
        found = sum(sum(_counts.decode(deliveries[index].report)) for index in merge.chunks)
        total = {"numbers": p.chunks * p.ranges * p.length, "found": found, "bits": p.bits}
        return self._job(spec, "total", to_json(total))

    def verifier(self, spec: TaskSpec) -> IVerifier:
        """By the parameter `check`."""
        if _params.decode(spec.params).check == "copies":
            return Redundancy()
        return Sampled(_recount(RECOUNTED), strict=_recount(RECOUNTED_OF_STRANGERS))

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        p = _params.decode(spec.params)
        return OVERHEAD_MS + p.ranges * p.length // HASHES_PER_MS

    def _job(self, spec: TaskSpec, program: str, params: bytes) -> Job:
        return Job(
            job_id=JobId(""),
            task_id=TaskId(""),
            template=self.name,
            program=program,
            params=params,
            limits=spec.limits,
            warm=True,
        )
