"""Both content stores keep the one contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from golem.ipfs.serving import Terms
from golem.testing.contract_store import ParcelsContract, ResourceStoreContract, Two
from golem.testing.store import MemoryResourceStore, MemoryWorld
from tests.ipfs.sources import new_store


class TestMemoryResourceStore(ResourceStoreContract, ParcelsContract):
    clock = Clock()

    @pytest.fixture
    def two(self, tmp_path: Path) -> Two:
        world = MemoryWorld(self.clock)
        return Two(MemoryResourceStore(world, "near:1"), MemoryResourceStore(world, "far:1"), "far:1", tmp_path)

    def wait(self, test: Deferred[None]) -> None:
        ended: list[Failure | None] = []
        test.addBoth(ended.append)
        self.clock.pump([0.01] * 100)
        for failure in ended:
            if failure is not None:
                failure.raiseException()
        assert ended


class TestEmbeddedStore(ResourceStoreContract, ParcelsContract):
    is_staged = True

    @pytest.fixture
    def two(self, tmp_path: Path) -> Iterator[Two]:
        assert isinstance(reactor, PosixReactorBase)
        folder = tmp_path / "files"
        folder.mkdir()
        staging = folder if self.is_staged else tmp_path / "staging"
        near, far = (new_store(tmp_path / n, staging, Terms(64 << 20)) for n in ("near", "far"))
        near.startService()
        far.startService()
        yield Two(near, far, f"127.0.0.1:{far.port}", folder)
        blockon(near.stopService())
        blockon(far.stopService())


class TestEmbeddedStoreByReference(TestEmbeddedStore):
    is_staged = False
