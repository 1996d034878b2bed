"""All sessions of a node: listens, dials, keeps one session per peer, and hands on what is said.

Where two nodes meet twice, both keep the same connection. The dialler decides first: with a session to that peer open
already, it goes no further. So a second commitment comes from a peer that has lost the first session, and replaces it;
or from two that dialled each other at once, and then the connection dialled by the lower node id stays.
"""

from __future__ import annotations

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

from golem.errors import ConfigError, PeerError
from golem.interfaces import IEntropy, IKeyring
from golem.model.ids import Address, NodeId
from golem.model.messages import Demand, Message, Place
from golem.net.admission import Admission
from golem.net.carrier import HANDSHAKE_S, Carrier, join_place, split_place
from golem.net.peer import PeerProtocol
from golem.wire.codec import encode
from golem.wire.session import NONCE_BYTES, VERSIONS, Hello
from golem.wire.signing import payee_digest, verify_demand

MAX_INBOUND = 64  # open sessions that others dialled
MAX_PENDING = 64  # connections in their handshake; the oldest gives way, since an honest one takes no time
MAX_DIALS = 64  # under way; the core wants eight sessions

log = Logger()


class Identity(NamedTuple):
    """Who we are. `listen`: "host:port", port 0 takes a free one. `address`: how others reach it, or empty if so.

    `gateway`, `epoch`: asked for at each handshake; without an epoch yet, others are sent away.
    """

    keyring: IKeyring
    network: str
    listen: Place
    address: Place
    gateway: Callable[[], Place]
    epoch: Callable[[], str]


class Hearer(Interface):
    """Whoever wants to know. Called from the reactor, never from within a call to the network but for `lost`."""

    def connected(self, peer: NodeId, address: Place, gateway: Place, payee: Address, epoch: str) -> None:
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
    """`address`: where others can dial this node, once it listens."""

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
        self._dials: dict[str, Deferred[IProtocol]] = {}
        self._pending: dict[PeerProtocol, None] = {}
        self._committed: dict[NodeId, PeerProtocol] = {}
        self._open: dict[NodeId, PeerProtocol] = {}
        self._transports: dict[PeerProtocol, Deferred[None]] = {}

    # Service

    def startService(self) -> Deferred[None]:
        """Listen. Fails with ConfigError where the port is taken."""
        super().startService()
        keyring = self._identity.keyring
        self._payee_proof = keyring.sign_payment(payee_digest(self._identity.network, keyring.node_id))
        return Deferred.fromCoroutine(self._listen())

    async def _listen(self) -> None:
        place = self._identity.listen
        try:
            self._port = await self._carrier.listen(place).listen(_Factory(lambda: self._make("")))
        except CannotListenError as why:
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
        for peer in list(self._transports):
            peer.end("the node stops")
        await DeferredList(list(self._transports.values()))

    # what the driver asks for

    def dial(self, address: str) -> None:
        """Try once to have a session with whoever listens at "host:port"; nothing happens where there is one."""
        if address in self._dials or any(
            address in (p.dialled, self._place(p, p.hello.address)) for p in self._open.values()
        ):
            return
        if not self.running or len(self._dials) >= MAX_DIALS:
            self._hearer.dial_failed(address, f"{MAX_DIALS} others are being dialled")
            return
        try:
            endpoint = self._carrier.dial(address)
        except ValueError as why:
            self._hearer.dial_failed(address, str(why))
            return
        self._dials[address] = dialling = endpoint.connect(_Factory(lambda: self._make(address)))
        dialling.addTimeout(HANDSHAKE_S, self._clock)
        dialling.addErrback(self._unreachable, address)

    def drop(self, peer: NodeId, why: str) -> None:
        """End a session."""
        if peer in self._open:
            log.info("dropping {peer}: {why}", peer=peer, why=why)
            self._open[peer].end(why)

    def send(self, peer: NodeId, sequence: int, message: Message) -> None:
        """Send a numbered message, if there is a session; `unacknowledged` names it again when there is a new one."""
        if peer in self._open:
            self._open[peer].send(sequence, message)

    def broadcast(self, message: Message, but: Sequence[NodeId] = ()) -> None:
        """Send to all peers that are there, without a number."""
        data = encode(message)
        for node_id, peer in self._open.items():
            if node_id not in but:
                peer.gossip(data)

    def acknowledge(self, peer: NodeId, sequence: int) -> None:
        """Tell a peer up to where its messages are on disk."""
        if peer in self._open:
            self._open[peer].acknowledge(sequence)

    def peers(self) -> Sequence[NodeId]:
        """Nodes that we have a session with."""
        return tuple(self._open)

    # connections come

    def _make(self, dialled: str) -> PeerProtocol:
        return PeerProtocol(self, self._clock, self._identity.keyring.sign, dialled)

    def _unreachable(self, failure: Failure, address: str) -> None:
        if self._dials.pop(address, None) is not None:
            self._hearer.dial_failed(address, failure.getErrorMessage())

    def began(self, peer: PeerProtocol) -> None:
        """`peer.Owner`: there is a transport."""
        self._transports[peer] = Deferred()
        if not self.running or not self._identity.epoch():
            peer.fail("this node does not take part yet")
        elif not peer.dialled and self._admission.is_banned(peer.host, self._clock.seconds()):
            peer.fail("banned")
        else:
            if len(self._pending) >= MAX_PENDING:
                next(iter(self._pending)).fail("too many handshakes")
            self._pending[peer] = None

    def binding(self, transport: ITransport) -> bytes:
        """`peer.Owner`: the channel's binding."""
        return self._carrier.binding(transport)

    def greet(self) -> Hello:
        """`peer.Owner`: our own hello."""
        identity = self._identity
        return Hello(
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

    # one session per peer

    def proved(self, peer: PeerProtocol) -> None:
        """`peer.Owner`: the dialler decides whether to go on."""
        if self._admission.is_banned(peer.node_id, self._clock.seconds()):
            peer.end("banned")
        elif peer.dialled:
            if peer.node_id in self._open or peer.node_id in self._committed:
                peer.end("there is a session already")
            else:
                self._committed[peer.node_id] = peer
                peer.resume(self._hearer.received(peer.node_id, peer.hello.epoch))

    def resumed(self, peer: PeerProtocol, received: int) -> None:
        """`peer.Owner`: the dialler has decided to go on, or the acceptor has agreed."""
        if not peer.dialled and not self._agree(peer):
            return
        node_id = peer.node_id
        self._committed.pop(node_id, None)
        self._pending.pop(peer, None)
        self._dials.pop(peer.dialled, None)
        peer.open(received)
        self._open[node_id] = peer
        hello = peer.hello
        address, gateway = self._place(peer, hello.address), self._place(peer, hello.gateway)
        log.info("session with {peer} at {address}", peer=node_id, address=address)
        self._hearer.acknowledged(node_id, received)
        peer.acknowledge(self._hearer.received(node_id, hello.epoch))  # more may be on disk than when we said Resume
        self._hearer.connected(node_id, address, gateway, hello.payee, hello.epoch)
        for sequence, message in self._hearer.unacknowledged(node_id):
            peer.send(sequence, message)

    def _agree(self, peer: PeerProtocol) -> bool:
        """Whether to go on with a connection that a peer dialled and wants; an older one to it gives way then."""
        older = self._open.get(peer.node_id) or self._committed.get(peer.node_id)
        if older is None and sum(not other.dialled for other in self._open.values()) >= MAX_INBOUND:
            peer.end("this node has sessions enough")
            return False
        if older is not None:
            opened_at = older.opened_at
            is_fresh = opened_at is None or self._clock.seconds() - opened_at < HANDSHAKE_S
            if older.dialled and is_fresh and self._identity.keyring.node_id < peer.node_id:
                peer.end("there is a session already")
                return False
            older.end("there is a newer session")
        peer.resume(self._hearer.received(peer.node_id, peer.hello.epoch))
        return True

    def _place(self, peer: PeerProtocol, place: Place) -> Place:
        """Where a peer says it is; a host that only it could dial is replaced by the one it comes from."""
        host, port = split_place(place)
        if not port or (host not in _ANY and (host not in _SELF or peer.host in _SELF)):
            return place
        return join_place(peer.host, port)

    # what peers do

    def heard(self, peer: PeerProtocol, sequence: int, message: Message) -> None:
        """`peer.Owner`: a demand must hold by itself, whoever passes it on."""
        if isinstance(message, Demand):
            verify_demand(self._identity.network, message)
        self._hearer.heard(peer.node_id, sequence, message)

    def acknowledged(self, peer: PeerProtocol, sequence: int) -> None:
        """`peer.Owner`: on the peer's disk."""
        self._hearer.acknowledged(peer.node_id, sequence)

    def broke(self, peer: PeerProtocol, why: PeerError) -> None:
        """`peer.Owner`: count it against the node, or against its host as long as nothing is proved."""
        name = peer.node_id if hasattr(peer, "hello") else peer.host
        is_banned = self._admission.strike(name, why, self._clock.seconds())
        kind = type(why).__name__
        log.warn("{name} broke a rule: {kind}: {why}", name=name, kind=kind, why=str(why), banned=is_banned)

    def ended(self, peer: PeerProtocol, why: str) -> None:
        """`peer.Owner`: forget it everywhere."""
        self._pending.pop(peer, None)
        node_id = peer.hello.node_id if hasattr(peer, "hello") else None
        if node_id is not None and self._committed.get(node_id) is peer:
            del self._committed[node_id]
        if node_id is not None and self._open.get(node_id) is peer:
            del self._open[node_id]
            log.info("session with {peer} is over: {why}", peer=node_id, why=why)
            self._hearer.lost(node_id)
        elif peer.dialled and self._dials.pop(peer.dialled, None) is not None:
            self._hearer.dial_failed(peer.dialled, why)

    def closed(self, peer: PeerProtocol) -> None:
        """`peer.Owner`: the transport is gone."""
        self._transports.pop(peer).callback(None)


_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - what a peer may say about itself, not where we listen
_SELF = ("127.0.0.1", "::1", "localhost")


class _Factory(Factory):
    """Makes one kind of protocol, quietly."""

    noisy = False

    def __init__(self, make: Callable[[], PeerProtocol]) -> None:
        self._make = make

    def buildProtocol(self, addr: object) -> PeerProtocol:
        """A protocol for a new connection."""
        return self._make()
