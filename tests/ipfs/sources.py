"""A content store, sources for it that answer as they are told, and content that they have."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import deferLater
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from golem.errors import ContentMissing
from golem.ipfs import car, reader
from golem.ipfs.cid import Key, from_text, is_raw, raw_key, to_text
from golem.ipfs.gateway import ALL
from golem.ipfs.importer import import_path
from golem.ipfs.kubo import Client
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.model.ids import Cid
from golem.net.tls import TlsCarrier
from golem.testing.store import Held


def new_store(folder: Path, staging: Path, terms: Terms, daemon: Client | None = None) -> EmbeddedStore:
    """A content store, on this machine's network."""
    assert isinstance(reactor, PosixReactorBase)
    return EmbeddedStore(reactor, folder, staging, terms, TlsCarrier(reactor, reactor), daemon)


Answer = Callable[["Source", Request, Key], bytes | int]


class Source(Resource):
    """A gateway that answers as it is told. `asked`: the blocks that it was asked for, request by request."""

    isLeaf = True

    def __init__(self, held: Held, answer: Answer) -> None:
        super().__init__()
        self.held = held
        self.asked: list[list[Key]] = []
        self.reached: Deferred[None] = Deferred()
        self._answer = answer
        assert isinstance(reactor, PosixReactorBase)
        site = Site(self)
        site.noisy = False
        self.listener: IListeningPort = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.place = f"127.0.0.1:{self.listener.getHost().port}"  # type: ignore[attr-defined]  # TCP addresses have one

    def render_GET(self, request: Request) -> bytes | int:
        key = from_text(request.path.decode().removeprefix("/ipfs/"))
        named = (request.args or {})[b"blocks"][0].decode()
        if named.startswith("since:"):
            return self.told(int(named.partition(":")[2]))
        self.asked.append([key] if named == "nodes" else [from_text(name) for name in named.split(",")])
        if not self.reached.called:
            self.reached.callback(None)
        return self._answer(self, request, key)

    def told(self, since: int) -> bytes:
        """What it says that it has beyond so many blocks."""
        return ALL

    def wanted(self, request: Request, key: Key) -> list[tuple[Key, bytes]]:
        """What an honest answer consists of."""
        blocks = (request.args or {})[b"blocks"][0].decode()
        if blocks == "nodes":
            return list(reader.nodes(self.held.read, key))
        return [(from_text(name), self.held.read(from_text(name))) for name in blocks.split(",")]

    def sections(self, request: Request, key: Key) -> list[bytes]:
        return [car.section(*found) for found in self.wanted(request, key)]

    def later(self, delay_s: float) -> Deferred[None]:
        """Some time for whoever asks it."""
        assert isinstance(reactor, PosixReactorBase)
        return deferLater(reactor, delay_s, lambda: None)

    @property
    def leaves(self) -> list[Key]:
        """The leaves that it was asked for."""
        return [key for asked in self.asked for key in asked if is_raw(key)]


class World:
    """A store of ours, sources for it, and a folder of eight files of 300 KB that they have."""

    def __init__(self, folder: Path) -> None:
        assert isinstance(reactor, PosixReactorBase)
        self.folder = folder
        (folder / "scene").mkdir()
        for number in range(8):
            (folder / "scene" / str(number)).write_bytes(os.urandom(300_000))
        self.held = Held()
        tree = import_path(str(folder / "scene"), self.held)
        self.key, self.cid, self.size = tree.key, to_text(tree.key), tree.size
        self.store = EmbeddedStore(
            reactor, folder / "store", folder / "staging", Terms(64 << 20), TlsCarrier(reactor, reactor)
        )
        self.store.startService()
        self.sources: list[Source] = []

    def make_large(self, chunks: int = 40) -> None:
        """Give the world a file of several runs instead of its folder."""
        file = self.folder / "large"
        file.write_bytes(b"".join(os.urandom(1 << 20) for _ in range(chunks)))
        tree = import_path(str(file), self.held)
        self.key, self.cid, self.size = tree.key, to_text(tree.key), tree.size

    def source(self, answer: Answer) -> Source:
        self.sources.append(Source(self.held, answer))
        return self.sources[-1]

    def get(self, *sources: Source, cid: Cid | None = None, limit: int | None = None) -> Deferred[int]:
        return self.store.get(cid or self.cid, [source.place for source in sources], limit or self.size, "o")

    async def has_nothing(self) -> bool:
        """Whether neither index nor disk show a trace."""
        with pytest.raises(ContentMissing):
            await self.store.get(self.cid, [], 1 << 40, "o")
        return not list((self.folder / "store" / "packs").iterdir())

    async def close(self) -> None:
        await self.store.stopService()
        for source in self.sources:
            source.listener.stopListening()


def run(test: Callable[[World], object]) -> Callable[[World], Deferred[object]]:
    """A test that waits on the reactor."""

    def started(world: World) -> Deferred[object]:
        return Deferred.fromCoroutine(test(world))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


def honest(source: Source, request: Request, key: Key) -> bytes:
    return car.header(key) + b"".join(source.sections(request, key))


def flips_a_byte(source: Source, request: Request, key: Key) -> bytes:
    data = bytearray(honest(source, request, key))
    data[-1] ^= 1
    return bytes(data)


def adds_a_block(source: Source, request: Request, key: Key) -> bytes:
    return honest(source, request, key) + car.section(raw_key(b"more"), b"more")


def swaps_blocks(source: Source, request: Request, key: Key) -> bytes:
    first, second, third, *rest = source.sections(request, key)
    return car.header(key) + b"".join([first, third, second, *rest])


def sends_no_car(source: Source, request: Request, key: Key) -> bytes:
    return b"<html>" * 1000


def block_only(source: Source, request: Request, key: Key) -> bytes:
    return car.header(key) + car.section(key, source.held.read(key))


def sends_one_block(source: Source, request: Request, key: Key) -> bytes:
    return car.header(key) + car.section(key, source.held.read(key))


def is_empty(source: Source, request: Request, key: Key) -> bytes:
    return b""


def has_nothing(source: Source, request: Request, key: Key) -> bytes:
    request.setResponseCode(404)
    return bytes(1 << 20)


def redirects(source: Source, request: Request, key: Key) -> bytes:
    request.redirect(f"http://127.0.0.1:1/ipfs/{to_text(key)}".encode())
    return b""


def breaks_off(source: Source, request: Request, key: Key) -> int:
    """Half of what is left, and half a block more."""
    sections = source.sections(request, key)
    half = len(sections) // 2 + 1
    request.write(car.header(key) + b"".join(sections[:half]) + b"".join(sections[half:])[:1000])
    request.loseConnection()
    return NOT_DONE_YET


def breaks_off_once(source: Source, request: Request, key: Key) -> bytes | int:
    return (breaks_off if len(source.asked) == 1 else has_nothing)(source, request, key)


def stalls(source: Source, request: Request, key: Key) -> int:
    request.write(car.header(key))
    return NOT_DONE_YET


def says_nothing(source: Source, request: Request, key: Key) -> int:
    return NOT_DONE_YET
