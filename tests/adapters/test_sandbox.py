"""The namespace sandbox keeps the contract of executors, for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.bubblewrap import BubblewrapLauncher
from golem.model.spec import Environment, Limits
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench, SandboxContract, waited

pytestmark = pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap")


class TestBubblewrap(SandboxContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        assert isinstance(reactor, PosixReactorBase)
        environments = [Environment(name="plain", modules=("json",)), Environment(name="none", modules=("no_such",))]
        launcher = BubblewrapLauncher(reactor)
        rooms = tmp_path / "rooms"
        executor = PooledExecutor(launcher, reactor, rooms, environments, Limits(cores=2, memory_bytes=1 << 30))
        yield Bench(executor, reactor, tmp_path)
        blockon(executor.close())

    @waited
    async def test_the_probe_tells_which_environments_are_whole(self, bench: Bench) -> None:
        found = await bench.executor.probe()
        assert (found.tier, found.cores, found.environments) == ("sandbox", 2, ("plain",))

    @waited
    async def test_rooms_are_removed_with_their_workers(self, bench: Bench) -> None:
        await bench.report("def run(params, inputs, output):\n    return {}\n")
        assert list((bench.folder / "rooms").iterdir()) == []
