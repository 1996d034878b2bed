"""The chain in memory and the real one keep the one contract."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from golem.adapters.ethereum import EthereumChain, EthereumSettings
from golem.testing.chain import MemoryChain, MemoryLedger
from golem.testing.contract_chain import WALLET, ChainContract, World
from golem.testing.keys import FixedKeyring
from golem.testing.live_chain import CHAIN_ID, LiveChain


class TestMemoryChain(ChainContract):
    clock = Clock()

    @pytest.fixture
    def world(self) -> World:
        ledger = MemoryLedger(self.clock)
        alice, bob, again = (
            partial(MemoryChain, ledger, FixedKeyring(name).account, WALLET) for name in ("alice", "bob", "alice")
        )
        return World(alice(), bob(), again)

    def wait(self, test: Deferred[None]) -> None:
        ended: list[Failure | None] = []
        test.addBoth(ended.append)
        self.clock.pump([0.5] * 50)
        for failure in ended:
            if failure is not None:
                failure.raiseException()
        assert ended


class TestEthereumChain(ChainContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        keys = {name: FixedKeyring(name) for name in ("alice", "bob")}
        live = LiveChain(reactor, {key.account: WALLET for key in keys.values()}, block_s=0.02)
        made: list[EthereumChain] = []

        def chain(name: str) -> EthereumChain:
            (tmp_path / name).mkdir(exist_ok=True)
            settings = EthereumSettings(
                rpc=live.rpc, contract=live.contract, chain_id=CHAIN_ID, folder=str(tmp_path / name), poll_ms=20
            )
            made.append(EthereumChain(reactor, keys[name], settings))
            return made[-1]

        yield World(chain("alice"), chain("bob"), lambda: chain("alice"))
        for one in made:
            one.close()
        blockon(live.stop())

    def wait(self, test: Deferred[None]) -> Deferred[None]:
        return test.addTimeout(20.0, reactor)
