"""Serves blocks over HTTP to whoever checks them: the trustless gateway of the IPFS specifications, on Twisted Web.

`GET` or `HEAD /ipfs/{cid}?format=raw` is one block, `?format=car` a graph: `dag-scope=all` (or nothing) is all of it,
`entity` a whole file or a folder's own list, `block` the root. An `Accept` header says the same. Nothing is fetched on
a stranger's behalf. A block that turns out to be missing cuts the stream off, as the specification asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IPushProducer, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from golem.errors import ContentUnreadable, StoreFault
from golem.ipfs import reader
from golem.ipfs.cid import Key, from_text, to_text
from golem.ipfs.workers import Workers

log = Logger()

MAX_CONNECTIONS = 256  # each may hold three batches: 0.75 GiB if every one of them stalls
STALL_S = 30.0  # a reader that takes nothing for so long is cut off, or it would keep its connection for ever
IDLE_S = 60  # a connection without a request

_TYPES = {
    "raw": "application/vnd.ipld.raw",
    "car": "application/vnd.ipld.car; version=1; order=dfs; dups=n",
}


class Gateway(Resource):
    """The whole tree of the site. `read` gives a checked block, and may block: it runs in `workers`."""

    isLeaf = True

    def __init__(self, clock: IReactorTime, workers: Workers, read: reader.Read) -> None:
        super().__init__()
        self._clock = clock
        self._workers = workers
        self._read = read

    def render_GET(self, request: Request) -> int | bytes:
        """Serve a block or a graph, or say why not; Twisted leaves out the body where HEAD was asked."""
        try:
            key, form, scope = _asked(request)
        except (ContentUnreadable, ValueError) as why:
            return _refuse(request, http.BAD_REQUEST, str(why))
        cid = to_text(key)
        if request.setETag(f'"{cid}.{form}.{scope}"'.encode()) is http.CACHED:
            return b""
        parts = iter(self._raw(key) if form == "raw" else reader.car_parts(self._read, key, scope))
        Deferred.fromCoroutine(self._answer(request, f"{cid}.{form}", _TYPES[form], parts)).addErrback(_log_failure)
        return NOT_DONE_YET

    def _raw(self, key: Key) -> Iterator[bytes]:
        yield self._read(key)

    async def _answer(self, request: Request, name: str, kind: str, parts: Iterator[bytes]) -> None:
        tap = _Tap(self._clock, request)
        try:
            batch = await self._workers.run(reader.next_batch, parts)
        except StoreFault as why:
            if tap.is_open:
                request.write(_refuse(request, http.NOT_FOUND, str(why)))
                request.finish()
            return
        if tap.is_open:
            _announce(request, name, kind)
            if kind == _TYPES["raw"]:
                request.setHeader("content-length", str(len(batch)))
            request.registerProducer(tap, True)
        await self._pour(tap, request, batch, parts)

    async def _pour(self, tap: _Tap, request: Request, batch: bytes, parts: Iterator[bytes]) -> None:
        """Write batch after batch, as fast as they are taken; one is read ahead."""
        try:
            while batch and tap.is_open and request.method != b"HEAD":
                request.write(batch)
                ahead = self._workers.run(reader.next_batch, parts)
                await tap.flowing()
                batch = await ahead
        except StoreFault as why:
            log.warn("cut off {path}: {why}", path=request.path.decode("ascii", "replace"), why=why)
            tap.cut()
        if tap.is_open:
            request.unregisterProducer()
            request.finish()


def _asked(request: Request) -> tuple[Key, str, str]:
    """The content, form and scope that a request asks for; the query wins over `Accept` (IPIP-523)."""
    path = request.path.decode("ascii", "replace")
    if not path.startswith("/ipfs/"):
        raise ValueError("ask for /ipfs/{cid}")
    accept = request.getHeader("accept") or ""
    accepted = next((form for form, kind in _TYPES.items() if kind.partition(";")[0] in accept), "")
    form = _query(request, b"format", accepted)
    if form not in _TYPES:
        raise ValueError("only trustless answers: ?format=raw or ?format=car")
    scope = _query(request, b"dag-scope", "all")
    if scope not in reader.SCOPES:
        raise ValueError(f"dag-scope is one of {', '.join(reader.SCOPES)}")
    return from_text(path.removeprefix("/ipfs/")), form, scope


def _query(request: Request, name: bytes, default: str) -> str:
    values: list[bytes] = request.args.get(name, [])
    return values[0].decode("ascii", "replace") if values else default


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


def _log_failure(why: Failure) -> None:
    log.failure("an answer broke off", why)


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
