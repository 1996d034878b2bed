"""Calls to peers that only they could begin: one rings over the session there is, and the peer dials back.

That is how a relay carries connections to its guests, and how a node gets at the content of a peer that dialled it.
A relay sees who calls whom and how much they say; it neither reads nor changes a byte of a session, for the two ends
have their own TLS through it, bound to their keys. Content is checked against its id by whoever asked for it.
"""

from __future__ import annotations

from collections import Counter

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.errors import Refused
from golem.interfaces import IEntropy
from golem.model.budgets import CIRCUITS, CIRCUITS_OF_ONE, GUESTS, Budget
from golem.model.ids import NodeId
from golem.net.door import RING_S, Door
from golem.net.peer import PeerProtocol
from golem.net.pipe import Meter, Pipe
from golem.wire.doorway import TOKEN_BYTES, Call, Ring, What


class Circuits:
    """`refused`: how often, by what was too much."""

    def __init__(self, clock: IReactorTime, entropy: IEntropy, refused: Counter[str]) -> None:
        self._clock = clock
        self._entropy = entropy
        self._refused = refused
        self._guests: dict[NodeId, PeerProtocol] = {}
        self._rung: dict[bytes, Deferred[Door]] = {}
        self._carried: dict[Door, NodeId] = {}
        self._pipes: dict[Door, Pipe] = {}

    def reserve(self, peer: PeerProtocol) -> bool:
        """Take a guest, if there is room."""
        if peer.node_id not in self._guests and len(self._guests) >= GUESTS.limit:
            self._refused[GUESTS.name] += 1
            return False
        self._guests[peer.node_id] = peer
        return True

    def leave(self, peer: PeerProtocol) -> None:
        """Its session is over; circuits that stand need it no more."""
        if self._guests.get(peer.node_id) is peer:
            del self._guests[peer.node_id]

    def call(self, door: Door, call: Call) -> None:
        """Somebody wants to a guest of ours."""
        guest = self._guests.get(call.node)
        if guest is None:
            door.refuse("it is no guest here")
            return
        if over := self._crowded(call.node):
            self._refused[over.name] += 1
            door.refuse("too many circuits")
            return
        self._carried[door] = call.node
        carrying = Deferred.fromCoroutine(self._carry(door, guest, call.what))
        carrying.addErrback(self._failed, door)

    def _failed(self, why: Failure, door: Door) -> None:
        self._carried.pop(door, None)
        door.refuse(why.getErrorMessage())

    def _crowded(self, node: NodeId) -> Budget | None:
        if len(self._carried) >= CIRCUITS.limit:
            return CIRCUITS
        return CIRCUITS_OF_ONE if list(self._carried.values()).count(node) >= CIRCUITS_OF_ONE.limit else None

    async def _carry(self, door: Door, guest: PeerProtocol, what: What) -> None:
        answered = await self.ring(guest, what)
        caller, callee = Pipe(self._clock), Pipe(self._clock)
        if not door.welcome(caller):
            answered.fail("the caller has gone")
            raise Refused("gone")
        if not answered.welcome(callee):
            caller.close()
            raise Refused("gone")
        self._pipes[door] = caller
        meter = Meter(self._clock, lambda over: self._over(door, over), lambda: self._ended(door))
        caller.join(callee, meter)

    def _over(self, door: Door, budget: Budget) -> None:
        self._refused[budget.name] += 1
        self._pipes[door].close()

    def _ended(self, door: Door) -> None:
        self._carried.pop(door, None)
        self._pipes.pop(door, None)

    def ring(self, peer: PeerProtocol, what: What) -> Deferred[Door]:
        """Have a peer dial back; fires with its connection, to be welcomed at once. Fails with Refused."""
        token = self._entropy.token(TOKEN_BYTES)
        answer: Deferred[Door] = Deferred()
        self._rung[token] = answer
        peer.signal(Ring(token=token, what=what))
        answer.addTimeout(RING_S, self._clock)
        answer.addErrback(_silent)
        answer.addBoth(self._done, token)
        return answer

    def _done(self, result: Door, token: bytes) -> Door:
        del self._rung[token]
        return result

    def answer(self, door: Door, token: bytes) -> None:
        """A peer dialled back."""
        waiting = self._rung.get(token)
        if waiting is None or waiting.called:
            door.refuse("nobody rang")
        else:
            waiting.callback(door)

    def close(self) -> None:
        """The node stops."""
        for waiting in list(self._rung.values()):
            waiting.cancel()
        for pipe in list(self._pipes.values()):
            pipe.close()


def _silent(why: Failure) -> Door:
    why.trap(CancelledError, TookTooLong)
    raise Refused("it did not dial back")


@implementer(IStreamClientEndpoint)
class Back:
    """The gateway of a peer that dialled us: it is rung, and dials back."""

    def __init__(self, circuits: Circuits, peer: PeerProtocol) -> None:
        self._circuits = circuits
        self._peer = peer

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Fires once it has. Fails with Refused."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        door = await self._circuits.ring(self._peer, What.CONTENT)
        inside = factory.buildProtocol(door.address)
        assert inside is not None, "factories of this project never refuse"
        door.welcome(inside)
        return inside
