"""Jobs that ask for a device see it, and no others do, in every tier that shows any."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import msgspec
import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.docker import DockerLauncher, is_reachable
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.interfaces import ILauncher
from golem.model.spec import Environment, Limits
from golem.model.value import evolve
from golem.node.devices import Gpus
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench

TIERS: dict[str, tuple[Callable[[], bool], Callable[[PosixReactorBase], ILauncher]]] = {
    "sandbox": (lambda: which("bwrap") is not None, BubblewrapLauncher),
    "docker": (is_reachable, DockerLauncher),
}
ENVIRONMENTS = {"bench": [Environment(name="plain"), Environment(name="carded", device="nvidia")]}
LOOKS = """
    def run(params, inputs, output):
        try:
            return {"read": open(params["card"], "rb").read(4).hex()}
        except OSError as why:
            return {"not": why.strerror}
"""


@pytest.fixture
def card() -> Iterator[str]:
    """A device that reads as zeros, in place of a card; where engines look for devices."""
    path = Path(f"/dev/golem-test-{os.getpid()}")
    try:
        os.mknod(path, stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices can't be made here: not proven")
    path.chmod(0o666)
    yield str(path)
    path.unlink()


@pytest.mark.parametrize("tier", TIERS)
def test_a_card_is_shown_to_whom_it_is_for(tier: str, card: str, tmp_path: Path) -> Deferred[None]:
    return Deferred.fromCoroutine(shown(tier, card, tmp_path))


async def shown(tier: str, path: str, folder: Path) -> None:
    has, launcher = TIERS[tier]
    if not has():
        pytest.skip(f"this machine has no {tier}: not proven here")
    assert isinstance(reactor, PosixReactorBase)
    executor = PooledExecutor(launcher(reactor), reactor, folder / "rooms", ENVIRONMENTS, Limits())
    executor.furnish(Gpus(("NVIDIA H200",), (path,)), {})
    try:
        capability = await executor.probe()
        assert (capability.environments, capability.gpus) == (("plain", "carded"), ("NVIDIA H200",))
        bench = Bench(executor, reactor, folder)
        seen, unseen = {"read": "00000000"}, {"not": "No such file or directory"}
        for device, found in (("", unseen), ("nvidia", seen), ("", unseen)):
            job = evolve(bench.job(LOOKS, params={"card": path}), device=device, warm=True)
            assert msgspec.json.decode((await bench.start(job)).report) == found
    finally:
        await executor.close()


def test_without_a_card_what_needs_one_is_not_offered(tmp_path: Path) -> Deferred[None]:
    return Deferred.fromCoroutine(missing(tmp_path))


async def missing(folder: Path) -> None:
    if which("bwrap") is None:
        pytest.skip("bwrap is not installed: apt-get install bubblewrap")
    assert isinstance(reactor, PosixReactorBase)
    executor = PooledExecutor(BubblewrapLauncher(reactor), reactor, folder / "rooms", ENVIRONMENTS, Limits())
    try:
        assert (await executor.probe()).environments == ("plain",)
    finally:
        await executor.close()
