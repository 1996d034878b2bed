"""A source may lie, stall, break off or be gone: what comes in is right and whole, or nothing is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from golem.errors import ContentMissing, ContentUnreadable, StoreFault, TooLarge
from golem.ipfs import body, car, dagpb, fetch, reader
from golem.ipfs.cid import Key, from_text, node_key, raw_key, to_text
from golem.ipfs.importer import import_path
from golem.ipfs.node import EmbeddedStore
from golem.model.ids import Cid
from golem.testing.store import Held

Answer = Callable[["Source", Request, Key], bytes | int]


class Source(Resource):
    """A gateway that answers as it is told. `asked`: the ids that it was asked for, in order."""

    isLeaf = True

    def __init__(self, held: Held, answer: Answer) -> None:
        super().__init__()
        self.held = held
        self.asked: list[Key] = []
        self.reached: Deferred[None] = Deferred()
        self._answer = answer
        assert isinstance(reactor, PosixReactorBase)
        site = Site(self)
        site.noisy = False
        self.listener: IListeningPort = reactor.listenTCP(0, site, interface="127.0.0.1")

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.listener.getHost().port}"  # type: ignore[attr-defined]  # TCP addresses have one

    def render_GET(self, request: Request) -> bytes | int:
        key = from_text(request.path.decode().removeprefix("/ipfs/"))
        self.asked.append(key)
        if not self.reached.called:
            self.reached.callback(None)
        return self._answer(self, request, key)

    def sections(self, key: Key) -> list[bytes]:
        """What an honest answer consists of."""
        return [car.section(*found) for found in reader.blocks(self.held.read, key)]


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
        self.store = EmbeddedStore(reactor, folder / "store", folder / "staging", 64 << 20, "127.0.0.1:0")
        self.store.startService()
        self.sources: list[Source] = []

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


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    blockon(Deferred.fromCoroutine(world.close()))


def run(test: Callable[[World], object]) -> Callable[[World], Deferred[object]]:
    """A test that waits on the reactor."""

    def started(world: World) -> Deferred[object]:
        return Deferred.fromCoroutine(test(world))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


def honest(source: Source, request: Request, key: Key) -> bytes:
    return car.header(key) + b"".join(source.sections(key))


def flips_a_byte(source: Source, request: Request, key: Key) -> bytes:
    data = bytearray(honest(source, request, key))
    data[-1] ^= 1
    return bytes(data)


def adds_a_block(source: Source, request: Request, key: Key) -> bytes:
    return honest(source, request, key) + car.section(raw_key(b"more"), b"more")


def swaps_blocks(source: Source, request: Request, key: Key) -> bytes:
    first, second, third, *rest = source.sections(key)
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
    sections = source.sections(key)
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


LIARS = [flips_a_byte, adds_a_block, swaps_blocks, sends_no_car, is_empty, has_nothing, redirects]


@pytest.mark.parametrize("liar", LIARS)
def test_from_a_source_that_lies_nothing_is_kept_and_the_next_one_helps(world: World, liar: Answer) -> Deferred[None]:
    async def test() -> None:
        bad, good = world.source(liar), world.source(honest)
        if liar is not adds_a_block:  # all that was wanted is here before it can lie
            with pytest.raises(ContentMissing, match=bad.place):
                await world.get(bad)
            assert await world.has_nothing()
        bad.asked.clear()
        assert await world.get(bad, good) == world.size
        assert len(bad.asked) == 1
        await world.store.materialise(world.cid, str(world.folder / "copy"))
        for path in (world.folder / "scene").iterdir():
            assert (world.folder / "copy" / path.name).read_bytes() == path.read_bytes()

    return Deferred.fromCoroutine(test())


@run
async def test_a_source_that_breaks_off_is_asked_for_the_rest_and_no_block_twice(world: World) -> None:
    source = world.source(breaks_off)
    assert await world.get(source) == world.size
    assert source.asked == list(dict.fromkeys(source.asked))
    assert len(source.asked) > 2


@run
async def test_what_one_source_gave_the_next_need_not(world: World) -> None:
    first, second = world.source(breaks_off_once), world.source(honest)
    assert await world.get(first, second) == world.size
    assert world.key not in second.asked
    assert first.asked[1:] == second.asked[:1]


@run
async def test_a_source_that_breaks_off_for_good_leaves_no_trace(world: World) -> None:
    with pytest.raises(ContentMissing, match="HTTP 404"):
        await world.get(world.source(breaks_off_once))
    assert await world.has_nothing()


@pytest.mark.parametrize("sluggard", [stalls, says_nothing])
def test_a_source_that_stalls_is_given_up(
    world: World, sluggard: Answer, monkeypatch: pytest.MonkeyPatch
) -> Deferred[None]:
    for module in (body, fetch):
        monkeypatch.setattr(module, "PATIENCE_S", 0.2)

    async def test() -> None:
        with pytest.raises(ContentMissing):
            await world.get(world.source(sluggard))
        assert await world.has_nothing()
        assert await world.get(world.source(sluggard), world.source(honest)) == world.size

    return Deferred.fromCoroutine(test())


@run
async def test_one_byte_more_than_agreed_ends_it_and_no_other_source_is_asked(world: World) -> None:
    first, second = world.source(honest), world.source(honest)
    with pytest.raises(TooLarge, match=str(world.size - 1)):
        await world.get(first, second, limit=world.size - 1)
    assert await world.has_nothing()
    assert second.asked == []


@run
async def test_content_past_the_quota_is_refused_and_leaves_no_trace(world: World) -> None:
    world.held.leaf(raw_key(b"short"), b"short")
    block = dagpb.encode([dagpb.Link(raw_key(b"short"), b"", 0)], dagpb.field(1, 2) + dagpb.field(4, 65 << 20))
    world.held.node(node_key(block), block)
    with pytest.raises(TooLarge, match="quota"):
        await world.get(world.source(honest), cid=to_text(node_key(block)), limit=1 << 40)
    assert await world.has_nothing()


@run
async def test_content_that_is_bad_whoever_sends_it_is_not_asked_for_again(world: World) -> None:
    block = dagpb.encode([], b"no UnixFS")
    world.held.node(node_key(block), block)
    first, second = world.source(sends_one_block), world.source(sends_one_block)
    with pytest.raises(ContentUnreadable):
        await world.get(first, second, cid=to_text(node_key(block)))
    assert (len(first.asked), second.asked) == (1, [])


@run
async def test_only_places_are_dialled(world: World) -> None:
    good = world.source(honest).place
    for place in (
        f"{good}/..",
        f"user@{good}",
        f"{good}#",
        "127.0.0.1",
        "http://127.0.0.1:80",
        "a b:1",
        f"{good}\r\nx: y",
    ):
        with pytest.raises(ContentMissing, match="not a place"):
            await world.store.get(world.cid, [place], world.size, "o")
    with pytest.raises(ContentMissing, match="no answer"):
        await world.store.get(world.cid, ["127.0.0.1:1"], world.size, "o")
    assert world.sources[0].asked == []


@run
async def test_those_who_want_the_same_share_one_transfer_and_need_not_share_its_failure(world: World) -> None:
    source = world.source(honest)
    tight = world.store.get(world.cid, [source.place], 10, "tight")
    await source.reached
    gets = [world.store.get(world.cid, [source.place], world.size, f"o{number}") for number in range(5)]
    with pytest.raises(TooLarge):
        await tight
    assert [await get for get in gets] == [world.size] * 5
    assert len(source.asked) == 2


@run
async def test_what_was_let_go_of_while_it_came_is_not_kept(world: World) -> None:
    getting = world.get(world.source(honest))
    await world.store.unpin("o")
    with pytest.raises(StoreFault):
        await getting
    assert await world.has_nothing()


@pytest.mark.parametrize("sluggard", [stalls, says_nothing])
def test_a_store_that_stops_ends_what_is_under_way_and_leaves_no_trace(
    world: World, sluggard: Answer
) -> Deferred[None]:
    async def test() -> None:
        source = world.source(sluggard)
        getting = world.get(source)
        await source.reached
        await world.store.stopService()
        with pytest.raises(StoreFault, match="closing"):
            await getting
        world.store.startService()
        assert await world.has_nothing()

    return Deferred.fromCoroutine(test())
