"""A file that is sent to an IPFS daemon as it is made: one part of a multipart body, as fast as the daemon takes it."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IDelayedCall, IPushProducer, IReactorTime
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from golem.ipfs.body import PATIENCE_S

Batch = Callable[[], Deferred[bytes]]
"""Gives the next bytes, and none at the end."""

BOUNDARY = "golem-7c1e0f5b8a"  # a fixed one: what is sent is a CAR, which a daemon reads by its own lengths
_HEAD = (
    f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="path"; filename="graph.car"\r\n'
    "content-type: application/octet-stream\r\n\r\n"
).encode()
_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


@implementer(IBodyProducer, IPushProducer)
class Upload:
    """All that `batch` gives, as one file."""

    length = UNKNOWN_LENGTH

    def __init__(self, batch: Batch) -> None:
        self.sent_bytes = 0
        self._batch = batch
        self._is_stopped = False
        self._flow: Deferred[None] | None = None
        self._patience: IDelayedCall | None = None

    def watch(self, clock: IReactorTime, give_up: Callable[[], None]) -> None:
        """Give up where nothing goes on for PATIENCE_S."""
        self._patience = clock.callLater(PATIENCE_S, give_up)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """See `IBodyProducer`."""
        return Deferred.fromCoroutine(self._pour(consumer))

    async def _pour(self, consumer: IConsumer) -> None:
        consumer.write(_HEAD)
        while not self._is_stopped and (data := await self._batch()):
            if self._flow is not None:
                await self._flow
            if self._is_stopped:
                return
            consumer.write(data)
            self.sent_bytes += len(data)
            if self._patience is not None and self._patience.active():
                self._patience.reset(PATIENCE_S)
        consumer.write(_TAIL)

    def end(self) -> None:
        """The answer is here, or none will come."""
        if self._patience is not None and self._patience.active():
            self._patience.cancel()

    def pauseProducing(self) -> None:
        """The daemon is slower than we."""
        if self._flow is None:
            self._flow = Deferred()

    def resumeProducing(self) -> None:
        """It takes more."""
        flow, self._flow = self._flow, None
        if flow is not None:
            flow.callback(None)

    def stopProducing(self) -> None:
        """It is gone."""
        self._is_stopped = True
        self.resumeProducing()
