"""One caller that watches: a stream of JSON lines, which waits for a slow reader, but within a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.task import LoopingCall
from twisted.web.server import Request
from zope.interface import implementer

from golem.control.face import Face, Record

MAX_BACKLOG = 1000  # lines, some 200 KiB: what a task of 100 chunks tells in all; who lags further is dropped
KEEP_ALIVE_S = 10.0  # an empty line: the reader's time-out is three times that


@implementer(IPushProducer)
class Watcher:
    """Writes what happens on a node into one response, until either side ends it."""

    def __init__(self, request: Request, clock: IReactorTime, encode: Callable[[Record], bytes]) -> None:
        self._request = request
        self._encode = encode
        self._backlog: deque[bytes] = deque()
        self._is_paused = False
        self._keep_alive = LoopingCall(self._write, b"\n")
        self._keep_alive.clock = clock
        self._unwatch: Callable[[], None] = lambda: None

    def start(self, face: Face, topic: str | None) -> None:
        """Begin; the first line, an empty one, says that nothing after it is missed."""
        self._request.setHeader("content-type", "application/x-ndjson")
        self._request.notifyFinish().addBoth(lambda _: self.stopProducing())
        self._request.registerProducer(self, True)
        self._unwatch = face.watch(topic, self._hear)
        self._keep_alive.start(KEEP_ALIVE_S)

    def _hear(self, record: Record) -> None:
        self._write(self._encode(record) + b"\n")

    def _write(self, line: bytes) -> None:
        if not self._is_paused:
            self._request.write(line)
        elif len(self._backlog) < MAX_BACKLOG:
            self._backlog.append(line)
        else:
            self.stopProducing()
            ITCPTransport(self._request.channel.transport).abortConnection()

    def pauseProducing(self) -> None:
        """The reader lags: keep lines back."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """The reader is back: give it what it missed."""
        self._is_paused = False
        while self._backlog and not self._is_paused:
            self._request.write(self._backlog.popleft())

    def stopProducing(self) -> None:
        """Nobody reads any more."""
        self._unwatch()
        self._unwatch = lambda: None
        self._backlog.clear()
        if self._keep_alive.running:
            self._keep_alive.stop()
