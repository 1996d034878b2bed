"""What a node remembers of others beside the sums of its own evidence: what it did with them, and what it heard."""

from __future__ import annotations

import msgspec

from golem.core.evidence import Noted
from golem.core.fusion import Hearsay, Opinion
from golem.core.gossip import Epoch
from golem.model.ids import NodeId
from golem.model.messages import Rated


class Dealings(msgspec.Struct):
    """Our own doings. `deeds`: the latest of those that the standings are made of, by whose they are."""

    deeds: dict[Rated, list[Noted]] = {}


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
