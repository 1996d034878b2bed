"""One table of hostile programs, against every tier that this machine has: named ends, and nothing left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.docker import DockerLauncher, is_reachable
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.adapters.launchers.process import own
from golem.interfaces import ILauncher
from golem.model.ids import derive
from golem.model.spec import Limits, Status
from golem.node.computer import Computer
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench, processes_with
from golem.testing.store import MemoryResourceStore, MemoryWorld
from tests.hostile.jobs import JOBS, REFUSED
from tests.hostile.waiting import waited

TIERS: dict[str, tuple[Callable[[], bool], Callable[[PosixReactorBase], ILauncher]]] = {
    "sandbox": (lambda: which("bwrap") is not None, BubblewrapLauncher),
    "docker": (is_reachable, DockerLauncher),
    "docker-runsc": (lambda: is_reachable("runsc"), lambda reactor: DockerLauncher(reactor, runtime="runsc")),
}
LAUNCHERS: dict[str, ILauncher] = {}
KEPT_INSIDE = {"docker-runsc": ("a pipe", "a socket")}  # gVisor's own kernel has them, this machine's never sees them
MINE = 'def run(params, inputs, output):\n    return {"mine": True}\n'


@pytest.fixture(params=TIERS)
def tier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A machine of one tier; what ran there is gone at the end, and so are its rooms."""
    has, launcher = TIERS[request.param]
    if not has():
        pytest.skip(f"this machine has no {request.param}: not proven here")
    assert isinstance(reactor, PosixReactorBase)
    made = LAUNCHERS.setdefault(request.param, launcher(reactor))
    rooms = tmp_path / "rooms"
    blockon(made.check(str(rooms)))
    executor = PooledExecutor(made, reactor, rooms, {}, Limits(cores=2, memory_bytes=1 << 30))
    yield Bench(executor, reactor, tmp_path)
    blockon(executor.close())
    assert own(str(rooms)) == []
    assert not rooms.exists() or list(rooms.iterdir()) == []


@pytest.mark.parametrize("what", JOBS)
@waited
async def test_a_hostile_program_ends_as_it_should_and_other_work_goes_on(tier: Bench, what: str) -> None:
    hostile, token = JOBS[what], derive(what, str(tier.folder))
    outcome = await tier.run(hostile.source, hostile.limits, token=token)
    assert outcome.status in hostile.ends, outcome
    assert re.search(hostile.says, f"{outcome.detail}\n{outcome.log}"), outcome
    assert outcome.used_ms < hostile.limits.timeout_ms + 4_000
    assert processes_with(token) == []
    assert (await tier.run(MINE)).status is Status.DONE


@waited
async def test_a_result_that_is_no_plain_file_is_refused_by_name(tier: Bench) -> None:
    """What it leaves is refused and removed; or it never left the sandbox."""
    assert isinstance(reactor, PosixReactorBase)
    store = MemoryResourceStore(MemoryWorld(reactor), "near:1")
    home = tier.folder / "computer"
    computer = Computer(tier.executor, store, lambda _: str(tier.programs), home, 1)
    computer.startService()
    for case, (line, names) in REFUSED.items():
        outcome = await computer.run(tier.job(f"import os\ndef run(params, inputs, output):\n    {line}\n"))
        if case in KEPT_INSIDE.get(tier.executor.tier, ()):
            assert (outcome.status, outcome.result) == (Status.DONE, ""), (case, outcome)
        else:
            assert outcome.status is Status.OUTPUT_REFUSED, (case, outcome)
            assert re.search(names, outcome.detail), (case, outcome)
            assert outcome.detail.isprintable(), case
        assert list((home / "rooms").iterdir()) == [], case
