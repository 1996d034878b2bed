"""The gateway answers as the trustless gateway specification asks, and no reader costs more than its share."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse, IncompleteRead, RemoteDisconnected
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.threads import deferToThread

from golem.errors import ContentMissing
from golem.ipfs import doors, gateway
from golem.ipfs.car import CarReader
from golem.ipfs.cid import Key, check_block, to_text
from golem.ipfs.doors import Doors
from golem.ipfs.drafts import Coming
from golem.ipfs.gateway import Gateway
from golem.ipfs.importer import CHUNK_BYTES, import_chunks, import_path
from golem.ipfs.rates import Rates
from golem.ipfs.tickets import Tickets
from golem.ipfs.workers import Workers
from golem.net.tls import TlsCarrier
from golem.testing.store import Held

MISSING = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


class Site:
    """A gateway that listens, to what is in memory: a folder with a file of three chunks, and a small one."""

    def __init__(self, folder: Path) -> None:
        assert isinstance(reactor, PosixReactorBase)
        self.held = Held()
        self.reads = 0
        self.coming = Coming()
        (folder / "scene").mkdir()
        self.big = bytes(2 << 20) + b"end"
        (folder / "scene" / "big").write_bytes(self.big)
        (folder / "scene" / "small").write_bytes(b"hello world")
        self.root = import_path(str(folder / "scene"), self.held).key
        self.file = import_path(str(folder / "scene" / "big"), self.held).key
        self.leaf = import_path(str(folder / "scene" / "small"), self.held).key
        self.workers = Workers(reactor)
        self.workers.start()
        gate = Gateway(reactor, self.workers, self, Rates(reactor))
        factory = Doors(reactor, gateway.site(gate, reactor), Tickets(), TlsCarrier(reactor, reactor))
        self.listener: IListeningPort = reactor.listenTCP(0, factory, interface="127.0.0.1")

    @property
    def port(self) -> int:
        return int(self.listener.getHost().port)  # type: ignore[attr-defined]  # TCP addresses have one

    def sizes(self, keys: Sequence[Key], visitor: str) -> dict[Key, int]:
        return {key: len(self.held.blocks[key]) for key in keys if key in self.held.blocks}

    def read_all(self, keys: Sequence[Key]) -> Iterator[bytes]:
        return map(self.read, keys)

    def read(self, key: Key) -> bytes:
        self.reads += 1
        if key not in self.held.blocks:
            raise ContentMissing("not here")
        return self.held.read(key)

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Deferred[tuple[HTTPResponse, bytes]]:
        """Ask with another implementation of HTTP than ours."""

        def talk() -> tuple[HTTPResponse, bytes]:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            body = response.read()
            connection.close()
            return response, body

        return deferToThread(talk)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    stopped = site.listener.stopListening()
    if stopped is not None:
        blockon(stopped)
    blockon(site.workers.stop())


def run(test: Callable[[Site], object]) -> Callable[[Site], Deferred[object]]:
    """A test that waits on the reactor."""

    def started(site: Site) -> Deferred[object]:
        return Deferred.fromCoroutine(test(site))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


def _blocks(body: bytes) -> list[Key]:
    found = list(CarReader().feed([body]))
    for key, block in found:
        check_block(key, block)
    return [key for key, _ in found]


@run
async def test_a_raw_block_comes_as_it_is_and_says_what_it_is(site: Site) -> None:
    response, body = await site.ask(f"/ipfs/{to_text(site.leaf)}?format=raw")
    assert (response.status, body) == (200, b"hello world")
    assert {name: response.headers[name] for name in ("content-type", "cache-control", "x-content-type-options")} == {
        "content-type": "application/vnd.ipld.raw",
        "cache-control": "public, max-age=29030400, immutable",
        "x-content-type-options": "nosniff",
    }
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["content-length"] == "11"


@run
async def test_head_says_the_same_without_the_bytes(site: Site) -> None:
    for form in ("raw", "car"):
        path = f"/ipfs/{to_text(site.leaf)}?format={form}"
        (got, _), (head, body) = await site.ask(path), await site.ask(path, "HEAD")
        assert (head.status, body) == (200, b"")
        assert head.headers["etag"] == got.headers["etag"]
        assert head.headers["content-type"] == got.headers["content-type"]


@run
async def test_a_car_holds_what_its_scope_says_in_order_and_each_block_once(site: Site) -> None:
    below = list(dict.fromkeys(_blocks((await site.ask(f"/ipfs/{to_text(site.file)}?format=car"))[1])))
    expected = {
        ("root", ""): [site.root, *below, site.leaf],
        ("root", "&dag-scope=all"): [site.root, *below, site.leaf],
        ("root", "&dag-scope=entity"): [site.root],
        ("root", "&dag-scope=block"): [site.root],
        ("file", "&dag-scope=entity"): below,
        ("file", "&dag-scope=block"): [site.file],
        ("leaf", ""): [site.leaf],
    }
    assert len(below) == 3  # the two chunks of zeros are one block
    for (name, scope), keys in expected.items():
        response, body = await site.ask(f"/ipfs/{to_text(getattr(site, name))}?format=car{scope}")
        assert response.headers["content-type"] == "application/vnd.ipld.car; version=1; order=dfs; dups=n"
        assert _blocks(body) == keys, (name, scope)


@run
async def test_the_accept_header_asks_as_well_and_the_query_wins(site: Site) -> None:
    path = f"/ipfs/{to_text(site.leaf)}"
    car = {"accept": "text/html, application/vnd.ipld.car; version=1"}
    assert _blocks((await site.ask(path, headers=car))[1]) == [site.leaf]
    assert (await site.ask(f"{path}?format=raw", headers=car))[1] == b"hello world"


@pytest.mark.filterwarnings("ignore:twisted.web.resource._UnsafeErrorPage")  # Twisted's own answer to POST
@run
async def test_what_makes_no_sense_is_a_bad_request(site: Site) -> None:
    cid = to_text(site.leaf)
    paths = [
        f"/ipfs/{cid}",
        f"/ipfs/{cid}?format=tar",
        f"/ipfs/{cid}/a?format=raw",
        f"/ipfs/{cid}?format=car&dag-scope=x",
    ]
    paths += ["/", "/ipfs/", "/ipfs/..%2f..%2fetc?format=raw", f"/ipfs/{cid[:-1]}?format=raw", "/ipns/a?format=raw"]
    paths += ["/ipfs/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N0?format=raw", f"/ipfs/{'b' * 5000}?format=raw"]
    for path in paths:
        response, body = await site.ask(path)
        assert response.status == 400, path
        assert len(body) < 300
        assert response.headers["cache-control"] is None
    assert (await site.ask(f"/ipfs/{cid}?format=raw", "POST"))[0].status == 405
    assert site.reads == 0


@run
async def test_what_is_not_here_is_not_found(site: Site) -> None:
    for method in ("GET", "HEAD"):
        for form in ("raw", "car"):
            response, _ = await site.ask(f"/ipfs/{MISSING}?format={form}", method)
            assert response.status == 404
            assert response.headers["cache-control"] is None


@run
async def test_who_has_it_already_is_told_so(site: Site) -> None:
    path = f"/ipfs/{to_text(site.file)}?format=car"
    etag = (await site.ask(path))[0].headers["etag"]
    response, body = await site.ask(path, headers={"if-none-match": etag})
    assert (response.status, body) == (304, b"")
    assert (await site.ask(f"{path}&dag-scope=block"))[0].headers["etag"] != etag


@run
async def test_a_block_that_is_missing_cuts_the_stream_so_that_nobody_takes_it_for_whole(site: Site) -> None:
    del site.held.blocks[site.leaf]
    with pytest.raises(IncompleteRead):
        await site.ask(f"/ipfs/{to_text(site.root)}?format=car")


def _connect(site: Site) -> socket.socket:
    """A reader with a small buffer."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    reader.settimeout(10)
    reader.connect(("127.0.0.1", site.port))
    return reader


@run
async def test_a_reader_that_stalls_costs_a_few_blocks_and_is_cut_off(site: Site) -> None:
    chunks = (bytes([number]) * CHUNK_BYTES for number in range(64))
    cid = to_text(import_chunks(chunks, site.held).key)

    def stall() -> list[tuple[int, int]]:
        with _connect(site) as reader:
            reader.sendall(f"GET /ipfs/{cid}?format=car HTTP/1.1\r\nhost: a\r\n\r\n".encode())
            hung_up = select.poll()
            hung_up.register(reader, 0)
            return hung_up.poll(10_000)

    usual, gateway.STALL_S = gateway.STALL_S, 0.3
    try:
        assert await deferToThread(stall)
    finally:
        gateway.STALL_S = usual
    assert site.reads < 20


@run
async def test_there_is_room_for_so_many_readers_and_again_when_one_leaves(site: Site) -> None:
    path = f"/ipfs/{to_text(site.leaf)}?format=raw"
    usual, doors.MAX_CONNECTIONS = doors.MAX_CONNECTIONS, 2
    try:
        readers = [await deferToThread(_connect, site) for _ in range(2)]
        with pytest.raises((ConnectionError, RemoteDisconnected)):
            await site.ask(path)
        for reader in readers:
            reader.close()
        assert await _insist(site, path) == b"hello world"
    finally:
        doors.MAX_CONNECTIONS = usual


async def _insist(site: Site, path: str) -> bytes:
    """Ask until the site has noticed that others left."""
    for _ in range(50):
        with suppress(ConnectionError, RemoteDisconnected):
            return (await site.ask(path))[1]
    raise AssertionError("no room")
