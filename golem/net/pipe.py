"""Passes bytes between two connections, no faster than allowed and for as long as they flow, and reads none of them."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.model.budgets import CIRCUIT_BYTES, CIRCUIT_IDLE_S, CIRCUIT_RATE, Budget

BURST_S = 1.0  # of the rate, at once: a handshake, or a small content, is not slowed


class Meter:
    """What one circuit may carry, both ways together.

    `over`: called with the limit that it met, and closes it. `ended`: called once, when it is over.
    """

    def __init__(self, clock: IReactorTime, over: Callable[[Budget], None], ended: Callable[[], None]) -> None:
        self._clock = clock
        self._over = over
        self._ended = ended
        self._left = CIRCUIT_BYTES.limit
        self._room = BURST_S * CIRCUIT_RATE.limit
        self._at = clock.seconds()
        self._is_over = False
        self._watch: IDelayedCall = clock.callLater(CIRCUIT_IDLE_S.limit, self._look)

    def spend(self, count: int) -> float:
        """So many bytes were carried; says how many seconds to rest."""
        now = self._clock.seconds()
        self._room = min(BURST_S * CIRCUIT_RATE.limit, self._room + (now - self._at) * CIRCUIT_RATE.limit) - count
        self._at = now
        self._left -= count
        if self._left < 0 and not self._is_over:
            self._over(CIRCUIT_BYTES)
        return max(0.0, -self._room / CIRCUIT_RATE.limit)

    def stop(self) -> None:
        """It is over."""
        if self._is_over:
            return
        self._is_over = True
        if self._watch.active():
            self._watch.cancel()
        self._ended()

    def _look(self) -> None:
        left_s = self._at + CIRCUIT_IDLE_S.limit - self._clock.seconds()
        if left_s > 0:
            self._watch = self._clock.callLater(left_s, self._look)
        else:
            self._over(CIRCUIT_IDLE_S)


@implementer(IPushProducer)
class Pipe(Protocol):
    """One end of a circuit. It reads only while the other end takes what it reads, and the meter has room.

    `ended`: fires when this end is gone.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.ended: Deferred[None] = Deferred()
        self._clock = clock
        self._other: Pipe | None = None
        self._meter: Meter | None = None
        self._early = b""
        self._is_over = self._is_full = False
        self._rest: IDelayedCall | None = None

    def join(self, other: Pipe, meter: Meter | None = None) -> None:
        """Let bytes pass between two ends that both stand."""
        for one, far in ((self, other), (other, self)):
            one._other, one._meter = far, meter
            IConsumer(far._tcp).registerProducer(one, True)
        for one in (self, other):
            early, one._early = one._early, b""
            if one._is_over:
                one._finish()
            elif early:
                one.dataReceived(early)

    def close(self) -> None:
        """End the circuit at this end, and with it the other."""
        if not self._is_over:
            self._tcp.abortConnection()

    def connectionMade(self) -> None:
        """One end stands."""
        self._tcp = ITCPTransport(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        if self._other is None:
            self._early += data
            return
        self._other._tcp.write(data)
        wait_s = self._meter.spend(len(data)) if self._meter is not None else 0.0
        if wait_s and self._rest is None and not self._is_over:
            IPushProducer(self._tcp).pauseProducing()
            self._rest = self._clock.callLater(wait_s, self._rested)

    def _rested(self) -> None:
        self._rest = None
        if not self._is_full:
            IPushProducer(self._tcp).resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other end goes too, once what came before is written."""
        self._is_over = True
        self._finish()
        self.ended.callback(None)

    def _finish(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._meter is not None:
            self._meter.stop()
        if self._other is not None and not self._other._is_over:
            IConsumer(self._other._tcp).unregisterProducer()
            self._other._tcp.loseConnection()

    # IPushProducer: what the other end says about our writing to it

    def pauseProducing(self) -> None:
        """It takes no more for now."""
        self._is_full = True
        if not self._is_over:
            IPushProducer(self._tcp).pauseProducing()

    def resumeProducing(self) -> None:
        """It has room again."""
        self._is_full = False
        if self._rest is None and not self._is_over:
            IPushProducer(self._tcp).resumeProducing()

    def stopProducing(self) -> None:
        """It is gone; its own `connectionLost` says so."""


class Pipes(Factory):
    """Makes ends, quietly."""

    noisy = False

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def buildProtocol(self, addr: object) -> Pipe:
        """An end for a new connection."""
        return Pipe(self._clock)
