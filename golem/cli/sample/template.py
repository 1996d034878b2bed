"""A value for each number, in chunks; of each result a few values are computed again before it is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from zope.interface import implementer

from golem.interfaces import ITaskTemplate, IVerifier, Parameter
from golem.model.drawing import some
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Environment, Input, Job, Judgement, Merge, TaskSpec, Verdict
from golem.model.value import evolve
from golem.template import Chunks, Form, to_json, whole

ITEMS = 100  # numbers in a chunk; the last has what is left. A chunk should take seconds or minutes
CHECKED = 5  # of them are computed again: who makes up half of his values passes once in 32 times
MS_PER_ITEM = 1  # a guess, for estimates

_form = Form((Parameter(name="count", help="how many numbers, from 0 on", default="1000"), whole(1, 100_000)))


class Params(msgspec.Struct, frozen=True):
    """A task's parameters, as `parse` wrote them."""

    count: int


class Part(msgspec.Struct, frozen=True):
    """A chunk's parameters: `count` numbers from `first` on."""

    first: int
    count: int


class Checked(msgspec.Struct, frozen=True):
    """What `job/check.py` reports: nothing in `wrong`, or what is."""

    wrong: str


_params = msgspec.json.Decoder(Params)
_part = msgspec.json.Decoder(Part)
_checked = msgspec.json.Decoder(Checked)


@implementer(IVerifier)
class Recount:
    """Computes a few values of a result again, at places that its provider could not know."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job, which sees the result, unless there is none."""
        if not delivery.result:
            return ()
        part = _part.decode(chunk.params)
        again = {"first": part.first, "count": part.count, "again": some(part.count, CHECKED, salt)}
        result = Input(name="result", cid=delivery.result, size_bytes=delivery.size_bytes)
        return (evolve(work, program="check", params=to_json(again), inputs=(result,)),)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """What the check found."""
        if not delivery.result:
            return Verdict(judgement=Judgement.MALFORMED, reason="result: there is none")
        wrong = _checked.decode(reports[0]).wrong
        if wrong:
            return Verdict(judgement=Judgement.WRONG, reason=f"values: {chunk.label}: {wrong}")
        return Verdict(judgement=Judgement.ACCEPT, reason=f"values: {chunk.label}: those tried are the same here")


@implementer(ITaskTemplate)
class Sample:
    """`count` values, merged into one file."""

    name = "sample"
    title = "Sample: a value for each number"
    environment = Environment(name="sample-1")  # a new name whenever the same numbers would get other values
    parameters = _form.parameters
    programs = str(Path(__file__).parent / "job")

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        return _form.parse(params)

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """Numbers upwards from 0."""
        count = _params.decode(spec.params).count

        def chunk(index: int) -> Chunk:
            part = Part(first=index * ITEMS, count=min(ITEMS, count - index * ITEMS))
            return Chunk(index=index, label=f"from {part.first}", params=to_json(part))

        return Chunks(-(-count // ITEMS), chunk)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """The work on a chunk, by `job/work.py`."""
        return evolve(self._job(spec, "work", chunk.params), job_id=JobId(subtask))

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """One file of all values."""
        return (Merge(name="values", chunks=tuple(range(len(self.split(spec))))),)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """`job/merge.py` sees every result as an input."""
        parts = tuple(
            Input(name=f"part{index}", cid=deliveries[index].result, size_bytes=deliveries[index].size_bytes)
            for index in merge.chunks
        )
        return evolve(self._job(spec, "merge", to_json({"parts": len(parts)})), inputs=parts)

    def verifier(self, spec: TaskSpec) -> Recount:
        """See `Recount`."""
        return Recount()

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        return 1 + MS_PER_ITEM * _part.decode(chunk.params).count

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
