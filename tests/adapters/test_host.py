"""Workers that nothing keeps apart keep the contract of executors, but for what a sandbox alone can promise."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.launchers.host import HostLauncher
from golem.adapters.launchers.process import MARK, own, sweep
from golem.model.ids import derive
from golem.model.spec import Limits
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench, SandboxContract, processes_with, waited


class TestHost(SandboxContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        assert isinstance(reactor, PosixReactorBase)
        executor = PooledExecutor(HostLauncher(reactor), reactor, tmp_path / "rooms", {}, Limits(cores=2))
        yield Bench(executor, reactor, tmp_path)
        blockon(executor.close())

    @waited
    async def test_inputs_are_there_to_read_and_to_nothing_else(self, bench: Bench) -> None:
        (bench.folder / "file").write_text("file")
        job = bench.job("def run(params, inputs, output):\n    return {'read': open(inputs + '/one').read()}\n")
        assert (await bench.start(job, one=bench.folder / "file")).report == b'{"read":"file"}'

    @waited
    async def test_the_probe_says_that_it_is_no_sandbox(self, bench: Bench) -> None:
        assert (await bench.executor.probe()).tier == "host"


def test_what_an_earlier_run_left_is_ended_and_nothing_else_is(tmp_path: Path) -> None:
    rooms, other = tmp_path / "rooms", tmp_path / "rooms-2"
    token = derive("orphan", str(tmp_path))
    command = [sys.executable, "-c", "import time; time.sleep(60)", token]
    environs = ({MARK: f"{rooms}/room-1"}, {MARK: f"{other}/room-1"}, {"ROOM": f"{rooms}/room-1"})
    children = [subprocess.Popen(command, env=environ) for environ in environs]
    try:
        while len(processes_with(token)) < len(children):
            os.sched_yield()
        assert own(str(rooms)) == [children[0].pid]
        assert sweep(str(rooms)) == 1
        assert children[0].wait(10) == -9
        assert [child.poll() for child in children[1:]] == [None, None]
    finally:
        for child in children:
            child.kill()
            child.wait(10)
