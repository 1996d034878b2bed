"""What a node has beside the sums of its own evidence: what it did with others, what it heard, where they listen."""

from __future__ import annotations

import msgspec

from golem.core.evidence import Noted
from golem.core.fusion import Hearsay, Opinion
from golem.core.gossip import Epoch
from golem.model.ids import NodeId, TaskId
from golem.model.messages import PeerRecord, Place, Rated, Reason
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
    providers are, by template and node.
    """

    deeds: dict[Rated, list[Noted]] = {}
    offers: int = 0
    taken: int = 0
    losses: dict[str, int] = {}
    lost: list[Lost] = []
    offered_ms: dict[TaskId, int] = {}
    paces: dict[str, float] = {}


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
    """`records`: where nodes listen, by their own word; the passive view. `dials`: by prefix, when we last dialled.

    `feeler`: a place that we only look at, `felt_ms`: since when. `tries_alone`: looks in a row while nobody was here.
    """

    records: dict[NodeId, Known] = {}
    dials: dict[str, int] = {}
    feeler: Place = ""
    felt_ms: int = 0
    tries_alone: int = 0
