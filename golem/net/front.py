"""Where others come in: the port and its door, what is known of who gets in there, and relays where nobody does.

A node that does not listen, or that nobody can dial, has two of the peers it dialled carry connections to it; its
address is then "relay's host:port/its own id". A peer that it dialled itself reaches its content without a relay, at
"/its own id": it rings over their session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from golem.interfaces import IEntropy
from golem.model.budgets import KNOCK_S
from golem.model.messages import Place
from golem.net.admission import Admission
from golem.net.carrier import Carrier, join_place, split_place
from golem.net.circuits import Back, Circuits
from golem.net.door import RING_S, Door, Through, open_port
from golem.net.guest import Guest
from golem.net.identity import Identity
from golem.net.peer import PeerProtocol
from golem.net.reachability import Reachability, Verdict
from golem.wire.doorway import Call, Knock, Rap, Reserve, Reserved, Ring, Signal, Visit, What, calling, line

log = Logger()


class Front:
    """`located`: called with our address, and whether somebody came in there, when either changes.

    `admission`: whom we hear out, which the network shares.
    """

    located: Callable[[Place, bool], None]

    def __init__(
        self, carrier: Carrier, clock: IReactorTime, identity: Identity, entropy: IEntropy, refused: Counter[str]
    ) -> None:
        self.admission = Admission()
        self.reachability = Reachability(clock, entropy, self._outer_port, self._moved)
        self._carrier = carrier
        self._clock = clock
        self._identity = identity
        self._refused = refused
        self._port: IListeningPort | None = None
        self._direct: Place = identity.address
        self._told = (identity.address, False)
        self._peers: dict[str, PeerProtocol] = {}
        self._knocked: dict[str, float] = {}
        self._knocking: dict[Deferred[None], None] = {}
        self._doors: dict[Door, None] = {}
        own = identity.keyring.node_id
        self._circuits = Circuits(clock, entropy, refused)
        self._guest = Guest(own, clock, carrier.plain, identity.shelf, refused, self._moved)

    # our place

    async def open(self, sessions: IProtocolFactory, relayed: IProtocolFactory) -> None:
        """Listen, where we do. `relayed`: what speaks with callers that a relay carries. Raises ConfigError."""
        self._guest.sessions = self._carrier.accepted(relayed)
        place = self._identity.listen
        if not place:
            self.reachability.verdict = Verdict.SILENT
            log.info("not listening: others reach this node through those it dials")
            return
        self._port = await open_port(self._carrier.listen(place, self), place, sessions)
        if not self._direct:
            self._direct = join_place(split_place(place)[0], getattr(self._port.getHost(), "port", 0))
        self._told = (self.address, False)
        log.info("listening on {address}", address=self.address)

    async def close(self) -> None:
        """Listen no more, and carry nothing."""
        if self._port is not None:
            port, self._port = self._port, None
            await maybeDeferred(port.stopListening)
        for knocking in list(self._knocking):
            knocking.cancel()
        for door in list(self._doors):
            door.fail("the node stops")
        self._circuits.close()
        self.reachability.stop()

    async def emptied(self) -> None:
        """Done when every connection that came is over; those of sessions end with these."""
        await DeferredList([door.gone for door in self._doors])

    @property
    def address(self) -> Place:
        """Where others can dial us: straight, or else through a relay; empty where neither is known."""
        is_straight = self._direct and self.reachability.verdict is not Verdict.NO
        return self._direct if is_straight else self._guest.place or self._direct

    def where(self) -> tuple[Place, Place]:
        """Our address and our gateway."""
        if "/" in self.address or self.reachability.verdict is Verdict.SILENT:
            return self.address, self.address or f"/{self._identity.keyring.node_id}"
        return self.address, self._identity.gateway()

    def reached(self) -> tuple[str, str]:
        """How others get in, in words; and what the user may do about it, or nothing."""
        way = f"through a relay, at {self._guest.place}" if self._guest.place else "by nobody that we did not dial"
        match self.reachability.verdict:
            case Verdict.YES:
                return "straight: a peer has dialled us", ""
            case Verdict.UNKNOWN:
                return "not known yet: no peer has tried", ""
            case Verdict.SILENT:
                return f"{way}: this node does not listen", ""
        port = self._outer_port()
        advice = f"peers dialled port {port} and did not get in: forward it in your router, and set node.address"
        return f"{way}: peers tried port {port} in vain", advice

    def _outer_port(self) -> int:
        return int(split_place(self._direct)[1] or 0)

    def _moved(self) -> None:
        """A relay came or went, or it is known now who gets in."""
        self._seek()
        now = (self.address, self.reachability.verdict is Verdict.YES)
        if now != self._told:
            self._told = now
            log.info("reached at {address}", address=self.address or "no address", proved=now[1])
            self.located(*now)

    def _seek(self) -> None:
        if self.reachability.verdict in (Verdict.NO, Verdict.SILENT):
            self._guest.seek(self._peers.values())

    # sessions

    def opened(self, peer: PeerProtocol) -> None:
        """A session opened."""
        self._peers[peer.node_id] = peer
        self.reachability.met(peer)
        self._seek()

    def closed(self, peer: PeerProtocol) -> None:
        """It is over."""
        if self._peers.get(peer.node_id) is peer:
            del self._peers[peer.node_id]
        self._circuits.leave(peer)
        self._guest.left(peer)

    def signalled(self, peer: PeerProtocol, signal: Signal) -> None:
        """A peer says something about how it, or we, can be reached."""
        match signal:
            case Reserve():
                may_relay = self._identity.relay and self._port is not None and not peer.dialled
                peer.signal(Reserved(is_granted=may_relay and self._circuits.reserve(peer)))
            case Reserved(is_granted=is_granted):
                self._guest.told(peer, is_granted=is_granted)
            case Ring():
                self._guest.rung(peer, signal)
            case Knock():
                self._knock(peer, signal)

    def _knock(self, peer: PeerProtocol, knock: Knock) -> None:
        """Dial back to where this peer's own session comes from, and nowhere else; seldom."""
        now = self._clock.seconds()
        if peer.dialled or peer.is_relayed or now - self._knocked.get(peer.node_id, -KNOCK_S.limit) < KNOCK_S.limit:
            self._refused[KNOCK_S.name] += 1
            return
        self._knocked = {node: at for node, at in self._knocked.items() if now - at < KNOCK_S.limit}
        self._knocked[peer.node_id] = now
        there = Through(self._carrier.plain(join_place(peer.host, knock.port)), line(Rap(knock.token)))
        dial = connectProtocol(there, _Done()).addTimeout(RING_S, self._clock)
        knocking: Deferred[None] = dial.addCallbacks(
            _Done.ended, lambda why: log.debug("{peer} is not reached: {why}", peer=peer.host, why=why)
        )
        if not knocking.called:
            self._knocking[knocking] = None
            knocking.addBoth(lambda _: self._knocking.pop(knocking))

    def content(self, place: Place) -> IStreamClientEndpoint:
        """The gateway of a node that can't be dialled. Raises ValueError where `place` says no such thing."""
        relay, _, node = place.partition("/")
        peer = self._peers.get(node)
        if peer is not None and not peer.dialled and not peer.is_relayed and self._port is not None:
            return Back(self._circuits, peer)
        return Through(self._carrier.plain(relay), calling(node, What.CONTENT))

    # door.Porter

    def came(self, door: Door) -> None:
        """Let it stand there, or send it away."""
        self._doors[door] = None
        door.gone.addCallback(self._doors.pop)
        if self.admission.is_banned(door.host, self._clock.seconds()):
            door.fail("banned")
        elif over := self.admission.handshakes.begin(door):
            self._refused[over[1].name] += 1
            over[0].fail("too many handshakes")

    def left(self, door: Door) -> None:
        """It went in, or away."""
        self.admission.handshakes.end(door)

    def visited(self, door: Door, visit: Visit) -> None:
        """It is no session, but wants something."""
        match visit:
            case Call():
                self._circuits.call(door, visit)
            case Rap(token):
                self.reachability.knocked(token)
                door.welcome(_Done())
            case _:
                self._circuits.answer(door, visit.token)


class _Done(Protocol):
    """Has nothing more to say, and hangs up."""

    def __init__(self) -> None:
        self._gone: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        """All has been said."""
        assert self.transport is not None, "it is connected"
        self.transport.loseConnection()

    def ended(self) -> Deferred[None]:
        """Fires when the connection is over."""
        return self._gone

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        if not self._gone.called:
            self._gone.callback(None)
