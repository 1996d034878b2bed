"""Serves blocks over HTTP to whoever checks them: the trustless gateway of the IPFS specifications, on Twisted Web.

`GET` or `HEAD /ipfs/{cid}?format=raw` is one block, `?format=car` a graph; `golem.ipfs.query` knows what else can be
asked. Nothing is fetched on a stranger's behalf. A block that turns out to be missing cuts the stream off, as the
specification asks. Between our own nodes, `blocks=nodes` is a graph without its leaves, and `blocks=CID,CID` only these
blocks of it; a gateway that does not know this sends more, which does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IPushProducer, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from golem.errors import StoreFault
from golem.ipfs import car, reader
from golem.ipfs.cid import Key
from golem.ipfs.query import Query, Unserved, asked
from golem.ipfs.workers import Workers

log = Logger()

MAX_CONNECTIONS = 256  # each may hold three batches: 0.75 GiB if every one of them stalls
STALL_S = 30.0  # a reader that takes nothing for so long is cut off, or it would keep its connection for ever
IDLE_S = 60  # a connection without a request
PROBE = b"/ipfs/bafkqaaa"  # the empty block, by which clients find out whether this is a gateway
_RANGE = re.compile(r"bytes=([0-9]{0,16})-([0-9]{0,16})")


class Shelf(Protocol):
    """Where the blocks are. Both methods may block, and raise ContentMissing."""

    def read(self, key: Key) -> bytes:
        """A block, checked."""

    def size(self, key: Key) -> int:
        """How many bytes it has."""


class _Start(NamedTuple):
    """What is known before the first byte is sent."""

    length: int | None
    batch: list[bytes]
    rest: Iterator[bytes]


class Gateway(Resource):
    """The whole tree of the site."""

    isLeaf = True

    def __init__(self, clock: IReactorTime, workers: Workers, shelf: Shelf) -> None:
        super().__init__()
        self._clock = clock
        self._workers = workers
        self._shelf = shelf

    def render_GET(self, request: Request) -> int | bytes:
        """Serve a block or a graph, or say why not; Twisted leaves out the body where HEAD was asked."""
        if request.path == PROBE:
            return b""
        try:
            query = asked(request)
        except Unserved as why:
            return _refuse(request, why.code, str(why))
        tag = sha256(repr(query).encode()).hexdigest()[:16]
        if request.setETag(f'"{query.name}.{tag}"'.encode()) is http.CACHED:
            return b""
        Deferred.fromCoroutine(self._answer(request, query)).addErrback(_broken, request)
        return NOT_DONE_YET

    async def _answer(self, request: Request, query: Query) -> None:
        tap = _Tap(self._clock, request)
        try:
            start = await self._workers.run(self._begin, query)
        except StoreFault as why:
            if tap.is_open:
                is_cached_only = "only-if-cached" in (request.getHeader("cache-control") or "")
                code = http.PRECONDITION_FAILED if is_cached_only else http.NOT_FOUND
                request.write(_refuse(request, code, str(why)))
                request.finish()
            return
        if not tap.is_open:
            return
        _announce(request, query.name, query.kind)
        if query.form == "raw":
            start = _partial(request, start)
        if start.length is not None:
            request.setHeader("content-length", str(start.length))
        request.registerProducer(tap, True)
        await self._pour(tap, request, start)

    def _begin(self, query: Query) -> _Start:
        """Read the first of it, so that what is not here is known in time."""
        if query.form == "raw":
            block = self._shelf.read(query.root)
            return _Start(len(block), [block] if block else [], iter(()))
        length = None
        if query.named:  # the usual case between our own nodes; a length spares both sides the chunks of HTTP
            sizes = [self._shelf.size(key) for key in query.named]
            leads = sum(len(car.lead(key, size)) for key, size in zip(query.named, sizes, strict=True))
            length = len(car.header(query.root)) + leads + sum(sizes)
        parts = reader.car_parts(query.root, query.found(self._shelf.read))
        return _Start(length, reader.next_batch(parts), parts)

    async def _pour(self, tap: _Tap, request: Request, start: _Start) -> None:
        """Write batch after batch, as fast as they are taken; one is read ahead."""
        batch = start.batch
        try:
            while batch and tap.is_open and request.method != b"HEAD":
                for part in batch:
                    request.write(part)
                ahead = self._workers.run(reader.next_batch, start.rest)
                await tap.flowing()
                batch = await ahead
        except StoreFault as why:
            log.warn("cut off {path}: {why}", path=request.path.decode("ascii", "replace"), why=why)
            tap.cut()
        if tap.is_open:
            request.unregisterProducer()
            request.finish()


def _partial(request: Request, start: _Start) -> _Start:
    """The part of a raw block that was asked for, if one part was."""
    found = _RANGE.fullmatch(request.getHeader("range") or "")
    if found is None or not any(found.groups()):
        return start
    block = b"".join(start.batch)
    first, last = (int(number) if number else None for number in found.groups())
    if first is None:
        first, last = max(len(block) - (last or 0), 0), None
    end = len(block) if last is None else min(last + 1, len(block))
    if first >= end:
        request.setHeader("content-range", f"bytes */{len(block)}")
        text = _refuse(request, http.REQUESTED_RANGE_NOT_SATISFIABLE, f"the block has {len(block)} bytes")
        return _Start(len(text), [text], iter(()))
    request.setResponseCode(http.PARTIAL_CONTENT)
    request.setHeader("content-range", f"bytes {first}-{end - 1}/{len(block)}")
    return _Start(end - first, [block[first:end]], iter(()))


def _announce(request: Request, name: str, kind: str) -> None:
    request.setHeader("content-type", kind)
    request.setHeader("content-disposition", f'attachment; filename="{name}"')
    request.setHeader("cache-control", "public, max-age=29030400, immutable")
    request.setHeader("x-content-type-options", "nosniff")


def _refuse(request: Request, code: int, why: str) -> bytes:
    request.setResponseCode(code)
    request.setHeader("content-type", "text/plain; charset=utf-8")
    request.setHeader("x-content-type-options", "nosniff")
    return f"{why}\n".encode()


def _broken(why: Failure, request: Request) -> None:
    log.failure("an answer broke off", why)
    request.loseConnection()


@implementer(IPushProducer)
class _Tap:
    """Says when a reader takes more, and cuts it off when it stalls."""

    def __init__(self, clock: IReactorTime, request: Request) -> None:
        self.is_open = True
        self._clock = clock
        self._request = request
        self._paused: Deferred[None] | None = None
        request.notifyFinish().addErrback(lambda _: self.stopProducing())

    async def flowing(self) -> None:
        """Wait until the reader takes more, or is gone."""
        if self._paused is not None and self.is_open:
            stall = self._clock.callLater(STALL_S, self._abort)
            await self._paused
            if stall.active():
                stall.cancel()

    def cut(self) -> None:
        """End the connection without the end of the answer, so that nobody takes it for whole."""
        if self.is_open:
            self.stopProducing()
            self._request.loseConnection()

    def _abort(self) -> None:
        """End the connection now: what is still to be sent is not being taken."""
        self.stopProducing()
        ITCPTransport(self._request.transport).abortConnection()

    def pauseProducing(self) -> None:
        """The transport is full."""
        if self._paused is None:
            self._paused = Deferred()

    def resumeProducing(self) -> None:
        """The transport has room."""
        paused, self._paused = self._paused, None
        if paused is not None:
            paused.callback(None)

    def stopProducing(self) -> None:
        """The reader is gone."""
        self.is_open = False
        self.resumeProducing()


class _QuietSite(Site):
    """A site that keeps no log of accesses."""

    noisy = False

    def log(self, request: http.Request) -> None:
        """Keep none."""


class GatewayFactory(WrappingFactory):
    """A gateway's connections: only so many at once; more are closed as they come."""

    noisy = False

    def __init__(self, clock: IReactorTime, gateway: Gateway) -> None:
        site = _QuietSite(gateway, timeout=IDLE_S, reactor=clock)
        super().__init__(site)

    def buildProtocol(self, addr: IAddress | None) -> ProtocolWrapper | None:  # type: ignore[override]  # IProtocolFactory allows None; this base forgot
        """One more connection, if there is room."""
        if len(self.protocols) >= MAX_CONNECTIONS:
            return None
        return super().buildProtocol(addr)

    def close(self) -> None:
        """Hang up on everybody."""
        for protocol in list(self.protocols):
            ITCPTransport(protocol.transport).abortConnection()
