"""Asks one other node's gateway, or the daemon beside us, for blocks of a content, and feeds them to its intake."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Protocol
from twisted.web import http
from twisted.web.client import (  # type: ignore[attr-defined]  # a pool's connections are not in its __all__
    Agent,
    HTTP11ClientProtocol,
    HTTPConnectionPool,
    ResponseFailed,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from golem.errors import ContentMismatch, ContentMissing, ContentUnreadable, Refused
from golem.ipfs.body import PATIENCE_S, Body
from golem.ipfs.car import CarReader
from golem.ipfs.cid import KEY_BYTES, Key, key_bytes, to_key, to_text
from golem.ipfs.doors import Way, Ways
from golem.ipfs.gateway import ALL
from golem.ipfs.intake import Intake
from golem.ipfs.kubo import Client
from golem.ipfs.tickets import Channels, Pass
from golem.ipfs.workers import Workers
from golem.model.messages import Place

R = TypeVar("R")

NOT_HERE = "HTTP 404"
_KEPT_PER_HOST = 2
_NO_ANSWER = (ConnectError, ConnectionClosed, DNSLookupError, ResponseFailed, TookTooLong, Refused)
_NODE = re.compile(r"0[23][0-9a-f]{64}")
_PLACE = re.compile(r"[A-Za-z0-9.-]{1,100}:[0-9]{1,5}|\[[0-9A-Fa-f:.]{2,45}\]:[0-9]{1,5}")

Behind = Callable[[Place], IStreamClientEndpoint]
"""Reaches a node that can't be dialled, at "relay's host:port/node" or "/node". Raises ValueError."""


class Stops:
    """What must be hung up on when a transfer ends. `is_open` until then."""

    def __init__(self) -> None:
        self.is_open = True
        self._stops: list[Callable[[], None]] = []

    def close(self) -> None:
        """Hang up everywhere, now and on whatever is still begun."""
        self.is_open = False
        for stop in list(self._stops):
            stop()

    async def bound(self, stop: Callable[[], None], wait: Deferred[R]) -> R:
        """Wait on the network, unless `close` is called."""
        if not self.is_open:
            stop()
        self._stops.append(stop)
        try:
            return await wait
        finally:
            self._stops.remove(stop)


class Flow(NamedTuple):
    """Where an answer goes. `words`: opens what is not public. `saw`: called after some of it was taken."""

    intake: Intake
    stops: Stops
    words: Pass | None = None
    saw: Callable[[], None] = lambda: None


class _Pool(HTTPConnectionPool):
    """Connections that were opened by a word are kept apart: each is for one owner's content."""

    def getConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[HTTP11ClientProtocol]:
        """One that goes the same way, or a new one."""
        own: Hashable = (key, endpoint.words) if isinstance(endpoint, Way) else key
        return super().getConnection(own, endpoint)


class Gateways:
    """A client of gateways, with a few connections kept open. `daemon`: is asked last."""

    def __init__(
        self,
        reactor: PosixReactorBase,
        workers: Workers,
        channels: Channels,
        daemon: Client | None = None,
        behind: Behind | None = None,
    ) -> None:
        self._behind = behind
        self.daemon = daemon
        self._reactor = reactor
        self._channels = channels
        self.clock: IReactorTime = reactor
        self.workers = workers
        self._pool = _Pool(reactor)
        self._pool.maxPersistentPerHost = _KEPT_PER_HOST

    def close(self) -> Deferred[None]:
        """Let go of idle connections."""
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed

    async def outline(self, source: Place, root: Key, flow: Flow) -> str:
        """Have the nodes of a graph and none of its leaves; says how the answer ended, where that was not well."""
        return await self._pull(await self._get(source, root, "nodes", flow), flow)

    async def blocks(self, source: Place, root: Key, keys: Sequence[Key], flow: Flow) -> str:
        """Have these blocks of a content; says how the answer ended, where that was not well."""
        return await self._pull(await self._get(source, root, ",".join(map(to_text, keys)), flow), flow)

    async def since(self, source: Place, root: Key, count: int, flow: Flow) -> list[Key] | None:
        """What a source has of a content beyond `count` blocks, none of it perhaps; None where it has all."""
        response = await self._get(source, root, f"since:{count}", flow)
        if response.code != http.OK:
            response.deliverBody(_Unwanted())
            if response.code != http.NOT_FOUND:
                raise ContentMissing(f"HTTP {response.code}")
            return []
        told, most_bytes = bytearray(), KEY_BYTES * (flow.intake.taken + len(flow.intake.missing()))

        async def work(data: Sequence[bytes]) -> None:
            told.extend(b"".join(data))
            if len(told) > most_bytes:
                raise ContentMismatch("it tells of more blocks than the content has")

        body = Body(self.clock, lambda data: Deferred.fromCoroutine(work(data)))
        response.deliverBody(body)
        if ended := await flow.stops.bound(body.stop, body.ended):
            raise ContentMissing(ended)
        return None if told == ALL else list(_keys(bytes(told)))

    async def export(self, daemon: Client, root: Key, flow: Flow) -> str:
        """Have what is missing of a graph from the daemon, which can only give all of it."""
        export = daemon.dag.export(to_text(root))
        return await self._pull(await flow.stops.bound(export.cancel, export), flow)

    async def _get(self, source: Place, root: Key, blocks: str, flow: Flow) -> IResponse:
        agent, host = self._way(source, flow.words)
        url = f"http://{host}/ipfs/{to_text(root)}?format=car&dag-scope=all&car-order=dfs&car-dups=n&blocks={blocks}"
        headers = Headers({"accept": ["application/vnd.ipld.car; version=1; order=dfs; dups=n"]})
        answer: Deferred[IResponse] = agent.request(b"GET", url.encode(), headers)
        answer.addTimeout(PATIENCE_S, self.clock)
        try:
            return await flow.stops.bound(answer.cancel, answer)
        except (*_NO_ANSWER, CancelledError) as why:
            raise ContentMissing(f"no answer: {type(why).__name__} {why}") from why

    def _way(self, source: Place, words: Pass | None) -> tuple[Agent, str]:
        """Whom to ask, and by what name. Each request to a node behind another has a connection of its own."""
        straight, slash, node = source.partition("/")
        is_place = _PLACE.fullmatch(straight) or (slash and not straight)
        if not is_place or (slash and not _NODE.fullmatch(node)) or (slash and self._behind is None):
            raise ContentMissing("not a place, like host:port")
        if not slash or self._behind is None:
            ways = Ways(self._reactor, self._channels, words)
            return Agent.usingEndpointFactory(self._reactor, ways, self._pool), straight
        try:
            end = self._behind(source)
        except ValueError as why:
            raise ContentMissing(str(why)) from why
        if words is not None:
            end = Way(self._reactor, self._channels, node.encode(), 0, words, end)
        pool = HTTPConnectionPool(self._reactor, persistent=False)
        return Agent.usingEndpointFactory(self._reactor, _One(end), pool), node

    async def _pull(self, response: IResponse, flow: Flow) -> str:
        if response.code != http.OK:
            response.deliverBody(_Unwanted())
            return NOT_HERE if response.code == http.NOT_FOUND else f"HTTP {response.code}"
        reader = CarReader()
        take = _taker(reader, flow.intake)

        async def work(data: Sequence[bytes]) -> None:
            if reader.add(data):  # most pieces are a part of a block, and not worth a thread
                await self.workers.run(take)
                flow.saw()

        body = Body(self.clock, lambda data: Deferred.fromCoroutine(work(data)))
        response.deliverBody(body)
        return await flow.stops.bound(body.stop, body.ended)


def _keys(told: bytes) -> Iterator[Key]:
    at = 0
    while at < len(told):
        end = at + key_bytes(told, at)
        try:
            yield to_key(told[at:end])
        except ContentUnreadable as why:
            raise ContentMismatch(f"no ids of blocks: {why}") from why
        at = end


@implementer(IAgentEndpointFactory)
class _One:
    """One endpoint, whatever the address says."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: object) -> IStreamClientEndpoint:
        """See IAgentEndpointFactory."""
        return self._endpoint


def _taker(reader: CarReader, intake: Intake) -> Callable[[], None]:
    again = 0

    def take() -> None:
        nonlocal again
        for key, block in reader.blocks():
            if not intake.take(key, block):
                again += len(block)
                if again > intake.received_bytes:
                    raise ContentMismatch("it sends again and again what is here already")

    return take


class _Unwanted(Protocol):
    """The body of an answer that says no: not worth a byte more."""

    def connectionMade(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.loseConnection()
