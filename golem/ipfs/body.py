"""The body of an HTTP answer, worked on as it comes, with patience that is measured in progress."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone

PATIENCE_S = 20.0  # for an answer to begin, and then for every PATIENCE_BYTES of it
PATIENCE_BYTES = 64 << 10
MAX_WAITING_BYTES = 1 << 20  # received and not checked yet; the connection is paused there


class Body(Protocol):
    """Data given in batches to `work`, one at a time; the sender waits where that is slower.

    `ended`: how the answer ended, after all of it was worked on: empty where well. Fails with what `work` raised.
    """

    def __init__(self, clock: IReactorTime, work: Callable[[list[bytes]], Deferred[None]]) -> None:
        self.ended: Deferred[str] = Deferred(lambda _: self.stop())
        self._clock = clock
        self._work = work
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._since_bytes = 0
        self._patience: IDelayedCall | None = None
        self._is_working = False
        self._is_paused = False
        self._end: str | None = None

    def connectionMade(self) -> None:
        """Begin to wait."""
        self._patience = self._clock.callLater(PATIENCE_S, self._give_up)

    def dataReceived(self, data: bytes) -> None:
        """Some more."""
        if self._end is not None or self.ended.called:
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._since_bytes += len(data)
        if self._since_bytes >= PATIENCE_BYTES and self._patience is not None and self._patience.active():
            self._since_bytes = 0
            self._patience.reset(PATIENCE_S)
        if self._waiting_bytes > MAX_WAITING_BYTES and not self._is_paused:
            self._is_paused = True
            IPushProducer(self.transport).pauseProducing()
        self._go_on()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """All of it is here, or no more will come."""
        self._finish("" if reason.check(ResponseDone) else reason.getErrorMessage())

    def _finish(self, how: str) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        if self._end is None:
            self._end = how
            self._go_on()

    def stop(self) -> None:
        """Hang up; `ended` tells when the work begun is done."""
        self._finish("stopped")
        self._hang_up()

    def _give_up(self) -> None:
        self._finish(f"less than {PATIENCE_BYTES} bytes in {PATIENCE_S:.0f} s")
        self._hang_up()

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def _go_on(self) -> None:
        if self._is_working or self.ended.called:
            return
        if self._waiting:
            batch, self._waiting = self._waiting, []
            self._waiting_bytes = 0
            self._is_working = True
            self._work(batch).addCallbacks(self._worked, self._failed)
            if self._is_paused:
                self._is_paused = False
                IPushProducer(self.transport).resumeProducing()
        elif self._end is not None:
            self.ended.callback(self._end)

    def _worked(self, _: None) -> None:
        self._is_working = False
        self._go_on()

    def _failed(self, why: Failure) -> None:
        self._is_working = False
        self._waiting.clear()
        self.ended.errback(why)
        self._finish("refused")
        self._hang_up()
