"""Who is still fetching gives what it has to others who fetch the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet.defer import Deferred, gatherResults
from twisted.web.server import Request

from golem.errors import ContentMissing
from golem.ipfs import car, reader, runs
from golem.ipfs.blockstore import BlockStore
from golem.ipfs.cid import Key, is_raw, to_text
from golem.ipfs.importer import CHUNK_BYTES, import_path
from golem.ipfs.intake import Intake
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.testing.store import Held
from tests.ipfs.sources import Source, new_store

CHUNKS = 24
RAW = b"\x01\x55\x12\x20"


class Crowd:
    """A file that sources have, and two stores that want it and serve everybody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "large").write_bytes(os.urandom(CHUNKS * CHUNK_BYTES))
        self.held = Held()
        tree = import_path(str(folder / "large"), self.held)
        self.key, self.size = tree.key, tree.size
        self.sources: list[Source] = []
        terms = Terms(64 << 20, is_public=True)
        self.stores = [new_store(folder / name, folder / "staging", terms) for name in ("a", "b")]
        for store in self.stores:
            store.startService()

    @property
    def leaves(self) -> list[Key]:
        return [key for key, _ in reader.blocks(self.held.read, self.key) if is_raw(key)]

    def source(self, has: Callable[[Key], bool]) -> Source:
        """One that has all nodes, and so many leaves."""

        def answer(source: Source, request: Request, key: Key) -> bytes:
            found = [(key, block) for key, block in source.wanted(request, key) if not is_raw(key) or has(key)]
            return car.header(key) + b"".join(car.section(*pair) for pair in found)

        class Part(Source):
            def told(self, since: int) -> bytes:
                return b"".join([key for key in self.held.blocks if not is_raw(key) or has(key)][since:])

        self.sources.append(Part(self.held, answer))
        return self.sources[-1]

    def get(self, store: EmbeddedStore, *places: str) -> Deferred[int]:
        return store.get(to_text(self.key), list(places), self.size, "o")


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    monkeypatch.setattr(runs, "WAIT_S", 1.0)
    crowd = Crowd(tmp_path)
    yield crowd
    for store in crowd.stores:
        blockon(store.stopService())
    for source in crowd.sources:
        source.listener.stopListening()


def place(store: EmbeddedStore) -> str:
    return f"127.0.0.1:{store.port}"


def run(test: Callable[[Crowd], object]) -> Callable[[Crowd], Deferred[object]]:
    """A test that waits on the reactor."""

    def started(crowd: Crowd) -> Deferred[object]:
        return Deferred.fromCoroutine(test(crowd))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


@run
async def test_two_who_find_half_of_it_each_have_the_rest_from_one_another(crowd: Crowd) -> None:
    first, second = crowd.stores
    even = set(crowd.leaves[::2])
    halves = crowd.source(lambda key: key in even), crowd.source(lambda key: key not in even)
    ours = crowd.get(first, halves[0].place, place(second))
    theirs = crowd.get(second, halves[1].place, place(first))
    assert await gatherResults([ours, theirs]) == [crowd.size, crowd.size]
    for number, store in enumerate(crowd.stores):
        await store.materialise(to_text(crowd.key), str(crowd.folder / f"copy{number}"))
        assert (crowd.folder / f"copy{number}").read_bytes() == (crowd.folder / "large").read_bytes()


@run
async def test_where_nobody_has_the_rest_all_give_up_and_say_so(crowd: Crowd) -> None:
    first, second = crowd.stores
    halves = [crowd.source(lambda key: key in set(crowd.leaves[::2])) for _ in range(2)]
    ours = crowd.get(first, halves[0].place, place(second))
    theirs = crowd.get(second, halves[1].place, place(first))
    for getting in (ours, theirs):
        with pytest.raises(ContentMissing, match="nothing of what is missing"):
            await getting
    assert not [kept for store in crowd.stores for kept in (await store.survey()).kept]


@run
async def test_who_has_not_begun_is_asked_again_and_no_run_is_lost_to_it(crowd: Crowd) -> None:
    first, second = crowd.stores
    whole = crowd.source(lambda key: True)
    assert await crowd.get(first, whole.place, place(second)) == crowd.size
    assert sorted(whole.leaves) == sorted(crowd.leaves)


@pytest.mark.parametrize("told", [b"garbage", RAW + bytes(32), b"\x12\x20", (RAW + bytes(32)) * 100])
def test_who_tells_nonsense_of_what_it_has_is_asked_no_more(crowd: Crowd, told: bytes) -> Deferred[None]:
    class Liar(Source):
        def told(self, since: int) -> bytes:
            return b"" if since else told

    def gives_nothing(source: Source, request: Request, key: Key) -> bytes | int:
        if (request.args or {})[b"blocks"] == [b"nodes"]:
            return car.header(key) + b"".join(source.sections(request, key))
        return car.header(key)

    async def test() -> None:
        liar = Liar(crowd.held, gives_nothing)
        crowd.sources.append(liar)
        with pytest.raises(ContentMissing):
            await crowd.get(crowd.stores[0], liar.place)
        assert await crowd.get(crowd.stores[0], liar.place, crowd.source(lambda key: True).place) == crowd.size

    return Deferred.fromCoroutine(test())


def test_what_comes_in_for_a_task_is_for_those_alone_who_work_at_it(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(os.urandom(CHUNK_BYTES + 1))
    held = Held()
    root = import_path(str(tmp_path / "large"), held).key
    store = BlockStore(tmp_path / "store", 64 << 20)
    part = store.resumed(root, "o")
    intake = Intake(root, 8 << 20, part)
    (_, node), (first, block), (second, _) = reader.blocks(held.read, root)
    for key, data in ((root, node), (first, block)):
        intake.take(key, data)
    assert list(store.sizes([root, first, second], "o")) == store.coming.keys(root) == [root, first]
    assert list(store.read_all([first, root])) == [block, node]
    for visitor in ("p", ""):
        assert not store.sizes([root, first], visitor)
    part.close()
    assert not store.sizes([root, first], "o")
    with pytest.raises(ContentMissing):
        store.read(first)
    store.close()
