"""Blocks on disk: what is listed can be read, what is not pinned is gone, what changed is noticed."""

from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path
from shutil import rmtree

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from golem.errors import ContentMissing, StoreFault, TooLarge
from golem.ipfs import reader
from golem.ipfs.blockstore import BlockStore, put
from golem.ipfs.cid import Chunk, Key, raw_key
from golem.ipfs.drafts import Draft
from golem.ipfs.importer import import_path

QUOTA = 10 << 20


@pytest.fixture
def store(tmp_path: Path) -> BlockStore:
    return BlockStore(tmp_path / "store", QUOTA)


def _put(store: BlockStore, path: Path, owner: str, *, by_reference: bool = False) -> Key:
    with store.draft(by_reference=by_reference) as draft:
        tree = import_path(str(path), draft)
        draft.commit(tree.key, tree.size, owner)
    return tree.key


def _packs(store_folder: Path) -> int:
    return sum(path.stat().st_size for path in (store_folder / "packs").iterdir())


class Looking(Draft):
    """Looks at what is being put in after each block of a file."""

    def __init__(self, store: Watched, *, by_reference: bool) -> None:
        super().__init__(store, by_reference=by_reference)
        self._watched = store

    def leaf(self, key: Key, chunk: Chunk) -> None:
        super().leaf(key, chunk)
        self._watched.seen += [(path, draft.read_bytes) for draft, path in self._watched.importing.items()]


class Watched(BlockStore):
    """Remembers what was seen of imports."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, QUOTA)
        self.seen: list[tuple[str, int]] = []

    def draft(self, *, by_reference: bool = False) -> Draft:
        return Looking(self, by_reference=by_reference)


@pytest.mark.parametrize("by_reference", [True, False])
def test_it_is_told_how_much_was_read_of_what_is_put_in(tmp_path: Path, by_reference: bool) -> None:
    store, path = Watched(tmp_path / "store"), tmp_path / "a"
    path.write_bytes(bytes(2 << 20) + b"x")
    put(store, str(path), "o", by_reference=by_reference)
    assert store.seen == [(str(path), size) for size in (1 << 20, 2 << 20, (2 << 20) + 1)]
    with pytest.raises(StoreFault):
        put(store, str(tmp_path / "nowhere"), "o", by_reference=by_reference)
    assert not store.importing
    store.close()


def test_content_is_there_after_a_restart(store: BlockStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3 << 20) + b"x")
    key = _put(store, tmp_path / "a", "o")
    store.close()
    again = BlockStore(tmp_path / "store", QUOTA)
    assert again.pin(key, "p", QUOTA) == (3 << 20) + 1
    again.unpin("o")
    assert b"".join(block for _, block in reader.blocks(again.read, key)).endswith(b"x")
    assert again.used_bytes() == _packs(tmp_path / "store")


def test_a_file_of_the_users_takes_no_room_and_is_never_deleted(store: BlockStore, tmp_path: Path) -> None:
    file = tmp_path / "scene"
    file.write_bytes(b"data")
    key = _put(store, file, "o", by_reference=True)
    assert (store.used_bytes(), store.read(key)) == (0, b"data")
    store.unpin("o")
    assert file.read_bytes() == b"data"
    with pytest.raises(ContentMissing):
        store.read(key)


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_file_that_the_user_changed_is_noticed_and_can_be_put_again(
    store: BlockStore, tmp_path: Path, keeps_time: bool
) -> None:
    file = tmp_path / "scene"
    file.write_bytes(b"before")
    time = file.stat().st_mtime_ns
    key = _put(store, file, "o", by_reference=True)
    file.write_bytes(b"behind" if keeps_time else b"before")
    os.utime(file, ns=(time, time if keeps_time else time + 1))
    with pytest.raises(ContentMissing, match="scene: changed"):
        store.read(key)
    assert store.pin(key, "o", QUOTA) is None
    file.write_bytes(b"before")
    _put(store, file, "o", by_reference=True)
    assert store.read(key) == b"before"


def test_a_file_that_is_gone_is_noticed(store: BlockStore, tmp_path: Path) -> None:
    (tmp_path / "scene").write_bytes(b"data")
    key = _put(store, tmp_path / "scene", "o", by_reference=True)
    (tmp_path / "scene").unlink()
    with pytest.raises(ContentMissing):
        store.read(key)


@pytest.mark.parametrize("refers_first", [True, False])
def test_bytes_in_a_file_of_the_users_and_in_a_pack_are_read_from_the_pack(
    store: BlockStore, tmp_path: Path, refers_first: bool
) -> None:
    file, folder = tmp_path / "scene", tmp_path / "folder"
    file.write_bytes(b"data")
    folder.mkdir()
    (folder / "same").write_bytes(b"data")
    puts: list[tuple[Path, bool]] = [(file, True), (folder, False)]
    for path, by_reference in puts if refers_first else puts[::-1]:
        _put(store, path, "o", by_reference=by_reference)
    file.write_bytes(b"other")
    assert store.read(raw_key(b"data")) == b"data"


def test_a_damaged_pack_is_noticed_and_forgotten(store: BlockStore, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_bytes(name.encode() * 100)
    key = _put(store, folder, "o")
    (pack,) = (tmp_path / "store" / "packs").iterdir()
    with pack.open("r+b") as out:
        out.write(b"x")
    with pytest.raises(ContentMissing, match="pack"):
        store.read(raw_key(b"a" * 100))
    assert store.pin(key, "o", QUOTA) is None
    assert (store.used_bytes(), _packs(tmp_path / "store")) == (0, 0)


def test_what_is_not_committed_is_nowhere(store: BlockStore, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), store.draft() as draft:
        draft.keep(raw_key(b"data"), b"data")
        1 / 0  # noqa: B018
    assert (store.used_bytes(), _packs(tmp_path / "store")) == (0, 0)
    with pytest.raises(ContentMissing):
        store.read(raw_key(b"data"))


def test_what_a_crash_left_is_removed_at_the_next_start(store: BlockStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"kept")
    key = _put(store, tmp_path / "a", "o")
    store.draft().keep(raw_key(b"data" * 100_000), b"data" * 100_000)
    assert _packs(tmp_path / "store") > 4
    again = BlockStore(tmp_path / "store", QUOTA)
    assert (again.used_bytes(), _packs(tmp_path / "store"), again.read(key)) == (4, 4, b"kept")


def test_the_quota_holds_to_the_byte_and_room_comes_back(store: BlockStore, tmp_path: Path) -> None:
    for name, size in (("half", QUOTA // 2), ("rest", QUOTA - QUOTA // 2), ("byte", 1)):
        (tmp_path / name).write_bytes(os.urandom(size))
    draft = store.draft()
    draft.reserve(QUOTA)
    with pytest.raises(TooLarge, match="quota"):
        _put(store, tmp_path / "byte", "o")
    draft.close()
    for name in ("half", "rest"):
        with store.draft() as copy:
            copy.leaf(raw_key((tmp_path / name).read_bytes()), (tmp_path / name).read_bytes())
            copy.commit(raw_key((tmp_path / name).read_bytes()), 1, name)
    with pytest.raises(TooLarge, match="quota"):
        _put(store, tmp_path / "byte", "o")
    store.unpin("half")
    _put(store, tmp_path / "byte", "o")
    assert store.used_bytes() == _packs(tmp_path / "store") == QUOTA - QUOTA // 2 + 1


def test_a_file_that_claims_a_terabyte_is_refused_unread(store: BlockStore, tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as out:
        out.truncate(1 << 40)
    with pytest.raises(TooLarge, match="quota"):
        _put(store, tmp_path / "sparse", "o")


def test_a_closed_store_fails_and_does_no_harm(store: BlockStore, tmp_path: Path) -> None:
    draft = store.draft()
    store.close()
    with pytest.raises(StoreFault, match="closing"):
        draft.keep(raw_key(b"data"), b"data")
    with pytest.raises(StoreFault):
        store.read(raw_key(b"data"))


BLOBS = [b"", b"a", b"b" * 3000, b"c" * 300_000]


class Life(RuleBasedStateMachine):
    """Contents come and go, in packs and by reference; the law is that what is pinned is here, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.store = BlockStore(self.home / "store", QUOTA)
        self.pins: dict[str, set[Key]] = {}
        self.sizes: dict[Key, int] = {}

    @rule(
        blobs=st.lists(st.integers(0, 3).map(lambda number: BLOBS[number]), max_size=3),
        owner=st.sampled_from("xyz"),
        by_reference=st.booleans(),
    )
    def put(self, blobs: list[bytes], owner: str, by_reference: bool) -> None:
        folder = self.home / f"scene-{len(list(self.home.iterdir()))}"
        folder.mkdir()
        for number, blob in enumerate(blobs):
            (folder / str(number)).write_bytes(blob)
        key = _put(self.store, folder, owner, by_reference=by_reference)
        self.pins.setdefault(owner, set()).add(key)
        self.sizes[key] = sum(map(len, blobs))

    @rule(owner=st.sampled_from("xyz"))
    def unpin(self, owner: str) -> None:
        self.store.unpin(owner)
        self.pins.pop(owner, None)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = BlockStore(self.home / "store", QUOTA)

    @invariant()
    def what_is_pinned_is_here_and_nothing_else(self) -> None:
        pinned = {key for keys in self.pins.values() for key in keys}
        for key, size in self.sizes.items():
            if key in pinned:
                assert sum(1 for _ in reader.blocks(self.store.read, key)) > 0
                assert self.store.pin(key, min(o for o, keys in self.pins.items() if key in keys), QUOTA) == size
            else:
                assert self.store.pin(key, "nobody", QUOTA) is None

    @invariant()
    def packs_are_counted_to_the_byte_and_none_outlives_its_contents(self) -> None:
        assert self.store.used_bytes() == _packs(self.home / "store")
        assert self.pins or not self.store.used_bytes()

    def teardown(self) -> None:
        self.store.close()
        rmtree(self.home)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


def test_collecting_forgets_files_of_the_users_that_changed_and_nothing_else(store: BlockStore, tmp_path: Path) -> None:
    for name in ("stays", "changes", "goes"):
        (tmp_path / name).write_bytes(name.encode())
        _put(store, tmp_path / name, name, by_reference=True)
    (tmp_path / "changes").write_bytes(b"other")
    (tmp_path / "goes").unlink()
    store.collect()
    assert [kept.owners for kept in store.index.contents()] == [("stays",)]
    assert store.read(raw_key(b"stays")) == b"stays"


@pytest.mark.parametrize("size", [100_000, 3 << 20])
def test_a_disk_that_takes_no_more_is_a_fault_and_what_was_reserved_is_free_again(
    store: BlockStore, tmp_path: Path, size: int
) -> None:
    (tmp_path / "a").write_bytes(os.urandom(size))
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, usual[1]))  # past it, writing fails as on a full disk
    try:
        with pytest.raises(StoreFault, match="packs"):
            _put(store, tmp_path / "a", "o")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (store.used_bytes(), _packs(tmp_path / "store")) == (0, 0)
    _put(store, tmp_path / "a", "o")
