"""The network as a node sees it: listens, dials, lets in who may come, and hands on what peers say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple
from typing import Protocol as Interface

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocol, IReactorTime, ITransport
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from golem.errors import ConfigError, PeerError, Refused
from golem.interfaces import IEntropy, IKeyring
from golem.model.chain import Domain
from golem.model.ids import Address, NodeId
from golem.model.messages import Message, Place
from golem.net.admission import Admission
from golem.net.carrier import DIALS, HANDSHAKE_S, SELF, Carrier, join_place, seen_from, split_place
from golem.net.peer import PeerProtocol
from golem.net.sessions import Sessions
from golem.wire.codec import encode
from golem.wire.seals import payee_proof, verify
from golem.wire.session import NONCE_BYTES, VERSIONS, Hello, Session

log = Logger()


class Identity(NamedTuple):
    """Who we are. `listen`: "host:port", port 0 takes a free one. `address`: how others reach it, or empty if so.

    `gateway`, `epoch`: asked for at each handshake; without an epoch yet, others are sent away. `domain`: what the
    vouchers that we take are for.
    """

    keyring: IKeyring
    network: str
    listen: Place
    address: Place
    gateway: Callable[[], Place]
    epoch: Callable[[], str]
    domain: Domain = Domain()


class Hearer(Interface):
    """Whoever wants to know. Called from the reactor, never from within a call to the network but for `lost`."""

    def connected(
        self, peer: NodeId, address: Place, gateway: Place, payee: Address, epoch: str, dialled: bool
    ) -> None:
        """A session stands; who the peer is has been proved."""

    def lost(self, peer: NodeId) -> None:
        """A session that stood is over."""

    def heard(self, peer: NodeId, sequence: int, message: Message) -> None:
        """A peer said something. After a reconnection numbers that `received` did not tell yet come once more."""

    def dial_failed(self, address: str, why: str) -> None:
        """No session came of dialling `address`."""

    def received(self, peer: NodeId, epoch: str) -> int:
        """The last number taken from a peer in this epoch of it, or 0."""

    def unacknowledged(self, peer: NodeId) -> Sequence[tuple[int, Message]]:
        """Numbered messages that the peer may not have, in order."""

    def acknowledged(self, peer: NodeId, sequence: int) -> None:
        """A peer has our messages up to this number on disk."""


class Network(Service):
    """`address`: where others can dial this node, once it listens. `refused`: how often, by what was too much."""

    def __init__(
        self, carrier: Carrier, clock: IReactorTime, identity: Identity, hearer: Hearer, entropy: IEntropy
    ) -> None:
        self.address: Place = identity.address
        self._carrier = carrier
        self._clock = clock
        self._identity = identity
        self._hearer = hearer
        self._entropy = entropy
        self._admission = Admission()
        self._port: IListeningPort | None = None
        self._payee_proof = b""
        self._sessions = Sessions(identity.keyring.node_id)
        self._dials: dict[str, Deferred[IProtocol]] = {}
        self.refused: Counter[str] = Counter()
        self._transports: dict[PeerProtocol, None] = {}

    # Service

    def startService(self) -> Deferred[None]:
        """Listen. Fails with ConfigError where the port is taken."""
        super().startService()
        self._payee_proof = payee_proof(self._identity.keyring, self._identity.network)
        return Deferred.fromCoroutine(self._listen())

    async def _listen(self) -> None:
        place = self._identity.listen
        try:
            self._port = await self._carrier.listen(place).listen(_Factory(self, self._clock, ""))
        except CannotListenError as why:
            why.__traceback__ = None  # its frames hold the socket that could not be bound
            raise ConfigError(f"node.listen: can't listen on {place} ({why.socketError}); choose another port") from why
        if not self.address:
            self.address = join_place(split_place(place)[0], getattr(self._port.getHost(), "port", 0))
        log.info("listening on {address}", address=self.address)

    def stopService(self) -> Deferred[None]:
        """Say goodbye to all; done when every transport is gone, a second at most."""
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        if self._port is not None:
            port, self._port = self._port, None
            await maybeDeferred(port.stopListening)
        for dial in list(self._dials.values()):
            dial.cancel()
        peers = list(self._transports)
        for peer in peers:
            peer.end("the node stops")
        await DeferredList([peer.gone for peer in peers])

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

    def session(self, transport: ITransport) -> Session:
        """Introduce ourselves."""
        identity = self._identity
        hello = Hello(
            network=identity.network,
            versions=VERSIONS,
            node_id=identity.keyring.node_id,
            epoch=identity.epoch(),
            address=self.address,
            gateway=identity.gateway(),
            payee=identity.keyring.account,
            payee_proof=self._payee_proof,
            nonce=self._entropy.token(NONCE_BYTES),
            at_ms=int(self._clock.seconds() * 1000),
        )
        return Session(hello, self._carrier.binding(transport), identity.keyring.sign)

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
        address, gateway = seen_from(peer.host, hello.address), seen_from(peer.host, hello.gateway)
        log.info("session with {peer} at {address}", peer=node_id, address=address)
        self._hearer.acknowledged(node_id, received)
        peer.acknowledge(self._hearer.received(node_id, hello.epoch))  # more may be on disk than when we said Resume
        self._hearer.connected(node_id, address, gateway, hello.payee, hello.epoch, bool(peer.dialled))
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
        """Count it against the node, or against its host as long as nothing is proved; our own is never banned."""
        name = peer.node_id if peer.hello else peer.host
        is_banned = name not in SELF and self._admission.strike(name, why, self._clock.seconds())
        kind = type(why).__name__
        log.warn("{name} broke a rule: {kind}: {why}", name=name, kind=kind, why=str(why), banned=is_banned)

    def ended(self, peer: PeerProtocol, why: str) -> None:
        """Forget it everywhere."""
        self._admission.handshakes.end(peer)
        if self._sessions.forget(peer):
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

    def __init__(self, network: Network, clock: IReactorTime, dialled: str) -> None:
        self._network = network
        self._clock = clock
        self._dialled = dialled

    def buildProtocol(self, addr: object) -> PeerProtocol:
        """A protocol for a new connection."""
        return PeerProtocol(self._network, self._clock, self._dialled)
