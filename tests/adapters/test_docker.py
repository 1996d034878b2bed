"""The Docker sandbox keeps the contract of executors, for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.docker import DockerLauncher, is_reachable
from golem.model.spec import Limits
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench, SandboxContract

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(not is_reachable(), reason="no Docker engine answers on this machine: not proven here"),
]


class TestDocker(SandboxContract):
    launcher: DockerLauncher | None = None
    stop_s = 8.0  # an engine under load makes a container for seconds, and can't be stopped in that

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        assert isinstance(reactor, PosixReactorBase)
        launcher = TestDocker.launcher = TestDocker.launcher or DockerLauncher(reactor)
        executor = PooledExecutor(launcher, reactor, tmp_path / "rooms", [], Limits(cores=1, memory_bytes=1 << 30))
        blockon(launcher.check())
        yield Bench(executor, reactor, tmp_path)
        blockon(executor.close())
