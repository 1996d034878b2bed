"""Each chunk is answered with the digest of a text and the chunk's index; the requestor knows the right answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from zope.interface import implementer

from golem.interfaces import ITaskTemplate, Parameter
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Environment, Job, Merge, TaskSpec
from golem.template import MAX_CHUNKS, Chunks, Form, Json, SpotCheck, to_json, whole, words

HASHES_PER_MS = 1_200  # of 32 bytes in Python, on one core of a server
OVERHEAD_MS = 1

_form = Form(
    (Parameter(name="count", help="how many chunks", default="10"), whole(1, MAX_CHUNKS)),
    (Parameter(name="text", help="what is to be answered", default="hello"), words),
    (Parameter(name="spin", help="hashes of extra work per chunk; not verified", default="0"), whole(0, 10**9)),
)


class Params(msgspec.Struct, frozen=True):
    """A task's parameters, as `parse` wrote them."""

    count: int
    text: str
    spin: int


class Line(msgspec.Struct, frozen=True):
    """A chunk's parameters."""

    index: int
    spin: int
    text: str


class Answer(msgspec.Struct, frozen=True):
    """What a chunk's job reports."""

    echo: str


_params = msgspec.json.Decoder(Params)
_line = msgspec.json.Decoder(Line)
_answer = msgspec.json.Decoder(Answer)


def answer(chunk: Chunk) -> Json:
    """What the chunk's job must report."""
    line = _line.decode(chunk.params)
    return {"echo": sha256(f"{line.index}:{line.text}".encode()).hexdigest()}


@implementer(ITaskTemplate)
class Echo:
    """`count` tiny answers, merged into one list."""

    name = "echo"
    title = "Answers with digests: tries out a market without any work"
    environment = Environment(name="python-3")
    parameters = _form.parameters
    programs = str(Path(__file__).parent / "job")

    def __init__(self) -> None:
        self._verifier = SpotCheck(answer)

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        return _form.parse(params)

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """One chunk per index."""
        params = _params.decode(spec.params)

        def chunk(index: int) -> Chunk:
            return Chunk(index=index, label=f"line {index + 1}", params=to_json(Line(index, params.spin, params.text)))

        return Chunks(params.count, chunk)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """Everything is in the chunk's own parameters."""
        return Job(
            job_id=JobId(subtask),
            task_id=TaskId(""),
            template=self.name,
            program="echo",
            params=chunk.params,
            limits=spec.limits,
            warm=True,
        )

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """One list of all answers."""
        return (Merge(name="echo", chunks=tuple(range(_params.decode(spec.params).count))),)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """Thousands of answers do not fit a job's parameters, so their digest goes there; the job lists them anew."""
        params = _params.decode(spec.params)
        digest = sha256()
        for index in merge.chunks:
            digest.update(_answer.decode(deliveries[index].report).echo.encode())
        return Job(
            job_id=JobId(""),
            task_id=TaskId(""),
            template=self.name,
            program="merge",
            params=to_json({"count": params.count, "text": params.text, "digest": digest.hexdigest()}),
            limits=spec.limits,
        )

    def verifier(self, spec: TaskSpec) -> SpotCheck:
        """Every answer is compared with our own."""
        return self._verifier

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        return OVERHEAD_MS + _params.decode(spec.params).spin // HASHES_PER_MS
