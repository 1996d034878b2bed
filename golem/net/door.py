"""The door: a connection shows by its first bytes what it is, before it costs more than those.

A session begins with a TLS record, and gets its TLS once that record is whole; so whoever says nothing, or a byte now
and then, or announces more than a greeting needs, costs a small object for a few seconds. A visitor who has no session
in mind says one line (`golem.wire.doorway`), and hears one.
"""

from __future__ import annotations

from typing import Protocol as Interface

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IDelayedCall,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.errors import ConfigError, Malformed, Refused
from golem.model.budgets import DOOR, DOOR_S
from golem.wire.doorway import MAX_LINE_BYTES, YES, Visit, no, visit

TLS_HANDSHAKE = 0x16
RING_S = 10.0  # for a guest to dial back, or for us to dial it
TLS_HEAD_BYTES = 5  # kind, version, and how long the record is


class Porter(Interface):
    """Who looks after the door."""

    def came(self, door: Door) -> None:
        """Somebody stands there; `door.fail` sends it away."""

    def left(self, door: Door) -> None:
        """It has gone in, or away; called once."""

    def visited(self, door: Door, visit: Visit) -> None:
        """It has said its line: `door.welcome` or `door.refuse` it, now or soon."""


class Door(Protocol):
    """One connection that came. `sessions`: makes what goes on with it where a session begins. `gone`: it is over."""

    def __init__(self, porter: Porter, clock: IReactorTime, sessions: IProtocolFactory) -> None:
        self.host = ""
        self.gone: Deferred[Door] = Deferred()
        self._porter = porter
        self._clock = clock
        self._sessions = sessions
        self._said = b""
        self._inside: IProtocol | None = None
        self._is_visited = self._has_left = False
        self._patience: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """It has a few seconds to say what it wants."""
        self._tcp = ITCPTransport(self.transport)
        self.address = self._tcp.getPeer()
        self.host = str(getattr(self.address, "host", ""))
        self._patience = self._clock.callLater(DOOR_S.limit, self.fail, "it said nothing")
        self._porter.came(self)

    def dataReceived(self, data: bytes) -> None:
        """Hand on what is for whoever is inside, and look at the rest."""
        if self._inside is not None:
            self._inside.dataReceived(data)
            return
        self._said += data
        if self._is_visited or self._has_left:
            if len(self._said) > DOOR.limit:
                self.fail("it does not wait for an answer")
        elif self._said[0] == TLS_HANDSHAKE:
            self._greeted()
        else:
            self._heard()

    def _greeted(self) -> None:
        if len(self._said) < TLS_HEAD_BYTES:
            return
        size = TLS_HEAD_BYTES + int.from_bytes(self._said[3:TLS_HEAD_BYTES], "big")
        if size > DOOR.limit:
            self.fail("it announces too much")
        elif len(self._said) >= size:
            inside = self._sessions.buildProtocol(self.address)
            assert inside is not None, "factories of this project never refuse"
            self._enter(inside)

    def _heard(self) -> None:
        said, newline, rest = self._said.partition(b"\n")
        if not newline:
            if len(said) > MAX_LINE_BYTES or not said.startswith(b"golem "[: len(said)]):
                self.fail("it speaks neither TLS nor our line")
            return
        try:
            wish = visit(said)
        except Malformed as why:
            self.refuse(str(why))
            return
        self._said, self._is_visited = rest, True
        if self._patience is not None:
            self._patience.reset(RING_S + 1)
        self._porter.visited(self, wish)

    def welcome(self, inside: IProtocol) -> bool:
        """Let it in: from here on, `inside` speaks with it. False where it has gone."""
        if self._has_left:
            return False
        self._tcp.write(YES)
        self._enter(inside)
        return True

    def _enter(self, inside: IProtocol) -> None:
        self._leave()
        said, self._said = self._said, b""
        self._inside = inside
        inside.makeConnection(self._tcp)
        if said:
            inside.dataReceived(said)

    def refuse(self, why: str) -> None:
        """Turn it away with a word."""
        if not self._has_left:
            self._tcp.write(no(why))
            self._tcp.loseConnection()
            self._leave()

    def fail(self, why: str) -> None:
        """Turn it away at once."""
        if not self._has_left:
            self._tcp.abortConnection()
            self._leave()

    def _leave(self) -> None:
        self._has_left = True
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        self._porter.left(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone."""
        if self._inside is not None:
            self._inside.connectionLost(reason)
        elif not self._has_left:
            self._leave()
        self.gone.callback(self)


class Doors(Factory):
    """Makes doors, quietly."""

    noisy = False

    def __init__(self, porter: Porter, clock: IReactorTime, sessions: IProtocolFactory) -> None:
        self._porter = porter
        self._clock = clock
        self._sessions = sessions

    def buildProtocol(self, addr: object) -> Door:
        """A door for a new connection."""
        return Door(self._porter, self._clock, self._sessions)


async def open_port(endpoint: IStreamServerEndpoint, place: str, factory: IProtocolFactory) -> IListeningPort:
    """Listen. Raises ConfigError where that can't be."""
    try:
        return await endpoint.listen(factory)
    except CannotListenError as why:
        why.__traceback__ = None  # its frames hold the socket that could not be bound
        raise ConfigError(f"node.listen: can't listen on {place} ({why.socketError}); choose another port") from why


@implementer(IStreamClientEndpoint)
class Through:
    """An endpoint behind the door of another: says the line there, and goes on once it is let in."""

    def __init__(self, plain: IStreamClientEndpoint, said: bytes) -> None:
        self._plain = plain
        self._said = said

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Fires once let in; fails with Refused where turned away. The caller bounds the wait."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        visitor: _Visitor = await connectProtocol(self._plain, _Visitor())
        return await visitor.go(self._said, factory)


class _Visitor(Protocol):
    """Says a line and waits for the answer."""

    _inside: IProtocol | None = None
    _factory: IProtocolFactory
    _answer = b""

    def go(self, said: bytes, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Knock; cancelled, it goes away."""
        self._factory = factory
        self._done: Deferred[IProtocol] = Deferred(lambda _: self._tcp.abortConnection())
        self._tcp.write(said)
        return self._done

    def connectionMade(self) -> None:
        """Nothing is said before `go`."""
        self._tcp = ITCPTransport(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """The answer, or what follows it."""
        if self._inside is not None:
            self._inside.dataReceived(data)
            return
        self._answer += data
        answer, newline, rest = self._answer.partition(b"\n")
        if answer + newline == YES:
            self._enter(rest)
        elif newline or len(answer) > MAX_LINE_BYTES:
            said = answer[:MAX_LINE_BYTES].decode("ascii", "replace")
            self._tcp.abortConnection()
            if not self._done.called:
                self._done.errback(Refused(f"turned away at the door: {said}"))

    def _enter(self, rest: bytes) -> None:
        inside = self._factory.buildProtocol(self._tcp.getPeer())
        assert inside is not None, "factories of this project never refuse"
        self._inside = inside
        inside.makeConnection(self._tcp)
        if not self._done.called:
            self._done.callback(inside)
        if rest:
            inside.dataReceived(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The door was shut, or what went on behind it is over."""
        if self._inside is not None:
            self._inside.connectionLost(reason)
        elif not self._done.called:
            self._done.errback(reason)
