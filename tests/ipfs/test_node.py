"""The embedded node as a service: what it copies, what it refers to, and how it starts and ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree

import pytest
from pytest_twisted import blockon
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from golem.errors import ConfigError, ContentMissing, TooLarge
from golem.ipfs import body
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.model.content import Importing
from tests.ipfs.sources import new_store

QUOTA = 4 << 20


def _store(folder: Path, gateway: str = "127.0.0.1:0") -> EmbeddedStore:
    return new_store(folder / "store", folder / "staging", Terms(QUOTA, gateway))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = _store(tmp_path)
    (tmp_path / "staging").mkdir()
    store.startService()
    yield store
    blockon(store.stopService())


def run(test: Callable[[EmbeddedStore, Path], object]) -> Callable[[EmbeddedStore, Path], Deferred[object]]:
    """A test that waits on the reactor."""

    def started(store: EmbeddedStore, tmp_path: Path) -> Deferred[object]:
        return Deferred.fromCoroutine(test(store, tmp_path))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


@run
async def test_what_is_staged_stays_when_its_folder_goes(store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "staging")
    for number, parent in enumerate((tmp_path / "staging", tmp_path / "link")):
        folder = parent / f"result{number}"
        folder.mkdir()
        (folder / "a").write_bytes(b"data" * (number + 1))
        content = await store.put(str(folder), "o")
        rmtree(folder)
        await store.materialise(content.cid, str(tmp_path / f"copy{number}"))
        assert (tmp_path / f"copy{number}" / "a").read_bytes() == b"data" * (number + 1)


@run
async def test_what_the_user_has_may_be_larger_than_the_quota_and_is_gone_when_it_changes(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    scene = tmp_path / "scene"
    scene.write_bytes(bytes(QUOTA) + b"x")
    content = await store.put(str(scene), "o")
    await store.materialise(content.cid, str(tmp_path / "copy"))
    scene.write_bytes(b"y" * (QUOTA + 1))
    with pytest.raises(ContentMissing, match="scene: changed"):
        await store.materialise(content.cid, str(tmp_path / "copy2"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "scene", "staging", "store"]


@run
async def test_a_result_larger_than_the_quota_is_refused(store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "staging" / "result").write_bytes(bytes(QUOTA + 1))
    with pytest.raises(TooLarge, match="quota"):
        await store.put(str(tmp_path / "staging" / "result"), "o")


@run
async def test_a_gateway_that_is_taken_stops_the_start_and_says_which_key_to_change(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    other = _store(tmp_path / "other", f"127.0.0.1:{store.port}")
    with pytest.raises(ConfigError, match=r"ipfs\.gateway.*in use"):
        other.startService()
    assert not other.running


@run
async def test_content_outlives_a_restart_and_the_own_gateway_is_a_source_like_any(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    (tmp_path / "staging" / "result").write_bytes(b"data")
    content = await store.put(str(tmp_path / "staging" / "result"), "o")
    await store.stopService()
    store.startService()
    assert await store.get(content.cid, [f"127.0.0.1:{store.port}"], 4, "p") == 4
    await store.unpin("o")
    await store.unpin("p")
    with pytest.raises(ContentMissing):
        await store.get(content.cid, [f"127.0.0.1:{store.port}"], 4, "p")


def test_a_sender_faster_than_the_disk_is_made_to_wait() -> None:
    work: list[Deferred[None]] = []

    def slow(data: bytes) -> Deferred[None]:
        work.append(Deferred())
        return work[-1]

    transport, answer = StringTransport(), body.Body(Clock(), slow)
    answer.makeConnection(transport)
    received = 0
    while transport.producerState == "producing" and received < 2 * body.MAX_WAITING_BYTES:
        answer.dataReceived(bytes(64 << 10))
        received += 64 << 10
    assert received <= body.MAX_WAITING_BYTES + (128 << 10)
    work[0].callback(None)
    assert transport.producerState == "producing"
    assert len(work) == 2


def test_a_sender_is_given_up_when_it_drips_and_not_while_it_flows() -> None:
    clock = Clock()
    transport, answer = StringTransport(), body.Body(clock, lambda data: succeed(None))
    answer.makeConnection(transport)
    for _ in range(10):
        clock.advance(body.PATIENCE_S * 0.9)
        answer.dataReceived(bytes(body.PATIENCE_BYTES))
    assert transport.disconnecting is False
    for _ in range(20):
        clock.advance(body.PATIENCE_S / 19)
        answer.dataReceived(b"x")
    assert transport.disconnecting
    assert not clock.getDelayedCalls()


@run
async def test_who_waits_for_a_large_file_sees_how_far_it_is(store: EmbeddedStore, tmp_path: Path) -> None:
    path, size = tmp_path / "film", 256 << 20
    path.touch()
    os.truncate(path, size)
    going_in, seen = store.put(str(path), "o"), set[Importing]()
    while not going_in.called:
        seen.update((await store.survey()).importing)
    assert any(one.path == str(path) and 0 < one.read_bytes < size for one in seen)
    assert (await going_in).size_bytes == size
    assert (await store.survey()).importing == ()
