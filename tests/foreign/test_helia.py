"""Helia, an IPFS node that others wrote, takes content from our gateway and checks it; `make foreign` installs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.utils import getProcessOutputAndValue

from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.model.ids import Cid
from tests.foreign.built import BUILT, HERE, NODE
from tests.ipfs.sources import new_store

GIVE_UP_S = 60.0

pytestmark = pytest.mark.skipif(not NODE.exists(), reason="no Helia in build/foreign; make foreign installs it")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = new_store(tmp_path / "store", tmp_path / "staging", Terms(1 << 30))
    store.startService()
    yield store
    blockon(store.stopService())


def fetched(store: EmbeddedStore, cid: Cid) -> Deferred[tuple[bytes, bytes, int]]:
    """What Helia writes and complains of, and its exit status."""
    assert isinstance(reactor, PosixReactorBase)
    script = copy(HERE / "fetch.mjs", BUILT)  # modules are looked for where the script is
    place = f"/ip4/127.0.0.1/tcp/{store.port}/http"
    answer: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(str(NODE), (script, place, cid), os.environ)
    return answer.addTimeout(GIVE_UP_S, reactor)


@pytest.mark.parametrize("size", [0, 11, 1 << 20, (3 << 20) + 5])
def test_helia_takes_a_file_of_the_user_s(store: EmbeddedStore, tmp_path: Path, size: int) -> Deferred[None]:
    async def test() -> None:
        file = tmp_path / "file"
        file.write_bytes(os.urandom(size))
        content = await store.put(str(file), "user/file")
        written, complaints, status = await fetched(store, content.cid)
        assert (status, written == file.read_bytes()) == (0, True), complaints.decode()

    return Deferred.fromCoroutine(test())


def test_helia_gets_nothing_that_belongs_to_a_task(store: EmbeddedStore, tmp_path: Path) -> Deferred[None]:
    async def test() -> None:
        file = tmp_path / "file"
        file.write_bytes(b"for those who work at it")
        content = await store.put(str(file), "task")
        written, complaints, status = await fetched(store, content.cid)
        assert status != 0 and not written
        assert b"Unable to fetch raw block" in complaints

    return Deferred.fromCoroutine(test())
