"""The requestor's view of one task.

    FUNDING --Funded--> PUBLISHING --Published (the last)--> OPEN --all accepted, all exported--> DONE
                        PUBLISHING --Published (the last)--> PREPARING --Prepared--> OPEN, where the template prepares
                                                             OPEN --Grown--> OPEN, with more chunks
    FUNDING, PUBLISHING, PREPARING, OPEN --Doomed--> FAILED     --TaskCancelled--> CANCELLED

The `Board` around it is what the requestor keeps by hand while the task is open: which chunks wait, who agreed to
what, what was accepted. Only `core.board` and who calls it change it.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from golem.core.machine import Step, Table
from golem.model.effects import Admit, Publish
from golem.model.events import Exported, Published, TaskCancelled
from golem.model.ids import NodeId, SubtaskId, TaskId, Ticket
from golem.model.messages import MAX_SOURCES, Delivery, Offer, Reason, Refusal
from golem.model.money import Wei
from golem.model.spec import Input, Resource, TaskSpec
from golem.model.value import Value, evolve


class Phase(Enum):
    """Where a task stands."""

    FUNDING = "funding"
    PUBLISHING = "publishing"
    PREPARING = "preparing"
    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = frozenset({Phase.FUNDING, Phase.PUBLISHING, Phase.PREPARING, Phase.OPEN})


class Task(Value):
    """One user's request on its way. `chunks`, `merges`: how many there are; `accepted`, `merged`: are done.

    `prepares`: whether a job of our own looks at the inputs before the market opens. `ticket`: opens its content.
    """

    task_id: TaskId
    spec: TaskSpec
    resources: tuple[Resource, ...]
    submitted_ms: int
    chunks: int
    merges: int
    prepares: bool = False
    ticket: Ticket = Ticket(b"")
    phase: Phase = Phase.FUNDING
    accepted: int = 0
    merged: int = 0
    reason: str = ""


class Funded(Value):
    """The budget is reserved."""


class ChunkAccepted(Value):
    """One more chunk is done."""


class Prepared(Value):
    """The inputs were looked at; there is this to do."""

    spec: TaskSpec
    chunks: int
    merges: int


class Grown(Value):
    """There is more to do than was known. `merges`: so many more."""

    spec: TaskSpec
    chunks: int
    merges: int


class Doomed(Value):
    """The task can't be done."""

    reason: str


def _publish(t: Task, _: Funded) -> Step[Task]:
    admit = Admit(task_id=t.task_id, ticket=t.ticket)
    if not t.resources:
        return Step(evolve(t, phase=_ready(t)), (admit,))
    publish = tuple(
        Publish(key=f"resource/{t.task_id}/{n}", task_id=t.task_id, path=r.path) for n, r in enumerate(t.resources)
    )
    return Step(evolve(t, phase=Phase.PUBLISHING), (admit, *publish))


def _published(t: Task, e: Published) -> Step[Task]:
    name = t.resources[int(e.key.rpartition("/")[2])].name
    found = {i.name: i for i in (*t.spec.inputs, Input(name=name, cid=e.cid, size_bytes=e.size_bytes))}
    spec = evolve(t.spec, inputs=tuple(found[name] for name in sorted(found)))
    phase = _ready(t) if len(found) == len(t.resources) else Phase.PUBLISHING
    return Step(evolve(t, spec=spec, phase=phase))


def _ready(t: Task) -> Phase:
    return Phase.PREPARING if t.prepares else Phase.OPEN


def _prepared(t: Task, e: Prepared) -> Step[Task]:
    return Step(evolve(t, spec=e.spec, chunks=e.chunks, merges=e.merges, phase=Phase.OPEN))


def _grown(t: Task, e: Grown) -> Step[Task]:
    return Step(evolve(t, spec=e.spec, chunks=e.chunks, merges=t.merges + e.merges))


def _finish(t: Task) -> Step[Task]:
    is_done = t.accepted == t.chunks and t.merged == t.merges
    return Step(evolve(t, phase=Phase.DONE) if is_done else t)


def _accepted(t: Task, _: ChunkAccepted) -> Step[Task]:
    return _finish(evolve(t, accepted=t.accepted + 1))


def _exported(t: Task, _: Exported) -> Step[Task]:
    return _finish(evolve(t, merged=t.merged + 1))


def _cancel(t: Task, _: TaskCancelled) -> Step[Task]:
    return Step(evolve(t, phase=Phase.CANCELLED, reason="cancelled"))


def _fail(t: Task, e: Doomed) -> Step[Task]:
    return Step(evolve(t, phase=Phase.FAILED, reason=e.reason))


def _ignore(t: Task, _: object) -> Step[Task]:
    return Step(t)


TABLE: Table[Task] = {
    (Phase.FUNDING, Funded): _publish,
    (Phase.PUBLISHING, Published): _published,
    (Phase.PREPARING, Prepared): _prepared,
    (Phase.OPEN, Grown): _grown,
    (Phase.OPEN, ChunkAccepted): _accepted,
    (Phase.OPEN, Exported): _exported,
    **{(phase, TaskCancelled): _cancel for phase in LIVE},
    **{(phase, Doomed): _fail for phase in LIVE},
    # what was under way when the task ended still comes in, is paid for, and changes nothing
    **{
        (phase, kind): _ignore
        for phase in (Phase.FAILED, Phase.CANCELLED)
        for kind in (Published, ChunkAccepted, Exported, Doomed)
    },
}


class Agreement(msgspec.Struct, kw_only=True):
    """An offer, taken; it covers many subtasks. `live`: those it has now. `pace_ms`: the mean time for one.

    `is_paused`: the provider took it back, or refused some of the work, and finishes what it has. `refused`: why.
    """

    offer: Offer
    live: dict[SubtaskId, None] = {}
    pace_ms: float = 0.0
    is_paused: bool = False
    refused: str = ""


class Board(msgspec.Struct, kw_only=True):
    """What a requestor keeps about one open task.

    `pending`: chunks to assign, the next one last; `laid_out`: how many ever came there. `tried`: who failed a chunk
    already. `missing`: by merge, how many of its chunks are not accepted yet. `outstanding`: the caps of all live
    subtasks, in wei; `open`: those. `results`: what was merged, by name. `finishing`: the name of the result made of
    all others, until it is begun. `shown_ms`: when a preview was last begun; `is_showing`: one is being made.
    `held`: by provider, results that wait for a check of another (`core.sampling`).
    `copies`: how many providers do each chunk to begin with; where that is more than one (`core.copies`), by chunk,
    `begun`: how many do it, `doers`: who does it or has answered, `answers`: those that wait to be compared.
    `twins`: by what equal results have in common, the one that was accepted (`core.twins`).
    `kept`: of how many refused results there is something to look at.
    `declined`: who has heard of the task and does not offer. `refused`: whose offer we don't take, or not any more.
    `returned`: how often somebody refused what it had offered to do, since it last did any.
    `doubled`: by chunk, a slow attempt and its copy (`core.tails`).
    """

    task: Task
    pending: list[int] = []
    laid_out: int = 0
    attempts: dict[int, int] = {}
    tried: dict[int, list[NodeId]] = {}
    offers: dict[NodeId, Offer] = {}
    declined: dict[NodeId, Refusal] = {}
    refused: dict[NodeId, Reason] = {}
    returned: dict[NodeId, int] = {}
    doubled: dict[int, tuple[SubtaskId, SubtaskId]] = {}
    agreements: dict[NodeId, Agreement] = {}
    has_picked: bool = False
    open: dict[SubtaskId, None] = {}
    held: dict[NodeId, list[SubtaskId]] = {}
    copies: int = 1
    begun: dict[int, int] = {}
    doers: dict[int, list[NodeId]] = {}
    answers: dict[int, list[SubtaskId]] = {}
    accepted: dict[int, Delivery] = {}
    twins: dict[str, SubtaskId] = {}
    missing: dict[str, int] = {}
    results: dict[str, Input] = {}
    finishing: str = ""
    shown_ms: int = 0
    is_showing: bool = False
    kept: int = 0
    exported: dict[str, str] = {}
    history: list[SubtaskId] = []
    spent: Wei = Wei(0)
    outstanding: Wei = Wei(0)
    finished_ms: int = 0


def sharers(board: Board, node: NodeId) -> list[NodeId]:
    """Who can give the inputs to `node`, for whom the task is new: those who have them by now, in turn.

    Then those who are about to, and give what they have so far.
    """
    if board.agreements[node].pace_ms or not board.task.spec.inputs:
        return []
    others = [other for other in board.agreements if other != node]
    first = len(board.history) % len(others) if others else 0
    return sorted(others[first:] + others[:first], key=lambda other: not board.agreements[other].pace_ms)[:MAX_SOURCES]
