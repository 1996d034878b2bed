"""The task computer: slots, inputs that are shared, results in the store, and what it says of what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.errors import ExecutorFault
from golem.interfaces import IExecutor, IResourceStore, Room
from golem.model.ids import Cid, JobId, TaskId, derive
from golem.model.spec import Capability, Input, Job, Limits, Outcome, Status
from golem.node.computer import MAX_QUEUE, Computer
from golem.node.slots import Slots, Whole
from golem.testing.clock import Clock
from golem.testing.executor import ScriptedExecutor
from golem.testing.store import MemoryResourceStore, MemoryWorld

CAPABILITY = Capability(tier="scripted", cores=2, memory_bytes=1 << 30)


class Desk:
    """A computer over doubles, in virtual time. `script`: what comes of each job."""

    def __init__(self, folder: Path, slots: int = 1, executor: IExecutor | None = None) -> None:
        self.clock = Clock()
        self.script: Callable[[Job, Path], Outcome] = lambda job, output: Outcome(status=Status.DONE)
        self.scripted = ScriptedExecutor(self.clock, lambda job, output: self.script(job, output), CAPABILITY)
        self.store = MemoryResourceStore(MemoryWorld(self.clock), "near:1")
        self.folder = folder
        self.home = folder / "computer"
        (folder / "programs").mkdir()
        (folder / "programs" / "render.py").touch()
        store: IResourceStore = self.store
        programs = str(folder / "programs")
        self.computer = Computer(executor or self.scripted, store, lambda _: programs, self.home, slots)
        self.computer.startService()

    def job(self, number: int = 0, inputs: tuple[Input, ...] = (), program: str = "render", size: int = 1000) -> Job:
        return Job(
            job_id=JobId(derive("job", number)),
            task_id=TaskId(derive("task")),
            template="echo",
            program=program,
            params=b"{}",
            inputs=inputs,
            limits=Limits(output_bytes=size),
        )

    def now(self, waiting: Deferred[Outcome]) -> Outcome | None:
        """What a run has come to by now; its failure is raised."""
        ended: list[Outcome | Failure] = []
        waiting.addBoth(ended.append)
        for outcome in ended:
            if isinstance(outcome, Failure):
                outcome.raiseException()
            else:
                return outcome
        return None

    def end(self, waiting: Deferred[Outcome], seconds: float = 10) -> Outcome:
        self.clock.advance(seconds)
        outcome = self.now(waiting)
        assert outcome is not None
        return outcome

    def content(self, name: str) -> Input:
        (self.folder / name).write_text(name)
        put: list[Cid] = []
        self.store.put(str(self.folder / name), "task").addCallback(lambda content: put.append(content.cid))
        return Input(name=name, cid=put[0], size_bytes=len(name))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_a_job_makes_is_in_the_store_and_its_room_is_gone(desk: Desk) -> None:
    def make(job: Job, output: Path) -> Outcome:
        (output / "a.txt").write_text("made")
        return Outcome(status=Status.DONE, report=b'{"a":1}')

    desk.script = make
    outcome = desk.end(desk.computer.run(desk.job()))
    assert (outcome.status, outcome.size_bytes, outcome.report) == (Status.DONE, 4, b'{"a":1}')
    desk.store.materialise(outcome.result, str(desk.folder / "copy"))
    assert (desk.folder / "copy" / "a.txt").read_text() == "made"
    assert list((desk.home / "rooms").iterdir()) == []


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
def test_what_a_failed_job_made_is_thrown_away(desk: Desk, status: Status) -> None:
    def make(job: Job, output: Path) -> Outcome:
        (output / "a.txt").write_text("half")
        return Outcome(status=status, detail="so")

    desk.script = make
    outcome = desk.end(desk.computer.run(desk.job()))
    assert outcome == Outcome(status=status, detail="so")
    assert list((desk.home / "rooms").iterdir()) == []


def test_a_result_past_its_limit_is_refused(desk: Desk) -> None:
    def make(job: Job, output: Path) -> Outcome:
        (output / "a.txt").write_text("x" * 1001)
        return Outcome(status=Status.DONE)

    desk.script = make
    outcome = desk.end(desk.computer.run(desk.job()))
    assert outcome.status is Status.OUTPUT_REFUSED
    assert "a.txt" in outcome.detail
    assert list((desk.home / "rooms").iterdir()) == []


def test_no_more_jobs_run_at_once_than_there_are_slots(tmp_path: Path) -> None:
    desk = Desk(tmp_path, slots=2)
    waiting = [desk.computer.run(desk.job(number)) for number in range(5)]
    counts = []
    for _ in range(3):
        counts.append(len(desk.scripted.ran))
        desk.clock.advance(1.0)
    assert counts == [2, 4, 5]
    assert all(desk.now(one) == Outcome(status=Status.DONE) for one in waiting)


def test_a_job_that_was_stopped_while_it_waited_never_begins(desk: Desk) -> None:
    first, second = desk.computer.run(desk.job(1)), desk.computer.run(desk.job(2))
    desk.computer.stop(desk.job(2).job_id)
    assert desk.end(first).status is Status.DONE
    outcome = desk.now(second)
    assert outcome is not None and outcome.status is Status.STOPPED
    assert desk.scripted.ran == [desk.job(1).job_id]


def test_a_running_job_is_stopped_now_and_frees_its_slot(desk: Desk) -> None:
    first, second = desk.computer.run(desk.job(1)), desk.computer.run(desk.job(2))
    desk.computer.stop(desk.job(1).job_id)
    outcome = desk.now(first)
    assert outcome is not None and outcome.status is Status.STOPPED
    assert desk.end(second).status is Status.DONE


def test_a_stop_that_comes_too_late_does_not_stop_the_next_try(desk: Desk) -> None:
    desk.end(desk.computer.run(desk.job(1)))
    desk.computer.stop(desk.job(1).job_id)
    assert desk.end(desk.computer.run(desk.job(1))).status is Status.DONE


def test_stopping_the_service_stops_what_runs_and_what_waits(desk: Desk) -> None:
    waiting = [desk.computer.run(desk.job(number)) for number in range(3)]
    desk.computer.stopService()
    assert [outcome.status for one in waiting if (outcome := desk.now(one))] == [Status.STOPPED] * 3


def test_inputs_are_made_once_however_many_want_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path, slots=3)
    scene = desk.content("scene")
    waiting = [desk.computer.run(desk.job(number, (scene,))) for number in range(3)]
    assert [path.name for path in (desk.home / "content").iterdir()] == [scene.cid]
    desk.clock.advance(2)
    assert all(desk.now(one) == Outcome(status=Status.DONE) for one in waiting)


def test_an_input_that_is_not_here_is_our_fault_and_the_next_job_goes_on(desk: Desk) -> None:
    nowhere = Input(name="a", cid=Cid("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"), size_bytes=11)
    outcome = desk.end(desk.computer.run(desk.job(1, (desk.content("scene"), nowhere))))
    assert (outcome.status, desk.scripted.ran) == (Status.FAULT, [])
    assert nowhere.cid in outcome.detail
    assert desk.end(desk.computer.run(desk.job(2))).status is Status.DONE


def test_a_program_that_the_template_has_not_is_our_fault(desk: Desk) -> None:
    outcome = desk.end(desk.computer.run(desk.job(program="no_such")))
    assert outcome.status is Status.FAULT
    assert "no_such" in outcome.detail


@implementer(IExecutor)
class Broken:
    """An executor whose sandbox fails."""

    tier = "broken"

    def __init__(self, why: Exception) -> None:
        self._why = why

    async def probe(self) -> Capability:
        raise self._why

    async def run(self, job: Job, room: Room) -> Outcome:
        Path(room.output).mkdir()
        raise self._why

    async def stop(self, job_id: str) -> None:
        raise self._why

    async def close(self) -> None:
        raise self._why


@pytest.mark.parametrize("why", [ExecutorFault("no engine"), OSError(28, "No space left on device")])
def test_a_sandbox_that_fails_is_a_fault_with_its_reason_and_leaves_no_room(tmp_path: Path, why: Exception) -> None:
    desk = Desk(tmp_path, executor=Broken(why))
    for number in range(2):
        outcome = desk.now(desk.computer.run(desk.job(number)))
        assert outcome is not None and outcome.status is Status.FAULT
        assert str(why) in outcome.detail
        assert not list((desk.home / "rooms").iterdir())


def test_a_full_queue_refuses_rather_than_grows(desk: Desk) -> None:
    for number in range(MAX_QUEUE):
        desk.computer.run(desk.job(number))
    outcome = desk.now(desk.computer.run(desk.job(MAX_QUEUE)))
    assert outcome is not None and outcome.status is Status.FAULT
    assert str(MAX_QUEUE) in outcome.detail


def test_jobs_run_together_as_long_as_there_are_slots_cores_and_memory_for_them() -> None:
    slots = Slots(Whole(slots=3, cores=4, memory_bytes=10))
    running: list[Deferred[None]] = []

    def begin(cores: int, memory: int) -> Deferred[None]:
        def work() -> Deferred[None]:
            running.append(Deferred())
            return running[-1]

        return slots.run(Limits(cores=cores, memory_bytes=memory), work)

    done = [begin(*wanted) for wanted in ((2, 1), (2, 1), (1, 1), (1, 9), (64, 99))]
    assert len(running) == 2, "there are no cores for the third"
    running[0].callback(None)
    assert len(running) == 3
    running[1].errback(ValueError("any end frees the room"))
    done[1].addErrback(lambda _: None)
    assert len(running) == 4, "one core and nine bytes are left"
    running[2].callback(None)
    assert len(running) == 4
    running[3].callback(None)
    assert len(running) == 5, "what asks for more than there is runs alone"
    running[4].callback(None)
    assert all(each.called for each in done)
