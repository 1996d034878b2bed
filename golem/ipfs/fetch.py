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
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol
from twisted.web import http
from twisted.web.client import Agent, HTTPConnectionPool, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from golem.errors import ContentMismatch, ContentMissing, DaemonFault, StoreFault
from golem.ipfs.body import PATIENCE_S, Body
from golem.ipfs.car import CarReader
from golem.ipfs.cid import Key, to_text
from golem.ipfs.intake import Intake, Keeper
from golem.ipfs.kubo import Client
from golem.ipfs.workers import Workers
from golem.model.messages import Place

R = TypeVar("R")

MAX_SOURCES = 16  # asked for one content
MAX_REQUESTS = 8  # of one source for one content, as long as each brings something; then the next one's turn
CONNECT_S = 10.0
_KEPT_PER_HOST = 2
_PLACE = re.compile(r"[A-Za-z0-9.-]{1,100}:[0-9]{1,5}|\[[0-9A-Fa-f:.]{2,45}\]:[0-9]{1,5}")


class Fetcher:
    """A client of gateways, with a few connections kept open. `daemon`: is asked last."""

    def __init__(self, reactor: ReactorBase, workers: Workers, daemon: Client | None = None) -> None:
        self._daemon = daemon
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
        asked = [*sources[:MAX_SOURCES], *([self._daemon.api] if self._daemon else [])]
        for source in asked:
            if not self._is_open:
                break
            try:
                await self._ask(source, intake)
            except (ContentMismatch, ContentMissing, DaemonFault) as why:
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
        body = Body(self._clock, self._feeder(intake))
        response.deliverBody(body)
        return await self._stoppable(body.stop, body.ended)

    async def _request(self, source: Place, wanted: Key) -> IResponse:
        if self._daemon is not None and source == self._daemon.api:
            export = self._daemon.dag.export(to_text(wanted))
            return await self._stoppable(export.cancel, export)
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
