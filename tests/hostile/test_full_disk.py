"""A disk that is really full: nothing that was promised is lost, what fails says why, and no new work is taken."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.journal import SqliteJournal
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.errors import JournalFault
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.model.messages import Reason
from golem.model.spec import Limits, Outcome, Status
from golem.net.tls import TlsCarrier
from golem.node.caretaker import LOOK_S, Caretaker, House, Load
from golem.node.computer import Computer
from golem.node.disk import free_bytes
from golem.node.executor import PooledExecutor
from golem.testing.clock import Clock
from golem.testing.contract_executor import Bench

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or which("bwrap") is None, reason="needs root, to mount a small disk")
MIB = 1 << 20
WRITES = """
    import os
    def run(params, inputs, output):
        with open(output + "/made", "wb") as file:
            for _ in range(params["mib"]):
                file.write(os.urandom(1 << 20))
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", str(folder)], check=False)
    if made.returncode:
        pytest.skip("nothing can be mounted here: not proven here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(max(0, free_bytes(str(disk)) - left)))
    return filler


def test_what_the_journal_took_is_there_when_there_is_room_again(disk: Path) -> None:
    journal = SqliteJournal(disk / "journal.db")
    filler = fill(disk, 2 * MIB)
    taken = []
    with pytest.raises(JournalFault, match="full"):
        for number in range(1_000):
            turn = number.to_bytes(4, "big") * 16_384
            journal.append([turn])
            taken.append(turn)
    assert taken
    journal.close()
    filler.unlink()
    again = SqliteJournal(disk / "journal.db")
    assert list(again.replay()[1]) == taken
    again.append([b"more"])
    assert list(again.replay()[1]) == [*taken, b"more"]
    again.close()


@pytest.fixture
def bench(disk: Path) -> Iterator[Bench]:
    assert isinstance(reactor, PosixReactorBase)
    executor = PooledExecutor(BubblewrapLauncher(reactor), reactor, disk / "rooms", {}, Limits())
    yield Bench(executor, reactor, disk)
    blockon(executor.close())


def test_a_job_that_finds_no_room_is_not_to_blame_and_the_next_one_works(disk: Path, bench: Bench) -> Deferred[None]:
    return Deferred.fromCoroutine(no_room(disk, bench))


async def no_room(disk: Path, bench: Bench) -> None:
    assert isinstance(reactor, PosixReactorBase)
    store = EmbeddedStore(reactor, disk / "content", disk / "staging", Terms(64 * MIB), TlsCarrier(reactor, reactor))
    computer = Computer(bench.executor, store, lambda _: str(bench.programs), disk / "jobs", 1)
    await maybeDeferred(store.startService)
    computer.startService()

    async def run(mib: int) -> Outcome:
        return await computer.run(
            bench.job(WRITES, Limits(timeout_ms=20_000, output_bytes=64 * MIB), params={"mib": mib})
        )

    try:
        free = free_bytes(str(disk))
        filler = fill(disk, 4 * MIB)
        for mib in (16, 3):  # the second fits, but its copy does not
            outcome = await run(mib)
            assert outcome.status is Status.FAULT, outcome
            assert "disk" in outcome.detail and "No space left" in outcome.detail
        filler.unlink()
        assert free_bytes(str(disk)) >= free - MIB, "what was begun is cleared away"
        outcome = await run(3)
        assert (outcome.status, outcome.size_bytes) == (Status.DONE, 3 * MIB)
    finally:
        await computer.stopService()
        await maybeDeferred(store.stopService)


def test_no_new_work_is_taken_with_a_full_disk(disk: Path) -> None:
    clock, said = Clock(), list[Reason | None]()
    house = House(folder=str(disk), min_free_bytes=8 * MIB)
    keeper = Caretaker(house, clock, Load(list), lambda rested: said.append(rested.reason))
    keeper.startService()
    filler = fill(disk, 4 * MIB)
    clock.advance(LOOK_S)
    filler.unlink()
    clock.advance(LOOK_S)
    assert said == [None, Reason.DISK, None]
    keeper.stopService()
