"""What is over is cleared up, however often that fails at first."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed

from golem.core.state import NodeState
from golem.errors import ExecutorFault
from golem.model.ids import TaskId
from golem.node.housekeeping import FIRST_REST_S, LONGEST_REST_S, MAX_WAITING, Housekeeper
from golem.testing.clock import Clock
from golem.testing.local import LocalNetwork
from golem.testing.ports import Guard, Mood, Moods, guarded
from golem.testing.store import MemoryResourceStore, MemoryWorld

TASK = TaskId("7" * 32)


class Stubborn:
    """A computer that fails to stop jobs so many times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked: list[str] = []

    def stop(self, job_id: str) -> Deferred[None]:
        self.asked.append(job_id)
        return fail(ExecutorFault("the sandbox does not answer")) if len(self.asked) <= self.failures else succeed(None)


class House:
    """A housekeeper with a store that has its moods."""

    def __init__(self, folder: Path, failures: int = 0) -> None:
        self.clock, self.moods, self.computer = Clock(), Moods(), Stubborn(failures)
        self.store = MemoryResourceStore(MemoryWorld(self.clock), "me:2")
        (folder / "file").write_bytes(b"content")
        for owner in (TASK, "user/1"):
            self.store.put(str(folder / "file"), owner)
        port = guarded(self.store, "store", Guard(self.moods, lambda point: None))
        self.keeper = Housekeeper(port, self.computer, NodeState, self.clock)  # type: ignore[arg-type]  # guarded


def test_a_start_lets_go_of_content_of_old_tasks_and_of_no_users(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.moods.set("store", Mood.FAILS)
    house.keeper.startService()
    assert house.store.owners() == [TASK, "user/1"]
    house.moods.set("store", Mood.WELL)
    house.clock.advance(FIRST_REST_S)
    assert house.store.owners() == ["user/1"]


def test_a_store_that_lost_its_answer_is_asked_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.keeper.running = 1
    house.moods.set("store", Mood.FORGETS)
    house.keeper.release(TASK)
    assert house.clock.getDelayedCalls()
    house.moods.set("store", Mood.WELL)
    house.clock.advance(FIRST_REST_S)
    assert house.store.owners() == ["user/1"] and not house.clock.getDelayedCalls()


def test_a_job_is_stopped_again_and_again_with_longer_and_longer_rests(tmp_path: Path) -> None:
    house = House(tmp_path, failures=12)
    house.keeper.startService()
    house.keeper.stop("job")
    house.keeper.stop("job")
    assert len(house.clock.getDelayedCalls()) == 1, "of one chore one try waits"
    house.clock.advance(FIRST_REST_S * (2**6 - 1))
    assert len(house.computer.asked) == 2 + 6
    house.clock.advance(LONGEST_REST_S * 5)
    assert len(house.computer.asked) == 13 and not house.clock.getDelayedCalls()


def test_what_waits_is_bounded_and_a_stop_ends_it(tmp_path: Path) -> None:
    house = House(tmp_path, failures=10**6)
    house.keeper.startService()
    for number in range(MAX_WAITING + 10):
        house.keeper.stop(str(number))
    assert len(house.clock.getDelayedCalls()) == MAX_WAITING
    house.keeper.stopService()
    assert not house.clock.getDelayedCalls()


def test_nodes_whose_stores_fail_when_a_task_ends_keep_nothing_of_it(tmp_path: Path) -> None:
    net = LocalNetwork(tmp_path, ("alice", "bob"), seed=61)
    try:
        task = net["alice"].submit("echo", {"count": 3})
        for name in ("alice", "bob"):
            net[name].moods.set("store", Mood.FORGETS)
        net.advance(1.0)
        for name in ("alice", "bob"):
            net[name].moods.set("store", Mood.WELL)
        net.run_until(lambda: net["alice"].phase(task) == "done", 600)
        net.advance(60)
        assert not net["alice"].store.owners() and not net["bob"].store.owners()
    finally:
        net.close()
