"""Serves blocks over HTTP to whoever checks them: the trustless gateway of the IPFS specifications, on Twisted Web.

`GET` or `HEAD /ipfs/{cid}?format=raw` is one block, `?format=car` a graph: `dag-scope=all` (or nothing) is all of it,
`entity` a whole file or a folder's own list, `block` the root. An `Accept` header says the same. Nothing is fetched on
a stranger's behalf. A block that turns out to be missing cuts the stream off, as the specification asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from golem.errors import ContentMissing, ContentUnreadable, StoreFault
from golem.ipfs import car, reader
from golem.ipfs.cid import Key, from_text, is_raw
from golem.ipfs.workers import Workers
from golem.model.ids import Cid

log = Logger()

MAX_CONNECTIONS = 256  # each may hold a batch and a socket's buffer: about 0.5 GiB if all stall at once
BATCH_BYTES = 1 << 20  # read, checked and written in one go; a block may be larger by itself
STALL_S = 30.0  # a reader that takes nothing for so long is cut off, or it would keep its connection for ever
IDLE_S = 60  # a connection without a request

_TYPES = {b"raw": b"application/vnd.ipld.raw", b"car": b"application/vnd.ipld.car"}


class Gateway(Resource):
    """The whole tree of the site. `read`: gives a checked block, and may block; it runs in `workers`."""

    isLeaf = True

    def __init__(self, clock: IReactorTime, workers: Workers, read: reader.Read) -> None:
        super().__init__()
        self._clock = clock
        self._workers = workers
        self._read = read

    def render_GET(self, request: Request) -> int | bytes:
        """Serve a block or a graph, or say why not."""
        try:
            cid, form, scope = _asked(request)
            key = from_text(cid)
        except (ContentUnreadable, ValueError) as why:
            return _refuse(request, http.BAD_REQUEST, str(why))
        _announce(request, cid, form)
        if request.setETag(f'"{cid}.{form.decode()}.{scope}"'.encode()) is http.CACHED:
            return b""
        parts = self._car(key, scope) if form == b"car" else iter([(key, b"")])
        answer = Deferred.fromCoroutine(self._answer(request, key, parts, is_car=form == b"car"))
        answer.addErrback(lambda why: log.failure("while serving {cid}", why, cid=cid))
        return NOT_DONE_YET

    def _car(self, key: Key, scope: str) -> Iterator[tuple[Key, bytes]]:
        return reader.blocks(self._read, key, scope)

    async def _answer(self, request: Request, key: Key, parts: Iterator[tuple[Key, bytes]], *, is_car: bool) -> None:
        ...


