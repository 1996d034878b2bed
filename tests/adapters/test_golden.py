"""What a job can see and do in each tier that this machine has: the golden answer, or the node does not start."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from golem.adapters.docker import DockerLauncher, is_reachable
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.adapters.launchers.host import HostLauncher
from golem.adapters.launchers.wasm import WasmLauncher
from golem.interfaces import ILauncher
from golem.model.spec import WASI, Capability, Environment, Limits
from golem.model.value import evolve
from golem.node.executor import PooledExecutor
from golem.node.golden import GOLDEN, UNHELD, Inside, leaks

TIERS: dict[str, Callable[[PosixReactorBase], ILauncher]] = {
    "sandbox": BubblewrapLauncher,
    "docker": DockerLauncher,
    "docker-runsc": lambda reactor: DockerLauncher(reactor, runtime="runsc"),
    "host": HostLauncher,
    "wasm": WasmLauncher,
}


def has(tier: str) -> bool:
    there = {
        "sandbox": which("bwrap"),
        "docker": is_reachable(),
        "docker-runsc": is_reachable("runsc"),
        "wasm": find_spec("wasmtime"),
    }
    return bool(there.get(tier, True))


def probed(tier: str, folder: Path) -> PooledExecutor:
    if not has(tier):
        pytest.skip(f"this machine has no {tier}: not proven here")
    assert isinstance(reactor, PosixReactorBase)
    needs = {"plain": ("json",), "none": ("no_such",), "wasi": (WASI,)}
    environments = {name: [Environment(name=name, modules=modules)] for name, modules in needs.items()}
    return PooledExecutor(TIERS[tier](reactor), reactor, folder / "rooms", environments, Limits(cores=2))


async def capability(executor: PooledExecutor) -> Capability:
    """What a probe finds; the executor is closed."""
    try:
        return await executor.probe()
    finally:
        await executor.close()


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_keeps_what_it_promises_on_this_machine(tier: str, tmp_path: Path) -> Deferred[None]:
    def look(found: Capability) -> None:
        assert (found.tier, found.cores, found.environments) == (tier, 2, ("wasi" if tier == "wasm" else "plain",))

    return Deferred.fromCoroutine(capability(probed(tier, tmp_path))).addCallback(look)


@pytest.mark.parametrize("tier", [tier for tier in TIERS if tier != "wasm"])
def test_a_module_that_is_missing_is_named_with_the_way_out(tier: str, tmp_path: Path) -> Deferred[None]:
    said: list[str] = []

    def hear(event: LogEvent) -> None:
        said.append(formatEvent(event))

    executor = probed(tier, tmp_path)
    globalLogPublisher.addObserver(hear)

    def look(_: Capability) -> None:
        globalLogPublisher.removeObserver(hear)
        assert [
            line for line in said if line.startswith("none can't be computed here: the Python that jobs see has no")
        ]
        assert f"(No module named 'no_such'); golem template prepare none, or {sys.executable} -m pip" in "\n".join(
            said
        )

    return Deferred.fromCoroutine(capability(executor)).addCallback(look)


def test_a_tier_that_promises_nothing_is_seen_to_keep_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Deferred[None]:
    monkeypatch.setattr("golem.node.golden.UNHELD", frozenset())

    def look(trouble: Failure) -> None:
        why = str(trouble.value)
        assert "the host sandbox does not hold on this machine: " in why
        assert str(tmp_path / "rooms") in why, "the node's own folder is to be seen there"

    return Deferred.fromCoroutine(capability(probed("host", tmp_path))).addErrback(look)


@pytest.mark.parametrize(
    "hole",
    [
        {"is_root": True},
        {"may_gain": True},
        {"is_filtered": False},
        {"capabilities": "200000"},
        {"network": ("eth0",)},
        {"writes": ("/dev/shm", "/etc", "/out", "/tmp")},
        {"reads": ("/etc/shadow",)},
        {"doors": ("mount",)},
        {"strangers": 1},
    ],
    ids=lambda hole: next(iter(hole)),
)
def test_every_hole_is_named(hole: dict[str, object]) -> None:
    found: Inside = evolve(GOLDEN, **hole)
    (named,) = leaks("sandbox", found)
    assert named.startswith(next(iter(hole)))
    assert [leaks(tier, found) for tier in UNHELD] == [[]]
    assert leaks("sandbox", GOLDEN) == []
