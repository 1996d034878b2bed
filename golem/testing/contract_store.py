"""What every content store must do. Subclass it, and give the fixture `two`."""

# ruff: noqa: D102  # a test's name says what it proves

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from golem.errors import ContentMismatch, ContentMissing, StoreFault, TooLarge
from golem.interfaces import IParcels, IResourceStore
from golem.model.ids import Cid, Ticket
from golem.model.messages import MAX_ALONG_BYTES, Place

HELLO = Cid("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")  # "hello world", in IPIP-499
LIMIT = 1 << 20
TICKET = Ticket(b"t" * 32)


class Two(NamedTuple):
    """Two stores that have nothing yet. `folder`: whose files both take for staged ones."""

    near: IResourceStore
    far: IResourceStore
    far_place: Place
    folder: Path


C = TypeVar("C", bound="TwoStores")


def waited(
    test: Callable[[C, Two], Coroutine[Deferred[object], object, None]],
) -> Callable[[C, Two], Deferred[None] | None]:
    """Let the subclass wait for the test in its own way."""

    @wraps(test)
    def run(self: C, two: Two) -> Deferred[None] | None:
        return self.wait(Deferred.fromCoroutine(test(self, two)))

    return run


class TwoStores:
    """What the tests stand on."""

    @pytest.fixture
    def two(self) -> Two:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def let_in(self, two: Two) -> None:
        """Both work at the tasks `o`, `o0` and so on, and know their tickets."""
        for owner in ("o", *(f"o{number}" for number in range(5))):
            for store in (two.near, two.far):
                store.admit(owner, TICKET)

    def wait(self, test: Deferred[None]) -> Deferred[None] | None:
        """See the test to its end, here or by giving it to pytest-twisted, which waits on the reactor."""
        return test


class ResourceStoreContract(TwoStores):
    """Content that is put, got, pinned and served."""

    def test_it_is_a_resource_store(self, two: Two) -> None:
        assert verifyObject(IResourceStore, two.near)

    @waited
    async def test_content_is_named_by_its_bytes_alone(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", b"hello world"), "o")
        other = await two.near.put(_file(two, "b", b"hello world"), "p")
        assert (content.cid, content.size_bytes) == (HELLO, 11)
        assert other == content

    @waited
    async def test_a_folder_comes_over_as_it_was(self, two: Two) -> None:
        source, target = two.folder / "scene", two.folder / "copy"
        files = {"a.txt": b"x", "empty": b"", "sub/deep/é ü.bin": os.urandom(3 << 20), "sub/same": b"x"}
        for name, data in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        (source / "hollow").mkdir()
        content = await two.far.put(str(source), "o")
        size = await two.near.get(content.cid, [two.far_place], 4 << 20, "o")
        await two.near.materialise(content.cid, str(target))
        assert size == content.size_bytes == sum(map(len, files.values()))
        assert _tree(target) == _tree(source)

    @waited
    async def test_files_are_plain_whatever_the_umask(self, two: Two) -> None:
        source, target = two.folder / "scene", two.folder / "copy"
        source.mkdir(mode=0o700)
        (source / "run").touch(mode=0o6755)
        content = await two.near.put(str(source), "o")
        before = os.umask(0o077)
        try:
            await two.near.materialise(content.cid, str(target))
        finally:
            os.umask(before)
        assert [stat.S_IMODE(path.stat().st_mode) for path in (target, target / "run")] == [0o755, 0o644]

    @waited
    async def test_what_is_here_needs_no_source(self, two: Two) -> None:
        content = await two.near.put(_file(two, "a", b"hello world"), "o")
        assert await two.near.get(content.cid, [], 11, "p") == 11

    @waited
    async def test_one_byte_past_the_limit_is_too_large_and_nothing_is_kept(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", b"hello world"), "o")
        with pytest.raises(TooLarge):
            await two.near.get(content.cid, [two.far_place], 10, "o")
        with pytest.raises(ContentMissing):
            await two.near.get(content.cid, [], 11, "o")
        assert await two.near.get(content.cid, [two.far_place], 11, "o") == 11
        with pytest.raises(TooLarge):
            await two.near.get(content.cid, [], 10, "p")

    @waited
    async def test_content_that_nobody_has_is_missing(self, two: Two) -> None:
        for sources in ([two.far_place], []):
            with pytest.raises(ContentMissing):
                await two.near.get(HELLO, sources, LIMIT, "o")
        with pytest.raises(ContentMissing):
            await two.near.materialise(HELLO, str(two.folder / "copy"))
        assert not (two.folder / "copy").exists()

    @waited
    async def test_an_id_that_is_none_is_a_store_fault(self, two: Two) -> None:
        for cid in ("", "b" + "a" * 58, HELLO.upper(), HELLO[:-1] + "f"):
            with pytest.raises(StoreFault):
                await two.near.get(Cid(cid), [two.far_place], LIMIT, "o")

    @waited
    async def test_nothing_is_ever_overwritten(self, two: Two) -> None:
        content = await two.near.put(_file(two, "a", b"hello world"), "o")
        for path in (_file(two, "b", b"mine"), str(two.folder)):
            with pytest.raises(StoreFault, match="exists"):
                await two.near.materialise(content.cid, path)
        assert (two.folder / "b").read_bytes() == b"mine"

    @waited
    async def test_links_pipes_and_names_that_trick_terminals_are_refused_by_name(self, two: Two) -> None:
        source = two.folder / "scene"
        source.mkdir()
        odd = source / "odd"
        for target in ("/etc/hostname", ""):
            odd.symlink_to(target) if target else os.mkfifo(odd)
            with pytest.raises(StoreFault, match="odd"):
                await two.near.put(str(source), "o")
            odd.unlink()
        for name in (b"new\nline", b"\x1b[31m", b"\xff"):
            path = os.fsencode(source) + b"/" + name
            Path(os.fsdecode(path)).touch()
            with pytest.raises(StoreFault):
                await two.near.put(str(source), "o")
            Path(os.fsdecode(path)).unlink()
        with pytest.raises(StoreFault, match="nowhere"):
            await two.near.put(str(source / "nowhere"), "o")

    @waited
    async def test_content_goes_with_its_last_owner(self, two: Two) -> None:
        content = await two.near.put(_file(two, "a", b"hello world"), "o")
        await two.near.get(content.cid, [], LIMIT, "p")
        await two.near.unpin("o")
        await two.near.unpin("nobody")
        await two.near.materialise(content.cid, str(two.folder / "copy"))
        await two.near.unpin("p")
        with pytest.raises(ContentMissing):
            await two.near.get(content.cid, [], LIMIT, "o")

    @waited
    async def test_shared_bytes_stay_with_who_still_has_them(self, two: Two) -> None:
        source = two.folder / "scene"
        source.mkdir()
        (source / "a").write_bytes(b"hello world")
        folder = await two.near.put(str(source), "folder")
        await two.near.put(_file(two, "b", b"hello world"), "file")
        await two.near.unpin("folder")
        await two.near.materialise(HELLO, str(two.folder / "copy"))
        assert (two.folder / "copy").read_bytes() == b"hello world"
        with pytest.raises(ContentMissing):
            await two.near.materialise(folder.cid, str(two.folder / "gone"))

    @waited
    async def test_what_is_here_is_listed_with_its_owners(self, two: Two) -> None:
        content = await two.near.put(_file(two, "a", b"hello world"), "o")
        await two.near.get(content.cid, [], LIMIT, "p")
        (kept,) = (await two.near.survey()).kept
        assert (kept.cid, kept.size_bytes, kept.owners) == (HELLO, 11, ("o", "p"))
        await two.near.collect()
        await two.near.unpin("o")
        assert [kept.owners for kept in (await two.near.survey()).kept] == [("p",)]
        await two.near.unpin("p")
        assert not (await two.near.survey()).kept

    @waited
    async def test_content_of_a_task_is_given_to_those_alone_who_know_its_ticket(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", b"hello world"), "o")
        two.near.admit("a liar", Ticket(b"x" * 32))
        two.far.admit("another task", TICKET)
        two.near.admit("another task", TICKET)
        for owner in ("a stranger", "a liar", "another task", "user/me"):
            with pytest.raises(ContentMissing):
                await two.near.get(content.cid, [two.far_place], LIMIT, owner)
        assert await two.near.get(content.cid, [two.far_place], LIMIT, "o") == 11

    @waited
    async def test_what_the_user_shares_is_given_to_anybody(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", b"hello world"), "user/me")
        assert await two.near.get(content.cid, [two.far_place], LIMIT, "a stranger") == 11

    @waited
    async def test_the_first_ticket_of_a_task_stays_until_the_task_is_let_go_of(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", b"hello world"), "o")
        two.far.admit("o", Ticket(b"x" * 32))
        assert await two.near.get(content.cid, [two.far_place], LIMIT, "o") == 11
        await two.near.unpin("o")
        await two.far.get(content.cid, [], LIMIT, "o0")
        await two.far.unpin("o")
        await two.far.get(content.cid, [], LIMIT, "o")
        two.near.admit("o", TICKET)
        with pytest.raises(ContentMissing):
            await two.near.get(content.cid, [two.far_place], LIMIT, "o")

    @waited
    async def test_many_may_want_the_same_at_once(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", os.urandom(3 << 20)), "o")
        for number in range(5):
            await two.far.get(content.cid, [], 4 << 20, f"o{number}")
        gets = [two.near.get(content.cid, [two.far_place], 4 << 20, f"o{number}") for number in range(5)]
        assert [await size for size in gets] == [3 << 20] * 5


class ParcelsContract(TwoStores):
    """Content that travels in messages."""

    def test_they_are_parcels(self, two: Two) -> None:
        assert verifyObject(IParcels, two.near.parcels)

    @waited
    async def test_small_content_travels_in_a_message_and_needs_no_source(self, two: Two) -> None:
        source = two.folder / "result"
        source.mkdir()
        for name, data in {"empty": b"", "one": b"1", "same": b"1"}.items():
            (source / name).write_bytes(data)
        content = await two.far.put(str(source), "o")
        along = two.far.parcels.pack([content.cid])
        assert 0 < len(along) <= MAX_ALONG_BYTES
        two.near.parcels.unpack(along)
        assert await two.near.get(content.cid, [], content.size_bytes, "o") == 2
        await two.near.materialise(content.cid, str(two.folder / "copy"))
        assert _tree(two.folder / "copy") == _tree(source)

    @waited
    async def test_of_large_content_what_leads_to_the_rest_travels_in_a_message(self, two: Two) -> None:
        source = two.folder / "result"
        source.mkdir()
        (source / "large").write_bytes(os.urandom(MAX_ALONG_BYTES))
        content = await two.far.put(str(source), "o")
        two.near.parcels.unpack(two.far.parcels.pack([content.cid]))
        with pytest.raises(ContentMissing):
            await two.near.get(content.cid, [], content.size_bytes, "o")
        assert await two.near.get(content.cid, [two.far_place], content.size_bytes, "o") == content.size_bytes

    @waited
    async def test_what_travels_in_a_message_is_bound_by_what_was_agreed(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", b"hello world"), "o")
        two.near.parcels.unpack(two.far.parcels.pack([content.cid]))
        with pytest.raises(TooLarge):
            await two.near.get(content.cid, [], 10, "o")
        assert not (await two.near.survey()).kept

    @waited
    async def test_wrong_bytes_in_a_message_are_refused_and_the_right_ones_fetched(self, two: Two) -> None:
        content = await two.far.put(_file(two, "a", b"hello world"), "o")
        along = two.far.parcels.pack([content.cid])
        for wrong in (along[:-1] + b"!", b"\xff" * 20):
            with pytest.raises(ContentMismatch):
                two.near.parcels.unpack(wrong)
        with pytest.raises(ContentMissing):
            await two.near.get(content.cid, [], LIMIT, "o")
        assert await two.near.get(content.cid, [two.far_place], LIMIT, "o") == 11

    @waited
    async def test_nothing_travels_that_is_not_known(self, two: Two) -> None:
        assert two.near.parcels.pack([HELLO]) == b""


def _file(two: Two, name: str, data: bytes) -> str:
    path = two.folder / name
    path.write_bytes(data)
    return str(path)


def _tree(root: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in sorted(root.rglob("*"))}
