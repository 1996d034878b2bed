"""The namespace sandbox keeps the contract of executors, for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import which

import msgspec
import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import deferLater

from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.model.spec import Environment, Limits, Status
from golem.node.executor import MAX_IDLE, PooledExecutor
from golem.testing.contract_executor import COUNTS, FOREVER, Bench, SandboxContract, processes_with, waited

pytestmark = pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap")


class TestBubblewrap(SandboxContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        assert isinstance(reactor, PosixReactorBase)
        needs = {"plain": "json", "none": "no_such"}
        environments = {name: [Environment(name=name, modules=(module,))] for name, module in needs.items()}
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

    @waited
    async def test_of_too_many_idle_workers_the_oldest_goes(self, bench: Bench) -> None:
        for number in range(MAX_IDLE + 2):
            job = msgspec.structs.replace(bench.job(COUNTS, task=f"task {number}"), warm=True)
            assert (await bench.start(job)).status is Status.DONE
        while len(rooms := [room.name for room in (bench.folder / "rooms").iterdir()]) > MAX_IDLE:
            await deferLater(bench.clock, 0.01, lambda: None)
        assert sorted(rooms) == [f"room-{number}" for number in range(3, MAX_IDLE + 3)]

    @waited
    async def test_a_sandbox_that_is_stopped_while_it_is_made_leaves_nothing(self, bench: Bench) -> None:
        for number in range(20):
            job = bench.job(FOREVER)
            running = bench.start(job)
            await deferLater(bench.clock, number * 0.002, lambda: None)
            await bench.executor.stop(job.job_id)
            assert (await running).status is Status.STOPPED
        assert processes_with(str(bench.folder / "rooms")) == []
