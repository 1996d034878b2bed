"""Serves blocks over HTTP to whoever checks them: the trustless gateway of the IPFS specifications, on Twisted Web.

`GET` or `HEAD /ipfs/{cid}?format=raw` is one block, `?format=car` a graph; `golem.ipfs.query` knows what else can be
asked. Nothing is fetched on a stranger's behalf. A block that turns out to be missing cuts the stream off, as the
specification asks. Between our own nodes, `blocks=nodes` is a graph without its leaves, and `blocks=CID,CID` only these
blocks of it, as far as they are here; a gateway that does not know this sends more, which does no harm. What is still
coming in is served so, too: `blocks=since:5` names what came after the first five.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from golem.errors import ContentMissing, StoreFault
from golem.ipfs import car, reader
from golem.ipfs.cid import Key, to_text
from golem.ipfs.doors import IDLE_S, Visitor
from golem.ipfs.drafts import Coming
from golem.ipfs.query import Query, Unserved, asked
from golem.ipfs.rates import Rates
from golem.ipfs.workers import Workers

log = Logger()

STALL_S = 30.0  # a reader that takes nothing for so long is cut off, or it would keep its connection for ever
ALL = b"all"  # instead of the ids of what came: no more will come
PROBE = b"/ipfs/bafkqaaa"  # the empty block, by which clients find out whether this is a gateway
_RANGE = re.compile(r"bytes=([0-9]{0,16})-([0-9]{0,16})")


class Shelf(Protocol):
    """Where the blocks are. Its methods may block, and raise ContentMissing. `coming`: what is still coming in."""

    coming: Coming

    def sizes(self, keys: Sequence[Key], visitor: str) -> dict[Key, int]:
        """The sizes of those blocks that are here and that a visitor may have; see `Visitor.owner`."""

    def read(self, key: Key) -> bytes:
        """A block, checked."""

    def read_all(self, keys: Sequence[Key]) -> Iterator[bytes]:
        """These blocks, each checked as it is taken."""


class _Start(NamedTuple):
    """What is known before the first byte is sent."""

    length: int | None
    batch: list[bytes]
    rest: Iterator[bytes]


class Gateway(Resource):
    """The whole tree of the site."""

    isLeaf = True

    def __init__(self, clock: IReactorTime, workers: Workers, shelf: Shelf, rates: Rates) -> None:
        super().__init__()
        self._rates = rates
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
            start = await self._workers.run(self._begin, query, _visitor(request))
        except StoreFault as why:
            if tap.is_open:
                is_cached_only = "only-if-cached" in (request.getHeader("cache-control") or "")
                code = http.PRECONDITION_FAILED if is_cached_only else http.NOT_FOUND
                request.write(_refuse(request, code, str(why)))
                request.finish()
            return
        if not tap.is_open:
            return
        _announce(request, query)
        if query.form == "raw":
            start = _partial(request, start)
        if start.length is not None:
            request.setHeader("content-length", str(start.length))
        request.registerProducer(tap, True)
        await self._pour(tap, request, start)

    def _begin(self, query: Query, visitor: str) -> _Start:
        """Read the first of it, so that what is not here, or not for this visitor, is known in time.

        Whoever may have a node may have all below it: a content is here as a whole.
        """
        sizes = self._shelf.sizes((query.root, *query.named), visitor)
        named = [key for key in query.named if key in sizes]
        if query.root not in sizes or (query.named and not named):
            raise ContentMissing(f"{to_text(query.root)} is not here, or only for those who work at its task")
        if query.since is not None:
            return self._news(query.root, query.since)
        if query.form == "raw":
            block = self._shelf.read(query.root)
            return _Start(len(block), [block] if block else [], iter(()))
        length, found = None, query.found(self._shelf.read)
        if named:  # the usual case between our own nodes; a length spares both sides the chunks of HTTP
            length = len(car.header(query.root)) + sum(len(car.lead(k, sizes[k])) + sizes[k] for k in named)
            found = zip(named, self._shelf.read_all(named), strict=True)
        parts = reader.car_parts(query.root, found)
        return _Start(length, reader.next_batch(parts), parts)

    def _news(self, root: Key, since: int) -> _Start:
        """The ids of blocks that came lately, or that all are here."""
        keys = self._shelf.coming.keys(root)
        ids = ALL if keys is None else b"".join(keys[since:])
        return _Start(len(ids), [ids] if ids else [], iter(()))

    async def _pour(self, tap: _Tap, request: Request, start: _Start) -> None:
        """Write batch after batch, as fast as they are taken; one is read ahead."""
        batch, host = start.batch, str(request.getClientAddress().host)
        try:
            while batch and tap.is_open and request.method != b"HEAD":
                ahead = self._workers.run(reader.next_batch, start.rest)
                for part in self._rates.cut(batch):
                    request.write(part)
                    if wait_s := self._rates.wait_s(host, len(part)):
                        await tap.rest(wait_s)
                await tap.flowing()
                batch = await ahead
        except StoreFault as why:
            log.warn("cut off {path}: {why}", path=request.path.decode("ascii", "replace"), why=why)
            tap.cut()
        if tap.is_open:
            request.unregisterProducer()
            request.finish()


def _visitor(request: Request) -> str:
    channel = request.channel
    transport = getattr(channel, "transport", None)
    return transport.owner() if isinstance(transport, Visitor) else ""


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


def _announce(request: Request, query: Query) -> None:
    lasts = "public, max-age=29030400, immutable" if query.since is None else "no-store"
    request.setHeader("content-type", query.kind)
    request.setHeader("content-disposition", f'attachment; filename="{query.name}"')
    request.setHeader("cache-control", lasts)
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
        self._rested: Deferred[None] | None = None
        request.notifyFinish().addErrback(lambda _: self.stopProducing())

    async def flowing(self) -> None:
        """Wait until the reader takes more, or is gone."""
        if self._paused is not None and self.is_open:
            stall = self._clock.callLater(STALL_S, self._abort)
            await self._paused
            if stall.active():
                stall.cancel()

    async def rest(self, wait_s: float) -> None:
        """Wait for a while, or until the reader is gone."""
        if self.is_open:
            self._rested = Deferred()
            timer = self._clock.callLater(wait_s, self._rested.callback, None)
            await self._rested
            if timer.active():
                timer.cancel()

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
        if self._rested is not None and not self._rested.called:
            self._rested.callback(None)


class _QuietSite(Site):
    """A site that keeps no log of accesses."""

    noisy = False

    def log(self, request: http.Request) -> None:
        """Keep none."""


def site(gateway: Gateway, clock: IReactorTime) -> Site:
    """What a gateway's doors lead to."""
    return _QuietSite(gateway, timeout=IDLE_S, reactor=clock)
