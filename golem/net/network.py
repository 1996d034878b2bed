"""The network as a node sees it: listens, dials, lets in who may come, and hands on what peers say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol as Interface

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IProtocol, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from golem.errors import PeerError, Refused
from golem.interfaces import IEntropy
from golem.model.events import Connected
from golem.model.ids import NodeId
from golem.model.messages import Message, Place
from golem.net.carrier import DIALS, HANDSHAKE_S, SELF, Carrier, seen_from
from golem.net.front import Front
from golem.net.identity import Identity, Introduction
from golem.net.peer import Introduce, PeerProtocol, Signalling
from golem.net.sessions import Sessions
from golem.wire.codec import encode
from golem.wire.seals import verify

log = Logger()


class Hearer(Interface):
    """Whoever wants to know. Called from the reactor, never from within a call to the network but for `lost`."""

    def connected(self, event: Connected) -> None:
        """A session stands; who the peer is has been proved."""

    def lost(self, peer: NodeId) -> None:
        """A session that stood is over."""

    def heard(self, peer: NodeId, sequence: int, message: Message) -> None:
        """A peer said something. After a reconnection numbers that `received` did not tell yet come once more."""

    def located(self, address: Place, is_proved: bool) -> None:
        """Others dial us there from now on; nowhere, where it is empty. `is_proved`: somebody did."""

    def dial_failed(self, address: str, why: str) -> None:
        """No session came of dialling `address`."""

    def received(self, peer: NodeId, epoch: str) -> int:
        """The last number taken from a peer in this epoch of it, or 0."""

    def unacknowledged(self, peer: NodeId) -> Sequence[tuple[int, Message]]:
        """Numbered messages that the peer may not have, in order."""

    def acknowledged(self, peer: NodeId, sequence: int) -> None:
        """A peer has our messages up to this number on disk."""


class Network(Service):
    """`refused`: how often, by what was too much. `front`: where others come in. `introduce`: see `peer.Owner`."""

    def __init__(
        self, carrier: Carrier, clock: IReactorTime, identity: Identity, hearer: Hearer, entropy: IEntropy
    ) -> None:
        self.refused: Counter[str] = Counter()
        self.front = Front(carrier, clock, identity, entropy, self.refused)
        self.front.located = hearer.located
        self.introduce: Introduce = Introduction(identity, carrier.binding, clock, entropy, self.front.where)
        self.signalled: Signalling = self.front.signalled
        self._carrier = carrier
        self._clock = clock
        self._identity = identity
        self._hearer = hearer
        self._admission = self.front.admission
        self._sessions = Sessions(identity.keyring.node_id)
        self._dials: dict[str, Deferred[IProtocol]] = {}
        self._transports: dict[PeerProtocol, None] = {}

    @property
    def address(self) -> Place:
        """Where others can dial this node, once it listens or has a relay."""
        return self.front.address

    # Service

    def startService(self) -> Deferred[None]:
        """Listen. Fails with ConfigError where the port is taken."""
        super().startService()
        sessions, relayed = (_Factory(self, self._clock, "", is_relayed=is_relayed) for is_relayed in (False, True))
        return Deferred.fromCoroutine(self.front.open(sessions, relayed))

    def stopService(self) -> Deferred[None]:
        """Say goodbye to all; done when every transport is gone, a second at most."""
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self.front.close()
        for dial in list(self._dials.values()):
            dial.cancel()
        peers = list(self._transports)
        for peer in peers:
            peer.end("the node stops")
        await DeferredList([peer.gone for peer in peers])
        await self.front.emptied()

    # what the driver asks for

    def dial(self, address: str) -> None:
        """Try once to have a session with whoever listens at "host:port"; nothing happens where there is one."""
        if address in self._dials or any(address in _names(peer) for peer in self._sessions):
            return
        if not self.running or len(self._dials) >= DIALS.limit:
            self.refused[DIALS.name] += 1
            self._hearer.dial_failed(address, f"{DIALS.limit} others are being dialled")
            return
        try:
            endpoint = self._carrier.dial(address)
        except ValueError as why:
            self._hearer.dial_failed(address, str(why))
            return
        self._dials[address] = dialling = endpoint.connect(_Factory(self, self._clock, address))
        dialling.addTimeout(HANDSHAKE_S, self._clock)

        def unreachable(failure: Failure) -> None:
            if self._dials.pop(address, None) is not None:
                self._hearer.dial_failed(address, failure.getErrorMessage())

        dialling.addErrback(unreachable)

    def drop(self, peer: NodeId, why: str) -> None:
        """End a session."""
        if session := self._sessions.get(peer):
            log.info("dropping {peer}: {why}", peer=peer, why=why)
            session.end(why)

    def send(self, peer: NodeId, sequence: int, message: Message) -> None:
        """Send a message, if there is a session; `unacknowledged` names one with a number again."""
        session = self._sessions.get(peer)
        if session is not None and sequence:
            session.send(sequence, message)
        elif session is not None:
            session.gossip(encode(message))

    def whisper(self, message: Message, to: Sequence[NodeId]) -> None:
        """Send to these peers, as far as they are there, without a number."""
        data = encode(message)
        for peer in to:
            if session := self._sessions.get(peer):
                session.gossip(data)

    def acknowledge(self, peer: NodeId, sequence: int) -> None:
        """Tell a peer up to where its messages are on disk."""
        if session := self._sessions.get(peer):
            session.acknowledge(sequence)

    def peers(self) -> Sequence[NodeId]:
        """Nodes that we have a session with."""
        return tuple(session.node_id for session in self._sessions)

    # peer.Owner: connections come

    def began(self, peer: PeerProtocol) -> None:
        """Let it try, or send it away."""
        self._transports[peer] = None
        peer.gone.addCallback(self._transports.pop)
        if not self.running or not self._identity.epoch():
            peer.fail("this node does not take part yet")
        elif not peer.dialled and self._admission.is_banned(peer.host, self._clock.seconds()):
            peer.fail("banned")
        elif over := self._admission.handshakes.begin(peer):
            self.refused[over[1].name] += 1
            over[0].fail("too many handshakes")

    def proved(self, peer: PeerProtocol) -> None:
        """The dialler decides whether to go on."""
        if self._admission.is_banned(peer.node_id, self._clock.seconds()):
            peer.end("banned")
        elif peer.dialled:
            self._go_on(peer, lambda: self._sessions.commit(peer))

    def resumed(self, peer: PeerProtocol, received: int) -> None:
        """The dialler has decided to go on, or the acceptor has agreed: the session is open."""
        if not peer.dialled and not self._go_on(peer, lambda: self._sessions.agree(peer, self._clock.seconds())):
            return
        node_id, hello = peer.node_id, peer.hello
        assert hello is not None, "it has proved who it is"
        self._admission.handshakes.end(peer)
        self._dials.pop(peer.dialled, None)
        peer.open(received)
        self._sessions.opened(peer)
        self.front.opened(peer)
        met = Connected(
            peer=node_id,
            address=seen_from(peer.host, hello.address),
            gateway=seen_from(peer.host, hello.gateway),
            payee=hello.payee,
            epoch=hello.epoch,
            dialled=bool(peer.dialled),
            host=peer.host,
        )
        self._hearer.acknowledged(node_id, received)
        peer.acknowledge(self._hearer.received(node_id, hello.epoch))  # more may be on disk than when we said Resume
        self._hearer.connected(met)
        for sequence, message in self._hearer.unacknowledged(node_id):
            peer.send(sequence, message)

    def _go_on(self, peer: PeerProtocol, decide: Callable[[], None]) -> bool:
        """Say Resume, or goodbye."""
        try:
            decide()
        except Refused as why:
            self.refused[str(why)] += 1
            peer.end(str(why))
            return False
        assert peer.hello is not None, "it has proved who it is"
        peer.resume(self._hearer.received(peer.node_id, peer.hello.epoch))
        return True

    # peer.Owner: what peers do

    def heard(self, peer: PeerProtocol, sequence: int, message: Message) -> None:
        """What others pass on must hold by itself, and an acceptance before the contract."""
        verify(self._identity.network, self._identity.domain, message)
        self._hearer.heard(peer.node_id, sequence, message)

    def acknowledged(self, peer: PeerProtocol, sequence: int) -> None:
        """On the peer's disk."""
        self._hearer.acknowledged(peer.node_id, sequence)

    def broke(self, peer: PeerProtocol, why: PeerError) -> None:
        """Count it against the node, or against its host as long as nothing is proved; our own is never banned.

        Nor is a relay for what it carries.
        """
        name = peer.node_id if peer.hello else peer.host
        is_banned = name not in ("", *SELF) and self._admission.strike(name, why, self._clock.seconds())
        kind = type(why).__name__
        log.warn("{name} broke a rule: {kind}: {why}", name=name, kind=kind, why=str(why), banned=is_banned)

    def ended(self, peer: PeerProtocol, why: str) -> None:
        """Forget it everywhere."""
        self._admission.handshakes.end(peer)
        if self._sessions.forget(peer):
            self.front.closed(peer)
            log.info("session with {peer} is over: {why}", peer=peer.node_id, why=why)
            self._hearer.lost(peer.node_id)
        elif peer.dialled and self._dials.pop(peer.dialled, None) is not None:
            self._hearer.dial_failed(peer.dialled, why)


def _names(peer: PeerProtocol) -> tuple[str, str]:
    """The addresses at which this peer was dialled, and says it can be."""
    return peer.dialled, seen_from(peer.host, peer.hello.address) if peer.hello else ""


class _Factory(Factory):
    """Makes protocols, quietly."""

    noisy = False

    def __init__(self, network: Network, clock: IReactorTime, dialled: str, *, is_relayed: bool = False) -> None:
        self._network = network
        self._clock = clock
        self._dialled = dialled
        self._is_relayed = is_relayed

    def buildProtocol(self, addr: object) -> PeerProtocol:
        """A protocol for a new connection."""
        return PeerProtocol(self._network, self._clock, self._dialled, is_relayed=self._is_relayed)
