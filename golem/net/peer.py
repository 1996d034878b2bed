"""One session on one transport: a handshake in time, happenings passed on, silence noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol as Interface

from twisted.internet.defer import Deferred
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
from golem.net.intake import Intake, cost
from golem.net.writer import Writer
from golem.wire.doorway import Signal
from golem.wire.session import Acknowledged, Ended, Happening, Hello, Proved, Resumed, Said, Session, Signalled

PING_S = 7.0  # of silence, before we ask
EARLY_S = 1.0  # sooner than we need to ask: cheaper than to look again in a moment, since answers take a while
LATER_S = 2.0  # an acceptor asks later than the dialler, who is answered by then: one of the two asks, not both
SILENT_S = 15.0  # two pings unanswered: the peer is gone
GOODBYE_S = 1.0  # for a Bye to leave before the transport is torn down


Introduce = Callable[[ITransport], Session]
Signalling = Callable[["PeerProtocol", Signal], None]


class Owner(Interface):
    """What a session needs of the network it belongs to. `refused`: how often, by what was too much.

    `introduce`: makes our side of a session on a channel. Raises Incompatible where the other speaks something else.
    `signalled`: called with what a peer says about how it, or we, can be reached.
    """

    refused: Counter[str]
    introduce: Introduce
    signalled: Signalling

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

    def broke(self, peer: PeerProtocol, why: PeerError) -> None:
        """The peer broke a rule; `ended` follows."""

    def ended(self, peer: PeerProtocol, why: str) -> None:
        """The session is over; called once. The transport may live on for a moment, until `peer.gone`."""


@implementer(IHandshakeListener)
class PeerProtocol(Protocol):
    """A peer. `dialled`: the address we dialled, or empty where it dialled us. `gone`: fires with the transport's end.

    `hello`: who it is, once Proved. `opened_at`: when the session opened, in seconds. `is_relayed`: another node
    carries it; `host` is empty then, for it is not the peer's.
    """

    def __init__(self, owner: Owner, clock: IReactorTime, dialled: str, *, is_relayed: bool = False) -> None:
        self.dialled = dialled
        self.is_relayed = is_relayed or "/" in dialled
        self.host = ""
        self.hello: Hello | None = None
        self.opened_at: float | None = None
        self.gone: Deferred[PeerProtocol] = Deferred()
        self._owner = owner
        self._clock = clock
        self._session: Session | None = None
        self._is_over = False
        self._heard_at = 0.0
        self._watch_call: IDelayedCall | None = None

    @property
    def node_id(self) -> NodeId:
        """Who it is; only once Proved."""
        assert self.hello is not None, "not proved yet"
        return self.hello.node_id

    # Twisted's side

    def connectionMade(self) -> None:
        """The handshake begins, and its time runs."""
        self._tcp = ITCPTransport(self.transport)
        self.host = "" if self.is_relayed else str(getattr(self._tcp.getPeer(), "host", ""))
        self._tcp.setTcpNoDelay(True)
        self._tcp.setTcpKeepAlive(True)
        self._writer = Writer(self._tcp, self._clock, self.fail)
        self._intake = Intake(self._clock, IPushProducer(self._tcp), self._owner.refused)
        IConsumer(self._tcp).registerProducer(self._writer, True)
        self._watch_in(HANDSHAKE_S, self.fail, f"no handshake within {HANDSHAKE_S:.0f} s")
        self._owner.began(self)

    def handshakeCompleted(self) -> None:
        """The channel stands: say who we are."""
        if self._is_over:
            return
        try:
            self._session = self._owner.introduce(self._tcp)
        except PeerError as why:
            self._break(why)
        else:
            self._writer.begin(self._session)

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
            self._writer.write()
        except PeerError as why:
            self._break(why)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The transport is gone."""
        self._finish(reason.getErrorMessage())
        self._unwatch()
        self.gone.callback(self)

    def _take(self, happening: Happening) -> None:
        match happening:
            case Proved(hello):
                self.hello = hello
                self._owner.proved(self)
            case Resumed(received):
                self._owner.resumed(self, received)
            case Said(sequence, message):
                self._intake.said(sequence, cost(message))
                self._owner.heard(self, sequence, message)
            case Acknowledged(sequence):
                self._owner.acknowledged(self, sequence)
            case Signalled(signal):
                self._owner.signalled(self, signal)
            case Ended(reason):
                self.fail(f"the peer ended the session: {reason}")

    # the network's side

    def resume(self, received: int) -> None:
        """Go on with this connection; `received`: the last number taken from this peer."""
        if self._session is not None:
            self._session.resume(received)

    def open(self, received: int) -> None:
        """Both sides go on with this connection; `received`: the last number the peer took."""
        self.opened_at = self._heard_at
        self._writer.skip(received)
        self._watch_in(PING_S, self._watch)

    def send(self, sequence: int, message: Message) -> None:
        """Send a numbered message at the end of this turn."""
        self._writer.send(sequence, message)

    def gossip(self, message: bytes) -> None:
        """Send an encoded message without a number."""
        self._writer.gossip(message)

    def acknowledge(self, sequence: int) -> None:
        """What the peer said is on disk, up to this number."""
        if self._intake.taken(sequence):
            self._writer.acknowledge(sequence)

    def signal(self, signal: Signal) -> None:
        """Say how we, or it, can be reached; at once, and never kept for later."""
        if self._session is not None and not self._is_over:
            self._session.signal(signal)
            self._writer.write()

    def end(self, why: str) -> None:
        """Say goodbye and close."""
        if self._is_over:
            return
        self._writer.goodbye(why)
        if self._is_over:
            return
        self._finish(why)
        IConsumer(self._tcp).unregisterProducer()
        self._tcp.loseConnection()
        self._watch_in(GOODBYE_S, self._tcp.abortConnection)

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
        if not self._is_over:
            self._is_over = True
            self._writer.stop()
            self._intake.stop()
            self._unwatch()
            self._owner.ended(self, why)

    # time

    def _watch_in(self, seconds: float, call: Callable[..., None], *args: str) -> None:
        """Replace what happens next if nothing else does."""
        self._unwatch()
        self._watch_call = self._clock.callLater(seconds, call, *args)

    def _unwatch(self) -> None:
        if self._watch_call is not None and self._watch_call.active():
            self._watch_call.cancel()

    def _watch(self) -> None:
        """Ask a silent peer whether it is there; give it up after a while."""
        now = self._clock.seconds()
        patience = PING_S if self.dialled else PING_S + LATER_S
        if self._intake.is_holding:
            self._heard_at = now - patience  # it is not silent, we don't listen; but it shall hear that we live
        silent = now - self._heard_at
        if silent >= SILENT_S:
            self.fail(f"silent for {silent:.0f} s")
            return
        if silent < patience - EARLY_S:
            self._watch_in(patience - silent, self._watch)
            return
        if self._session is not None:
            self._session.ping()
            self._writer.write()
        self._watch_in(min(PING_S, SILENT_S - silent), self._watch)
