"""One session per peer, the same one at both ends.

The dialler decides first: with a session to that peer open already, it goes no further. So a second commitment comes
from a peer that has lost the first session, and replaces it; or from two that dialled each other at once, and then the
connection dialled by the lower node id stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from golem.errors import Refused
from golem.model.budgets import INBOUND, INBOUND_OF_ONE
from golem.model.ids import NodeId
from golem.net.carrier import HANDSHAKE_S
from golem.net.handshakes import network_of
from golem.net.peer import PeerProtocol

MET = "there is a session already"


class Sessions:
    """Open sessions by peer, and those we dialled and committed to, whose acceptors have not agreed yet."""

    def __init__(self, own: NodeId) -> None:
        self._own = own
        self._open: dict[NodeId, PeerProtocol] = {}
        self._committed: dict[NodeId, PeerProtocol] = {}

    def get(self, node_id: NodeId) -> PeerProtocol | None:
        """The open session with a node."""
        return self._open.get(node_id)

    def __iter__(self) -> Iterator[PeerProtocol]:
        """All open sessions."""
        return iter(tuple(self._open.values()))

    def commit(self, peer: PeerProtocol) -> None:
        """We dialled this peer, and would go on. Raises Refused where there is a session already."""
        if peer.node_id in self._open or peer.node_id in self._committed:
            raise Refused(MET)
        self._committed[peer.node_id] = peer

    def agree(self, peer: PeerProtocol, now_s: float) -> None:
        """A peer dialled us, and goes on; an older session with it gives way. Raises Refused where this one must."""
        older = self._open.get(peer.node_id) or self._committed.get(peer.node_id)
        if older is None:
            inbound = [other.host for other in self._open.values() if not other.dialled]
            network = network_of(peer.host)
            if len(inbound) >= INBOUND.limit:
                raise Refused("this node has sessions enough")
            if network and sum(network_of(host) == network for host in inbound) >= INBOUND_OF_ONE.limit:
                raise Refused("this node has sessions enough with your network")
            return
        is_fresh = older.opened_at is None or now_s - older.opened_at < HANDSHAKE_S
        if older.dialled and is_fresh and self._own < peer.node_id:
            raise Refused(MET)
        older.end("there is a newer session")

    def opened(self, peer: PeerProtocol) -> None:
        """Both sides go on with this one."""
        self._committed.pop(peer.node_id, None)
        self._open[peer.node_id] = peer

    def forget(self, peer: PeerProtocol) -> bool:
        """This connection is over; says whether it was the open session."""
        if peer.hello is None:
            return False
        if self._committed.get(peer.node_id) is peer:
            del self._committed[peer.node_id]
        if self._open.get(peer.node_id) is not peer:
            return False
        del self._open[peer.node_id]
        return True
