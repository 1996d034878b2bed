"""What a node has beside the sums of its own evidence: what it did with others, what it heard, where they listen."""

from __future__ import annotations

import msgspec

from golem.core.evidence import Noted
from golem.core.fusion import Hearsay, Opinion
from golem.core.gossip import Epoch
from golem.model.ids import NodeId, TaskId
from golem.model.messages import Demand, NewsId, PeerRecord, Place, Rated, Reason, Withdrawal
from golem.model.money import Wei
from golem.model.value import Value


class Lost(Value):
    """An offer of ours that led to no work. `asked`: our price; `price`: what who got the work was paid, 0: unknown."""

    at_ms: int
    task_id: TaskId
    requestor: NodeId
    asked: Wei
    reason: Reason
    price: Wei


class Dealings(msgspec.Struct):
    """Our own doings. `deeds`: the latest of those that the standings are made of, by whose they are.

    `offers`: how many we made, `taken`: how many led to work, `losses`: how many did not, by reason; `lost`: the latest
    of these. `offered_ms`: when we made those that nobody has answered. `paces`: how fast
    providers are, by template and node; `sums`: what their results have gathered, by the same.
    `strategy_problem`: how the market strategy failed last since the node runs.
    """

    deeds: dict[Rated, list[Noted]] = {}
    offers: int = 0
    taken: int = 0
    losses: dict[str, int] = {}
    lost: list[Lost] = []
    offered_ms: dict[TaskId, int] = {}
    paces: dict[str, float] = {}
    sums: dict[str, dict[str, float]] = {}
    strategy_problem: str = ""


class Rumours(msgspec.Struct):
    """What others say. `epoch`: of the gossip, the one that runs. `hearsay`: what the last one came to.

    `opinions`: of a target, what neighbours say of it. `credible`: how far each of them is believed. `told`: our own
    trust in others, as neighbours were told last. `belief`: in `hearsay`, as far as it agrees with what we saw.
    `fresh`: targets that neighbours spoke of since we told ours.
    """

    epoch: Epoch | None = None
    hearsay: dict[Rated, Hearsay] = {}
    opinions: dict[Rated, dict[NodeId, Opinion]] = {}
    credible: dict[NodeId, float] = {}
    told: dict[Rated, float] = {}
    belief: float = 1.0
    fresh: dict[Rated, None] = {}


class Known(Value):
    """A record, and what it rests on. `source`: who told it. `is_sure`: we had that very node at that very place."""

    record: PeerRecord
    source: NodeId
    prefix: str
    is_sure: bool = False


class Near(msgspec.Struct):
    """`records`: where nodes listen, by their own word; the passive view. `prefixes`, `sources`: the same by these.

    `dials`: by prefix, when we last dialled. `dialling`: places, and since when; what they answer is not known yet.
    `feeler`: a place that we only look at, `felt_ms`: since when. `tries_alone`: looks in a row while nobody was here.
    `is_proved`: somebody has dialled us since we run.
    """

    records: dict[NodeId, Known] = {}
    prefixes: dict[str, dict[NodeId, None]] = {}
    sources: dict[NodeId, dict[NodeId, None]] = {}
    dials: dict[str, int] = {}
    dialling: dict[Place, int] = {}
    feeler: Place = ""
    felt_ms: int = 0
    tries_alone: int = 0
    is_proved: bool = False


class Bucket(msgspec.Struct):
    """How much somebody may still say. `at_ms`: when `room` was right."""

    room: float
    at_ms: int = 0


class Author(msgspec.Struct):
    """`live`: tasks of a requestor that we carry, and until when."""

    room: Bucket
    live: dict[TaskId, int] = {}


class Tree(msgspec.Struct):
    """`lazy`: neighbours that get ids only; `due`: the ids that they will be told. `seen`: ids of all news there was.

    `news`: to give again; `latest`: of each task. `missing`: by id, who has it; `is_waiting`: for those to come.
    `links`: what each neighbour may bring.
    """

    lazy: dict[NodeId, None] = {}
    due: dict[NodeId, list[NewsId]] = {}
    seen: dict[NewsId, None] = {}
    news: dict[NewsId, Demand | Withdrawal] = {}
    latest: dict[str, NewsId] = {}
    missing: dict[NewsId, list[NodeId]] = {}
    is_waiting: bool = False
    authors: dict[NodeId, Author] = {}
    links: dict[NodeId, Bucket] = {}
