"""The policy ports: pure, and used by the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from zope.interface import Attribute, Interface

from golem.model.ids import NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery, Demand, Offer
from golem.model.money import Wei
from golem.model.spec import Chunk, Environment, Input, Job, Merge, Name, Outcome, Params, TaskSpec, Verdict
from golem.model.trade import Seen, Terms
from golem.model.value import Value

MAX_SUMS = 64  # numbers that are kept of a provider for one template


class Parameter(Value):
    """One parameter of a template, for `--help` and forms.

    `default`: as text; None where the user must say it. `schema`: what may be said, in JSON Schema.
    """

    name: str
    help: str
    default: str | None = None
    schema: dict[str, object] = {}


def schema_of(title: str, parameters: Sequence[Parameter]) -> dict[str, object]:
    """All parameters of a template as one JSON Schema (draft 2020-12)."""
    told = {
        one.name: {**one.schema, "description": one.help, **({} if one.default is None else {"default": one.default})}
        for one in parameters
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": told,
        "required": [one.name for one in parameters if one.default is None],
        "additionalProperties": False,
    }


class IVerifier(Interface):
    """Decides whether a result is right. Pure: what must be computed or measured is planned as jobs."""

    def plan(chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """Jobs whose reports `judge` needs; none where the delivery says enough.

        `work`: the job the provider was given. `salt`: fresh chance, unknown to the provider when it delivered.
        A planned job's ids are set by the core; it may read the result as an input.
        """

    def judge(chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """The verdict, from the reports of the planned jobs in their order. A malformed report is MALFORMED."""


class ISampled(Interface):
    """A verifier of whose results not all need be checked: what each would say does not depend on the others.

    Of a provider that has earned it, some results are drawn; the others are accepted with them, or checked with them.
    """

    least = Attribute("float: the least share of results to check, from 0 to 1")
    strict = Attribute("int: the step, if it is IEscalating, to begin with where every result of a provider is checked")


class IScaled(Interface):
    """A verifier that can do with less. All results are checked, less closely those of who has earned it."""

    def scaled(care: float) -> IVerifier:
        """The same with this share of its effort, above 0 and at most 1. It judges whatever a closer look has found."""


class ISumming(Interface):
    """A verifier that learns little from one result, and sums what it learns over all of a provider's, task by task."""

    def weigh(
        chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes], before: Mapping[str, float]
    ) -> tuple[Verdict, Mapping[str, float]]:
        """Asked in place of `judge`: the verdict, and the sums with this result, at most MAX_SUMS of them.

        `before`: the sums after the same provider's last result for this template; none at first, nor after WRONG.
        """


def scaled(verifier: IVerifier, care: float) -> IVerifier:
    """The verifier with this share of its effort, if it can do with less."""
    found: IVerifier = IScaled(verifier).scaled(care) if IScaled.providedBy(verifier) else verifier
    return found


class IDistinct(Interface):
    """A verifier that knows where two right results can't be the same, so that one of them must be a copy."""

    def are_distinct(chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> bool:
        """Whether no other attempt of the task can come to this result, to the last bit. Asked of what is right.

        `reports`: of the checks that were made of it, if any.
        """


class IBeside(Interface):
    """A verifier that looks at results that were accepted before, to see whether one is made out of another."""

    def beside(chunk: Chunk, own: Mapping[int, Delivery], accepted: Mapping[int, Delivery], salt: bytes) -> IVerifier:
        """The same, planning for these: by chunk, what was accepted in the task, and lately of the same provider."""


class IEscalating(Interface):
    """A verifier in steps: where one is UNSURE, or its checks fail, the next is asked."""

    steps = Attribute("Sequence[IVerifier]: in their order; the verifier itself does as the first")


class Answer(Value):
    """What one provider made of a chunk. `trust`: in it, from 0 to 1."""

    provider: NodeId
    trust: float
    delivery: Delivery


class Ruling(Enum):
    """AGREED: all are right. MORE: one more is to be asked. REFEREE: `referee` and `judge` decide on each."""

    AGREED = "agreed"
    MORE = "more"
    REFEREE = "referee"


class IComparing(Interface):
    """A verifier that has several providers do each chunk. Jobs must not depend on who does them."""

    copies = Attribute("int: how many providers are asked to begin with, at least 2")
    most = Attribute("int: how many are asked at most")

    def compare(chunk: Chunk, answers: Sequence[Answer], salt: bytes) -> Ruling:
        """What follows from the answers that are in. With `most` of them, MORE is as REFEREE."""

    def referee(chunk: Chunk, work: Job, answers: Sequence[Answer], salt: bytes) -> Sequence[Job]:
        """The jobs by whose reports each of the answers is judged. `plan` repeats it for one answer alone."""


class ITaskTemplate(Interface):
    """The whole logic of a kind of task. A module-level value, cheap to import; everything here is pure."""

    name = Attribute("str: as users write it")
    title = Attribute("str: one line for people")
    environment = Attribute("Environment: what its jobs need of a machine")
    parameters = Attribute("tuple[Parameter, ...]: what `parse` understands")
    programs = Attribute("str: the folder whose modules jobs name as `program`, by absolute path")

    def parse(params: Mapping[str, str]) -> bytes:
        """A user's parameters as canonical JSON; raises BadParameters with every mistake at once."""

    def split(spec: TaskSpec) -> Sequence[Chunk]:
        """The pieces of work, indices from 0 and contiguous; at least one."""

    def job(spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """The work of one attempt: `job_id` is `subtask`; `task_id` is set by the core."""

    def merges(spec: TaskSpec) -> Sequence[Merge]:
        """The results made of chunks; each chunk may serve several."""

    def merge(spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """The job that makes one merged result, run by the requestor; its ids are set by the core.

        Inputs: the deliveries' contents.
        """

    def verifier(spec: TaskSpec) -> IVerifier:
        """The IVerifier for this task's results."""

    def cost_ms(spec: TaskSpec, chunk: Chunk) -> int:
        """A guess at one chunk's time on one slot, in milliseconds; for estimates shown to the user only."""


class IPreparing(Interface):
    """A template whose tasks begin with a job of the requestor's own, which looks at the inputs before anyone is hired.

    What can't be computed is refused here, for nothing, and what only the inputs can tell becomes part of the spec.
    """

    def prepare(spec: TaskSpec) -> Job:
        """The job; its ids are set by the core. It sees the task's inputs."""

    def prepared(spec: TaskSpec, outcome: Outcome) -> TaskSpec:
        """The spec as the outcome of that job, which is DONE, makes it; raises BadParameters."""

    def estimate(spec: TaskSpec) -> tuple[int, int]:
        """The least and the most that all chunks together may take on one slot, in milliseconds; for people."""


class IVaried(Interface):
    """A template whose tasks do not all need the same of a machine."""

    environments = Attribute("tuple[Environment, ...]: all that may be needed; the first is the template's own")

    def needs(spec: TaskSpec) -> Environment:
        """The one that this task's chunks need."""


def environments(template: ITaskTemplate) -> tuple[Environment, ...]:
    """All that a template's tasks may need of a machine."""
    return tuple(IVaried(template).environments) if IVaried.providedBy(template) else (template.environment,)


class IGrowing(Interface):
    """A template that may want more once it has seen results: rounds."""

    def grown(spec: TaskSpec, merge: Merge, outcome: Outcome) -> TaskSpec:
        """The spec with what `merge` calls for, or the same, where it calls for nothing.

        The new spec's chunks begin with the old one's. Merges that are new, or made of more than before, are made.
        """


class Gauge(Value):
    """A short job without inputs, of a template's typical work. `takes_ms`: as `cost_ms` would guess it."""

    program: Name
    params: Params
    takes_ms: int


class IGauged(Interface):
    """A template whose providers may tell how fast they are before they have done any work."""

    gauge = Attribute("Gauge: what they try themselves by, a few times in one worker; the quickest counts")


class IShowing(Interface):
    """A template that can show how far a task is."""

    def preview(spec: TaskSpec, chunk: Chunk, deliveries: Mapping[int, Delivery]) -> Job | None:
        """A short job that makes `preview.png` out of what is accepted, `chunk` the last; None where it is no use."""


class IFinishing(Interface):
    """A template with a last result made of all merged ones."""

    def finish(spec: TaskSpec, results: Sequence[Input]) -> Job | None:
        """The job, with the merged results as inputs in the order of `merges`; None where none is wanted.

        Asked with no results at first, only to know whether there will be one.
        """


class IMarketStrategy(Interface):
    """How a node trades. Pure: the same arguments bring the same answer; chance comes from `salt` alone.

    Where it raises, or an order lacks somebody, the standard strategy is asked instead. Source: docs/economics.md.
    """

    def price(demand: Demand, terms: Terms) -> Wei:
        """What a provider asks, in wei per hour of one slot."""

    def choose(
        demands: Mapping[TaskId, Demand], price: Mapping[TaskId, Wei], trust: Mapping[NodeId, float]
    ) -> Sequence[TaskId]:
        """All demands that a provider could work for, at its price, the best first. `trust`: in their requestors."""

    def rank(
        demand: Demand, offers: Mapping[NodeId, Offer], seen: Mapping[NodeId, Seen], salt: bytes
    ) -> Sequence[NodeId]:
        """The offering providers, the best first. Asked again from time to time, with another salt."""
