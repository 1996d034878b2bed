"""A template that does as a test wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import implementer

from golem.core.strategy import FRUGAL
from golem.core.turn import Policies
from golem.errors import BadParameters
from golem.interfaces import IFinishing, IGrowing, IPreparing, IShowing, ITaskTemplate, IVerifier, Parameter
from golem.model.ids import Cid, JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import (
    Capability,
    Chunk,
    Environment,
    Input,
    Job,
    Judgement,
    Merge,
    Outcome,
    TaskSpec,
    Verdict,
)
from golem.model.value import evolve

CAPABILITY = Capability(tier="sandbox", cores=4, memory_bytes=8 << 30, environments=("toy-1",))
RESULT = Cid("b" + "a" * 52)  # some content


@implementer(ITaskTemplate, IVerifier)
class Toy:
    """`checks` jobs verify each result, and `judgement` comes of it. One merge of all chunks. Its own verifier."""

    name = "toy"
    title = "Whatever a test needs"
    environment = Environment(name="toy-1")
    parameters: tuple[Parameter, ...] = ()
    programs = "/nowhere"

    def __init__(self, chunks: int = 2, checks: int = 0, judgement: Judgement = Judgement.ACCEPT) -> None:
        self.chunks = chunks
        self.checks = checks
        self.judgement = judgement
        self.judged: list[Sequence[bytes]] = []

    def policies(self) -> Policies:
        """What a core with this template alone is given."""
        return Policies({self.name: self}, FRUGAL)

    def parse(self, params: Mapping[str, str]) -> bytes:
        """Nothing to say."""
        return b"{}"

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """All alike."""
        return [Chunk(index=index, label=f"piece {index}", params=b"{}") for index in range(self.chunks)]

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """With all of the task's inputs."""
        return self._job(spec, JobId(subtask), "work")

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """One."""
        return (Merge(name="all", chunks=tuple(range(self.chunks))),)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """Its job."""
        return self._job(spec, JobId(""), "merge")

    def verifier(self, spec: TaskSpec) -> IVerifier:
        """Itself."""
        return self

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """A second."""
        return 1_000

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """See `IVerifier.plan`."""
        return [work] * self.checks

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """See `IVerifier.judge`."""
        self.judged.append(reports)
        return Verdict(judgement=self.judgement, reason="as the test wants")

    def _job(self, spec: TaskSpec, job_id: JobId, program: str) -> Job:
        return Job(
            job_id=job_id,
            task_id=TaskId(""),
            template=self.name,
            program=program,
            params=b"{}",
            inputs=spec.inputs,
            limits=spec.limits,
        )


@implementer(IPreparing, IGrowing, IShowing, IFinishing)
class ToyInStages(Toy):
    """A toy that prepares, grows by a chunk until it has `most`, shows every chunk but the first, and finishes.

    Its number of chunks stands in the spec's `params`, put there by what was prepared.
    """

    def __init__(self, most: int = 3, *, finishes: bool = True) -> None:
        super().__init__()
        self.most = most
        self.finishes = finishes

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """As many as are known."""
        return [Chunk(index=index, label=f"piece {index}", params=b"{}") for index in _count(spec)]

    def merges(self, spec: TaskSpec) -> Sequence[Merge]:
        """One of all chunks so far, and one of the first."""
        return (Merge(name="all", chunks=tuple(_count(spec))), Merge(name="first", chunks=(0,)))

    def prepare(self, spec: TaskSpec) -> Job:
        """See `IPreparing`."""
        return self._job(spec, JobId(""), "prepare")

    def prepared(self, spec: TaskSpec, outcome: Outcome) -> TaskSpec:
        """The report is the number of chunks; none is a mistake."""
        if not int(outcome.report):
            raise BadParameters("scene: there is nothing in it")
        return evolve(spec, params=outcome.report)

    def estimate(self, spec: TaskSpec) -> tuple[int, int]:
        """See `IPreparing`."""
        return 1_000, 2_000

    def grown(self, spec: TaskSpec, merge: Merge, outcome: Outcome) -> TaskSpec:
        """One more, after `all`."""
        has = len(_count(spec))
        return spec if merge.name == "first" or has >= self.most else evolve(spec, params=str(has + 1).encode())

    def preview(self, spec: TaskSpec, chunk: Chunk, deliveries: Mapping[int, Delivery]) -> Job | None:
        """See `IShowing`."""
        return self._job(spec, JobId(""), "preview") if chunk.index else None

    def finish(self, spec: TaskSpec, results: Sequence[Input]) -> Job | None:
        """See `IFinishing`."""
        return evolve(self._job(spec, JobId(""), "finish"), inputs=tuple(results)) if self.finishes else None


def _count(spec: TaskSpec) -> range:
    return range(int(spec.params) if spec.params != b"{}" else 0)
