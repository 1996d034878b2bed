"""One node's core by itself: a test plays the world around it, with a template that does as the test wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from zope.interface import implementer

from golem.core.market import CheapestTrusted
from golem.core.node import Core
from golem.core.reputation import STRANGER, Role, trust
from golem.core.state import NodeState
from golem.core.turn import Policies
from golem.interfaces import ITaskTemplate, IVerifier, Parameter
from golem.model.effects import Effect, Send
from golem.model.events import Connected, Event, Heard, Stamp, Started
from golem.model.ids import Cid, JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery, Message
from golem.model.settings import Settings
from golem.model.spec import Capability, Chunk, Environment, Job, Judgement, Merge, TaskSpec, Verdict
from golem.testing.invariants import check_node
from golem.testing.keys import FixedKeyring

T = TypeVar("T")
BEGIN_MS = 1_700_000_000_000
CAPABILITY = Capability(tier="sandbox", cores=4, memory_bytes=8 << 30, environments=("toy-1",))


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


class Solo:
    """The node "me". Each turn is held to the invariants. `asked`: what the last one asked for."""

    def __init__(self, settings: Settings = Settings(), template: Toy | None = None) -> None:  # noqa: B008 - a value
        self.template = template or Toy()
        self.now_ms = BEGIN_MS
        self.core = Core(NodeState(), Policies({"toy": self.template}, CheapestTrusted()))
        self.state = self.core.state
        self.asked: list[Effect] = []
        me = FixedKeyring("me")
        self.post(
            Started(node_id=me.node_id, address="me:1", payee=me.account, settings=settings, capability=CAPABILITY)
        )

    def post(self, event: Event, after_ms: int = 0) -> list[Effect]:
        """Something happens, so long after the last."""
        self.now_ms += after_ms
        self.asked = self.core.step(event, Stamp(at_ms=self.now_ms, salt=b"s" * 16))
        check_node(self.state)
        return self.asked

    def meet(self, name: str) -> NodeId:
        """A session with the node `name` stands."""
        who = FixedKeyring(name)
        self.post(Connected(peer=who.node_id, address=f"{name}:1", gateway=f"{name}:2", payee=who.account, epoch=name))
        return who.node_id

    def hear(self, name: str, message: Message, after_ms: int = 0) -> list[Effect]:
        """A node says something."""
        return self.post(Heard(peer=FixedKeyring(name).node_id, sequence=1, message=message), after_ms)

    def one(self, kind: type[T]) -> T:
        """The one effect of a kind that the last turn asked for."""
        (found,) = [effect for effect in self.asked if isinstance(effect, kind)]
        return found

    def said(self, kind: type[T]) -> list[T]:
        """Messages of a kind that the last turn sent."""
        return [e.message for e in self.asked if isinstance(e, Send) and isinstance(e.message, kind)]

    def one_said(self, kind: type[T]) -> T:
        """The one message of a kind that the last turn sent."""
        (found,) = self.said(kind)
        return found

    def trust(self, name: str, role: Role) -> float:
        """How far a node is trusted now."""
        known = self.state.standings.get(f"{role.value}/{FixedKeyring(name).node_id}", STRANGER)
        return trust(known, self.now_ms)


RESULT = Cid("b" + "a" * 52)
