"""The other side of relaying: has peers that it dialled carry connections here, and dials back when one rings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from golem.model.budgets import RINGS
from golem.model.ids import NodeId
from golem.model.messages import Place
from golem.net.door import RING_S, Through
from golem.net.peer import PeerProtocol
from golem.net.pipe import Pipe, Pipes
from golem.wire.doorway import Answer, Reserve, Ring, What, line

log = Logger()

RELAYS = 2  # one may stop, or mean it ill
MAX_PLACE = 120  # characters of a `Place`; longer names of hosts can't be told with our id behind them


class Guest:
    """`plain`: an endpoint without TLS. `gateway`: of our own store. `changed`: called when a relay comes or goes.

    `sessions`: makes what speaks with callers who want a session.
    """

    sessions: IProtocolFactory

    def __init__(
        self,
        own: NodeId,
        clock: IReactorTime,
        plain: Callable[[Place], IStreamClientEndpoint],
        gateway: Callable[[], Place],
        refused: Counter[str],
        changed: Callable[[], None],
    ) -> None:
        self._own = own
        self._clock = clock
        self._plain = plain
        self._gateway = gateway
        self._refused = refused
        self._changed = changed
        self._asked: dict[NodeId, None] = {}
        self._relays: dict[NodeId, Place] = {}
        self._answering: Counter[NodeId] = Counter()

    @property
    def place(self) -> Place:
        """Where we can be called, or nowhere."""
        return next(iter(self._relays.values()), "")

    def seek(self, peers: Iterable[PeerProtocol]) -> None:
        """Have relays enough among those that we dialled."""
        for peer in peers:
            if len(self._relays.keys() | self._asked.keys()) >= RELAYS:
                return
            is_new = peer.node_id not in self._relays and peer.node_id not in self._asked
            if is_new and peer.dialled and not peer.is_relayed and len(self._place(peer)) <= MAX_PLACE:
                self._asked[peer.node_id] = None
                peer.signal(Reserve())

    def _place(self, peer: PeerProtocol) -> Place:
        return f"{peer.dialled}/{self._own}"

    def told(self, peer: PeerProtocol, *, is_granted: bool) -> None:
        """A peer that was asked has answered; who refused is not asked again in this session."""
        if is_granted and peer.node_id in self._asked:
            self._relays[peer.node_id] = self._place(peer)
            self._changed()

    def left(self, peer: PeerProtocol) -> None:
        """A session is over."""
        self._asked.pop(peer.node_id, None)
        if self._relays.pop(peer.node_id, None):
            self._changed()

    def rung(self, peer: PeerProtocol, ring: Ring) -> None:
        """Dial back, if we dialled that peer: no ring sends us anywhere else."""
        if not peer.dialled or peer.is_relayed:
            return
        if self._answering[peer.node_id] >= RINGS.limit:
            self._refused[RINGS.name] += 1
            return
        self._answering[peer.node_id] += 1
        answering = Deferred.fromCoroutine(self._answer(peer.dialled, ring))
        answering.addErrback(_unanswered, peer.node_id)
        answering.addBoth(lambda _: self._answered(peer.node_id))

    def _answered(self, node: NodeId) -> None:
        self._answering[node] -= 1
        if not self._answering[node]:
            del self._answering[node]

    async def _answer(self, relay: Place, ring: Ring) -> None:
        back = Through(self._plain(relay), line(Answer(ring.token)))
        if ring.what is What.SESSION:
            await back.connect(self.sessions).addTimeout(RING_S, self._clock)
            return
        ends = Pipes(self._clock)
        inner = await self._plain(self._gateway()).connect(ends).addTimeout(RING_S, self._clock)
        assert isinstance(inner, Pipe)
        outer = None
        try:
            outer = await back.connect(ends).addTimeout(RING_S, self._clock)
        finally:
            if outer is None:
                inner.close()
        assert isinstance(outer, Pipe)
        inner.join(outer)
        await inner.ended


def _unanswered(why: Failure, relay: NodeId) -> None:
    log.debug("a ring of {relay} was not answered: {why}", relay=relay, why=why.getErrorMessage())
