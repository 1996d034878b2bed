"""Puts small content into the messages that name it, and takes it out of those that come: no second round trip.

What goes along never enters the core nor the journal. Where it is lost, by a crash or for want of room, the content is
fetched as it would be without.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger

from golem.errors import ContentMismatch
from golem.interfaces import IParcels
from golem.model.ids import Cid, NodeId
from golem.model.messages import Assignment, Delivery, Message
from golem.model.value import evolve

MAX_GIVEN = 4_096  # contents of which we know who has them; who has lost one fetches it

log = Logger()


class Porter:
    """Of one node. A peer is given a content once, as a task's inputs are named in each of its assignments."""

    def __init__(self, parcels: IParcels) -> None:
        self._parcels = parcels
        self._given: dict[tuple[NodeId, Cid], None] = {}

    def meet(self, peer: NodeId) -> None:
        """A session opens: what the peer was given before may be lost."""
        for pair in [pair for pair in self._given if pair[0] == peer]:
            del self._given[pair]

    def load(self, to: NodeId, message: Message) -> Message:
        """The message as it travels."""
        new = [cid for cid in _named(message) if (to, cid) not in self._given]
        along = self._parcels.pack(new) if new else b""
        if not (along and isinstance(message, Assignment | Delivery)):
            return message
        self._given.update(dict.fromkeys((to, cid) for cid in new))
        while len(self._given) > MAX_GIVEN:
            del self._given[next(iter(self._given))]
        return evolve(message, along=along)

    def unload(self, peer: NodeId, message: Message) -> Message:
        """The message as the core hears it."""
        if not (isinstance(message, Assignment | Delivery) and message.along):
            return message
        try:
            self._parcels.unpack(message.along)
        except ContentMismatch as why:
            log.warn("{peer} sent wrong bytes along with a message: {why}", peer=peer, why=why)
        return evolve(message, along=b"")


def _named(message: Message) -> Sequence[Cid]:
    match message:
        case Assignment(job=job):
            return [wanted.cid for wanted in job.inputs]
        case Delivery(result=result) if result:
            return [result]
    return ()
