"""Gets content from other nodes' gateways: a CAR stream of the whole graph, checked block by block as it arrives.

Sources are tried in turn. What has been checked stays when a source fails: the next is asked for the first block that
is still wanted, and for what hangs on it, and so on. A source that sends one wrong byte is not asked again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from twisted.internet.base import ReactorBase
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from golem.errors import ContentMismatch, ContentMissing, StoreFault
from golem.ipfs.car import CarReader
from golem.ipfs.cid import Key, to_text
from golem.ipfs.intake import Intake, Keeper
from golem.ipfs.workers import Workers
from golem.model.messages import Place

R = TypeVar("R")

MAX_SOURCES = 16  # asked for one content
MAX_REQUESTS = 8  # of one source for one content, as long as each brings something; then the next one's turn
CONNECT_S = 10.0
PATIENCE_S = 20.0  # for an answer to begin, and then for every PATIENCE_BYTES of it
PATIENCE_BYTES = 64 << 10
MAX_WAITING_BYTES = 4 << 20  # received and not checked yet; the connection is paused there
_KEPT_PER_HOST = 2
_PLACE = re.compile(r"[A-Za-z0-9.-]{1,100}:[0-9]{1,5}|\[[0-9A-Fa-f:.]{2,45}\]:[0-9]{1,5}")


class Fetcher:
    """A client of gateways, with a few connections kept open."""

    def __init__(self, reactor: ReactorBase, workers: Workers) -> None:
        self._clock: IReactorTime = reactor
        self._workers = workers
        self._pool = HTTPConnectionPool(reactor)
        self._pool.maxPersistentPerHost = _KEPT_PER_HOST
        self._agent = Agent(reactor, connectTimeout=CONNECT_S, pool=self._pool)
        self._stops: list[Callable[[], None]] = []
        self._is_open = True

    def close(self) -> Deferred[None]:
        """Hang up everywhere; what is under way fails with StoreFault."""
        self._is_open = False
        for stop in list(self._stops):
            stop()
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed

    async def fetch(self, root: Key, sources: Sequence[Place], limit: int, keeper: Keeper) -> int:
        """Give all blocks of a content to `keeper`, in a thread, and say how many bytes its files hold.

        Raises ContentMissing where no source has it all, with what each one said; TooLarge, ContentUnreadable.
        """
        intake = Intake(root, limit, keeper)
        failures = []
        for source in sources[:MAX_SOURCES]:
            if not self._is_open:
                break
            try:
                await self._ask(source, intake)
            except (ContentMismatch, ContentMissing) as why:
                failures.append(f"{source}: {why}")
            else:
                return intake.size
        if not self._is_open:
            raise StoreFault("the content store is closing")
        raise ContentMissing(f"nobody gave {to_text(root)}: " + ("; ".join(failures) or "there is nobody to ask"))

    async def _ask(self, source: Place, intake: Intake) -> None:
        """Take from one source as much as it has, until nothing is wanted any more."""
        for _ in range(MAX_REQUESTS):
            if (wanted := intake.wanted) is None:
                return
            taken = intake.taken
            ended = await self._stream(source, wanted, intake)
            if intake.taken == taken:
                raise ContentMissing(ended or "the answer was empty")
        if intake.wanted is not None:
            raise ContentMissing("it breaks off again and again")

    async def _stream(self, source: Place, wanted: Key, intake: Intake) -> str:
        """One request; says how it ended, where that was not well."""
        response = await self._request(source, wanted)
        if response.code != http.OK:
            response.deliverBody(_Unwanted())
            return f"HTTP {response.code}"
        body = _Body(self._clock, self._feeder(intake))
        response.deliverBody(body)
        return await self._stoppable(body.stop, body.ended)

    async def _request(self, source: Place, wanted: Key) -> IResponse:
        if not _PLACE.fullmatch(source):
            raise ContentMissing("not a place, like host:port")
        url = f"http://{source}/ipfs/{to_text(wanted)}?format=car&dag-scope=all&car-order=dfs&car-dups=n"
        headers = Headers({"accept": ["application/vnd.ipld.car; version=1; order=dfs; dups=n"]})
        answer: Deferred[IResponse] = self._agent.request(b"GET", url.encode(), headers)
        answer.addTimeout(PATIENCE_S, self._clock)
        try:
            return await self._stoppable(answer.cancel, answer)
        except (ConnectError, ConnectionClosed, DNSLookupError, ResponseFailed, TookTooLong, CancelledError) as why:
            raise ContentMissing(f"no answer: {type(why).__name__} {why}") from why

    async def _stoppable(self, stop: Callable[[], None], wait: Deferred[R]) -> R:
        """Wait on the network, unless `close` is called."""
        if not self._is_open:
            stop()
        self._stops.append(stop)
        try:
            return await wait
        finally:
            self._stops.remove(stop)

    def _feeder(self, intake: Intake) -> Callable[[bytes], Deferred[None]]:
        reader = CarReader()

        def feed(data: bytes) -> None:
            for key, block in reader.feed(data):
                intake.take(key, block)

        return lambda data: self._workers.run(feed, data)


class _Unwanted(Protocol):
    """The body of an answer that says no: not worth a byte more."""

    def connectionMade(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.loseConnection()


class _Body(Protocol):
    """The body of an answer, given in batches to `work`, one at a time; the sender waits where that is slower.

    `ended`: how the answer ended, after all of it was worked on: empty where well. Fails with what `work` raised.
    """

    def __init__(self, clock: IReactorTime, work: Callable[[bytes], Deferred[None]]) -> None:
        self.ended: Deferred[str] = Deferred()
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
            batch = b"".join(self._waiting)
            self._waiting.clear()
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
