"""One turn of a node: what a handler sees and may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from golem.core.asking import asking, enabled
from golem.core.evidence import MAX_WHY, Noted, keep
from golem.core.knowledge import known, rated
from golem.core.reputation import STRANGER, Deed, Role, Standing, note
from golem.core.state import NodeState
from golem.interfaces import IComparing, IMarketStrategy, ITaskTemplate, IVaried, IVerifier
from golem.model.effects import Effect, SetTimer, Tell
from golem.model.events import Stamp, Started
from golem.model.ids import NodeId, TaskId
from golem.model.messages import Place, Reason
from golem.model.settings import Settings
from golem.model.spec import Chunk, Environment, Merge, TaskSpec

MAX_TOPICS = 1000  # tasks and demands whose refusals are remembered for `explain`


class Plan(NamedTuple):
    """What a template makes of one task. `merges_of`: by chunk, the merges that need it.

    `copies`: how many providers do each chunk to begin with.
    """

    spec: TaskSpec
    environment: Environment
    chunks: Sequence[Chunk]
    verifier: IVerifier
    merges: Sequence[Merge]
    merges_of: Mapping[int, Sequence[Merge]]
    copies: int


def make_plan(spec: TaskSpec, template: ITaskTemplate) -> Plan:
    """Ask the template for all of a task's pieces. Raises TemplateFailed."""
    with asking(spec.template, "needs"):
        environment = IVaried(template).needs(spec) if IVaried.providedBy(template) else template.environment
    with asking(spec.template, "split, merges or verifier"):
        chunks, merges, verifier = template.split(spec), tuple(template.merges(spec)), template.verifier(spec)
        len(chunks)
    merges_of: dict[int, list[Merge]] = {}
    for merge in merges:
        for chunk in merge.chunks:
            merges_of.setdefault(chunk, []).append(merge)
    return Plan(spec, environment, chunks, verifier, merges, merges_of, copies_of(verifier))


def copies_of(verifier: IVerifier) -> int:
    """How many providers do each chunk to begin with."""
    return int(IComparing(verifier).copies) if IComparing.providedBy(verifier) else 1


class Policies:
    """What the user plugged in, and what it made of each open task. Derived, so never saved."""

    def __init__(self, templates: Mapping[str, ITaskTemplate], strategy: IMarketStrategy) -> None:
        self.templates = templates
        self.strategy = strategy
        self._plans: dict[TaskId, Plan] = {}

    def plan(self, task: TaskId, spec: TaskSpec) -> Plan:
        """What the template makes of a task, made once per task and spec."""
        known = self._plans.get(task)
        if known is None or known.spec is not spec:
            template = self.templates[spec.template]
            known = self._plans[task] = make_plan(spec, template)
        return known

    def forget(self, task: TaskId) -> None:
        """Let go of an ended task's plan."""
        self._plans.pop(task, None)


class Turn:
    """One turn: what is known, when it is, the chance it brings, and the effects asked for so far."""

    def __init__(self, state: NodeState, stamp: Stamp, policies: Policies) -> None:
        self.state = state
        self.now_ms = stamp.at_ms
        self.salt = stamp.salt
        self.templates = policies.templates
        self.strategy = policies.strategy
        self._policies = policies
        self.effects: list[Effect] = []

    @property
    def started(self) -> Started:
        """Who and where we are; every node's first event says so."""
        if self.state.started is None:
            raise AssertionError("an event came before Started")
        return self.state.started

    @property
    def settings(self) -> Settings:
        """The terms on which this node trades."""
        return self.started.settings

    def ask(self, *effects: Effect) -> None:
        """Have effects performed once this turn is on disk."""
        self.effects.extend(effects)

    def after(self, delay_ms: int, name: str) -> None:
        """Have `TimerFired(name)` in a while."""
        self.effects.append(SetTimer(name=name, at_ms=self.now_ms + delay_ms))

    def gateway(self, node: NodeId) -> Place:
        """Where a node serves content, as far as known."""
        peer = self.state.peers.get(node)
        return peer.gateway if peer else ""

    def public_gateway(self, node: NodeId) -> Place:
        """The same as others can use it: one that only our session with that node reaches is nowhere to them."""
        place = self.gateway(node)
        return "" if place.startswith("/") else place

    def plan(self, task: TaskId, spec: TaskSpec) -> Plan:
        """What the template makes of a task."""
        return self._policies.plan(task, spec)

    def forget_plan(self, task: TaskId) -> None:
        """Let go of an ended task's plan."""
        self._policies.forget(task)

    def tell(self, topic: str, name: str, **fields: str | int) -> None:
        """Let whoever watches know."""
        self.effects.append(Tell(topic=topic, name=name, fields=fields))

    def template(self, name: str) -> ITaskTemplate:
        """An enabled template, or UnknownTemplate."""
        return enabled(self.templates, name)

    def refuse(self, topic: str, reason: Reason) -> None:
        """Remember, for `explain`, that something was refused."""
        notes = self.state.notes
        if topic not in notes and len(notes) >= MAX_TOPICS:
            notes.pop(next(iter(notes)))
        counts = notes.setdefault(topic, {})
        counts[reason.value] = counts.get(reason.value, 0) + 1

    def standing(self, node: NodeId, role: Role) -> Standing:
        """The evidence of a node in a role."""
        return self.state.standings.get(f"{role.value}/{node}", STRANGER)

    def trust(self, node: NodeId, role: Role) -> float:
        """How far a node is trusted in a role, now, by all that is known of it."""
        return known(self.state, rated(node, role), self.now_ms).trust

    def note(self, node: NodeId, deed: Deed, price_wei: int, about: str = "", why: str = "") -> None:
        """Add a deed to what is known of a node. `about`: the subtask; `why`: what was found."""
        old = self.standing(node, deed.role)
        self.state.standings[f"{deed.role.value}/{node}"] = note(old, deed, price_wei, self.now_ms)
        noted = Noted(at_ms=self.now_ms, deed=deed.name, price_wei=int(price_wei), about=about, why=why[:MAX_WHY])
        keep(self.state.dealings.deeds, rated(node, deed.role), noted)
        self.tell("node", "deed", node=node, role=deed.role.value, deed=deed.name.lower())
