"""One session on one transport: writes once per reactor turn, honours back-pressure, notices silence."""

from __future__ import annotations

from collections import deque
from typing import Protocol as Interface

from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IHandshakeListener,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
    ITransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.errors import PeerError
from golem.model.ids import NodeId
from golem.model.messages import Message
from golem.net.carrier import HANDSHAKE_S
from golem.wire.codec import encode
from golem.wire.envelope import MAX_BATCH_BYTES, MAX_MESSAGES
from golem.wire.session import Acknowledged, Ended, Happening, Hello, Phase, Proved, Resumed, Said, Session
from golem.wire.signing import Sign

PING_S = 5.0  # of silence, before we ask
SILENT_S = 15.0  # three pings unanswered: the peer is gone
STALLED_S = 30.0  # a peer that reads nothing for so long is dropped; what it missed is sent when it is back
GOODBYE_S = 1.0  # for a Bye to leave before the transport is torn down
MAX_UNWRITTEN_BYTES = 1 << 20  # answers owed to a peer that asks and does not read
MAX_QUEUED = 40_000  # messages: twice what the node keeps for one peer; past it the session is dropped
MAX_GOSSIP = 1_000  # unnumbered messages waiting for a slow peer; the oldest are forgotten
MAX_UNTAKEN = 4_096  # messages heard and not yet on disk here, then we stop reading: a tenth of a second of turns


class Owner(Interface):
    """What a session needs of the network it belongs to."""

    def binding(self, transport: ITransport) -> bytes:
        """The channel's binding."""

    def greet(self) -> Hello:
        """Our own hello, with a fresh nonce."""

    def began(self, peer: PeerProtocol) -> None:
        """There is a transport."""

    def proved(self, peer: PeerProtocol) -> None:
        """It is known who `peer.hello` is."""

    def resumed(self, peer: PeerProtocol, received: int) -> None:
        """The peer wants to go on after this number."""

    def heard(self, peer: PeerProtocol, sequence: int, message: Message) -> None:
        """The peer said something."""

    def acknowledged(self, peer: PeerProtocol, sequence: int) -> None:
        """The peer has this on disk."""

    def ended(self, peer: PeerProtocol, why: str) -> None:
        """The session is over; called once."""

    def broke(self, peer: PeerProtocol, why: PeerError) -> None:
        """The peer broke a rule; `ended` follows."""

    def closed(self, peer: PeerProtocol) -> None:
        """The transport is gone; called once, after `ended`."""


@implementer(IPushProducer, IHandshakeListener)
class PeerProtocol(Protocol):
    """A peer. `dialled`: the address we dialled, or empty where it dialled us."""

    hello: Hello
    host = ""

    def __init__(self, owner: Owner, clock: IReactorTime, sign: Sign, dialled: str) -> None:
        self.dialled = dialled
        self.opened_at: float | None = None
        self._owner = owner
        self._clock = clock
        self._sign = sign
        self._session: Session | None = None
        self._queue: deque[tuple[int, Message]] = deque()
        self._gossip: deque[bytes] = deque(maxlen=MAX_GOSSIP)
        self._ack = self._taken = 0
        self._untaken: deque[int] = deque()
        self._sent = 0
        self._is_over = self._is_paused = self._is_holding = False
        self._heard_at = 0.0
        self._flush_call: IDelayedCall | None = None
        self._watch_call: IDelayedCall | None = None
        self._stall_call: IDelayedCall | None = None

    @property
    def node_id(self) -> NodeId:
        """Who it is; only once Proved."""
        return self.hello.node_id

    # Twisted's side

    def connectionMade(self) -> None:
        """The handshake begins, and its time runs."""
        self._tcp = ITCPTransport(self.transport)
        self.host = str(getattr(self._tcp.getPeer(), "host", ""))
        self._tcp.setTcpNoDelay(True)
        self._tcp.setTcpKeepAlive(True)
        IConsumer(self.transport).registerProducer(self, True)
        self._watch_call = self._clock.callLater(HANDSHAKE_S, self.fail, f"no handshake within {HANDSHAKE_S:.0f} s")
        self._owner.began(self)

    def handshakeCompleted(self) -> None:
        """The channel stands: say who we are."""
        if self._is_over:
            return
        try:
            self._session = Session(self._owner.greet(), self._owner.binding(self._tcp), self._sign)
        except PeerError as why:
            self._break(why)
        else:
            self._write()

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the peer."""
        session = self._session
        if session is None or self._is_over:
            return
        self._heard_at = self._clock.seconds()
        try:
            for happening in session.receive(data, int(self._heard_at * 1000)):
                self._take(happening)
                if self._is_over:
                    return
            self._write()
        except PeerError as why:
            self._break(why)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The transport is gone."""
        self._finish(reason.getErrorMessage())
        for call in (self._watch_call, self._stall_call):
            if call is not None and call.active():
                call.cancel()
        self._owner.closed(self)

    def _take(self, happening: Happening) -> None:
        match happening:
            case Proved(hello):
                self.hello = hello
                self._owner.proved(self)
            case Resumed(received):
                self._owner.resumed(self, received)
            case Said(sequence, message):
                self._hold(sequence)
                self._owner.heard(self, sequence, message)
            case Acknowledged(sequence):
                self._owner.acknowledged(self, sequence)
            case Ended(reason):
                self.fail(f"the peer ended the session: {reason}")

    # the network's side

    def resume(self, received: int) -> None:
        """Go on with this connection; `received`: the last number taken from this peer."""
        if self._session is not None:
            self._session.resume(received)

    def open(self, received: int) -> None:
        """Both sides go on with this connection; `received`: the last number the peer took."""
        self._sent = received
        self.opened_at = self._heard_at
        if self._watch_call is not None and self._watch_call.active():
            self._watch_call.cancel()
        self._watch_call = self._clock.callLater(PING_S, self._watch)

    def send(self, sequence: int, message: Message) -> None:
        """Send a numbered message at the end of this turn; one that was sent already is skipped."""
        if self._is_over or sequence <= self._sent:
            return
        if len(self._queue) >= MAX_QUEUED:
            self.fail(f"more than {MAX_QUEUED} messages wait for it")
            return
        self._sent = sequence
        self._queue.append((sequence, message))
        self._soon()

    def gossip(self, message: bytes) -> None:
        """Send an encoded message without a number."""
        self._gossip.append(message)
        self._soon()

    def acknowledge(self, sequence: int) -> None:
        """What the peer said is on disk, up to this number."""
        if sequence <= self._taken:
            return
        self._ack = self._taken = sequence
        while self._untaken and self._untaken[0] <= sequence:
            self._untaken.popleft()
        if self._is_holding and len(self._untaken) < MAX_UNTAKEN // 2:
            self._is_holding = False
            self._heard_at = self._clock.seconds()
            IPushProducer(self._tcp).resumeProducing()
        self._soon()

    def end(self, why: str) -> None:
        """Say goodbye and close."""
        session = self._session
        if self._is_over:
            return
        if session is not None and not self._is_paused:
            self._flush()
            session.end(why)
            self._write()
        if self._is_over:
            return
        self._finish(why)
        IConsumer(self._tcp).unregisterProducer()
        self._tcp.loseConnection()
        self._watch_call = self._clock.callLater(GOODBYE_S, self._tcp.abortConnection)

    def fail(self, why: str) -> None:
        """Close at once."""
        if not self._is_over:
            self._finish(why)
            self._tcp.abortConnection()

    def _break(self, why: PeerError) -> None:
        """The peer broke a rule: it is told, if it reads, and closed."""
        self._owner.broke(self, why)
        self.end(str(why))

    def _finish(self, why: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._queue.clear()
        self._gossip.clear()
        for call in (self._flush_call, self._watch_call, self._stall_call):
            if call is not None and call.active():
                call.cancel()
        self._owner.ended(self, why)

    # writing

    def _soon(self) -> None:
        if self._flush_call is None and not self._is_over:
            self._flush_call = self._clock.callLater(0, self._flush_now)

    def _flush_now(self) -> None:
        self._flush_call = None
        self._flush()

    def _flush(self) -> None:
        """Write what waits: one signature for as many messages as one envelope takes, until the transport is full."""
        session = self._session
        if session is None or session.phase is not Phase.OPEN:
            return
        if self._ack:
            session.acknowledge(self._ack)
            self._ack = 0
        now_ms = int(self._clock.seconds() * 1000)
        while not self._is_paused and not self._is_over and (self._queue or self._gossip):
            sequence, batch = self._numbered() if self._queue else (0, self._unnumbered())
            session.say(sequence, batch, now_ms)
            self._write()
        self._write()

    def _numbered(self) -> tuple[int, list[bytes]]:
        """The next messages that fit one envelope, and the number of the first."""
        first, message = self._queue.popleft()
        batch = [encode(message)]
        size = len(batch[0])
        while self._queue and len(batch) < MAX_MESSAGES:
            sequence, message = self._queue[0]
            data = encode(message)
            size += len(data)
            if size > MAX_BATCH_BYTES or sequence != first + len(batch):
                break
            batch.append(data)
            self._queue.popleft()
        return first, batch

    def _unnumbered(self) -> list[bytes]:
        """As `_numbered`; gossip is small (the largest legal one is 3 KiB), so that their count is limit enough."""
        return [self._gossip.popleft() for _ in range(min(len(self._gossip), MAX_MESSAGES))]

    def _write(self) -> None:
        session = self._session
        if session is None:
            return
        if not self._is_paused and session.waiting:
            self._tcp.write(session.take())
        elif session.waiting > MAX_UNWRITTEN_BYTES:
            self.fail("it asks and does not read the answers")

    # IPushProducer: what the transport says about our writing

    def pauseProducing(self) -> None:
        """The peer reads more slowly than we write."""
        self._is_paused = True
        if self._stall_call is None and not self._is_over:
            self._stall_call = self._clock.callLater(STALLED_S, self.fail, f"it read nothing for {STALLED_S:.0f} s")

    def resumeProducing(self) -> None:
        """There is room again."""
        self._is_paused = False
        if self._stall_call is not None and self._stall_call.active():
            self._stall_call.cancel()
        self._stall_call = None
        self._soon()

    def stopProducing(self) -> None:
        """The transport goes away; `connectionLost` follows."""
        self._is_paused = True

    # listening

    def _hold(self, sequence: int) -> None:
        """Read no more from a peer that speaks faster than the disk takes."""
        if sequence > self._taken:
            self._untaken.append(sequence)
            if len(self._untaken) >= MAX_UNTAKEN and not self._is_holding:
                self._is_holding = True
                IPushProducer(self._tcp).pauseProducing()

    def _watch(self) -> None:
        """Ask a silent peer whether it is there; give it up after a while."""
        silent = self._clock.seconds() - self._heard_at
        if silent >= SILENT_S and not self._is_holding:
            self.fail(f"silent for {silent:.0f} s")
            return
        if silent >= PING_S and self._session is not None:
            self._session.ping()
            self._write()
        self._watch_call = self._clock.callLater(PING_S - silent if silent < PING_S else PING_S, self._watch)
