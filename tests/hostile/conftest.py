"""A real sandbox for programs of strangers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.model.spec import Limits
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    if which("bwrap") is None:
        pytest.skip("bwrap is not installed: apt-get install bubblewrap")
    assert isinstance(reactor, PosixReactorBase)
    offered = Limits(cores=2, memory_bytes=1 << 30)
    executor = PooledExecutor(BubblewrapLauncher(reactor), reactor, tmp_path / "rooms", {}, offered)
    yield Bench(executor, reactor, tmp_path)
    blockon(executor.close())
