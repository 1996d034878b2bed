"""Workers and their pool over a sandbox that is not there, in virtual time: what is watched, kept, and let go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from golem.errors import ExecutorFault
from golem.interfaces import Berth, IGuest, IGuestHearer, ILauncher, Room
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Job, Limits, Outcome, Status
from golem.node.executor import IDLE_S, MAX_IDLE, PooledExecutor
from golem.node.worker import END_S
from golem.testing.clock import Clock


@implementer(IGuest)
class Guest:
    """Answers as `answers` says, at once; or not at all. `orders`: what it was told."""

    pid = 0
    inputs = "/in"
    output = "/out"

    def __init__(self, berth: Berth, hearer: IGuestHearer, answers: bool) -> None:
        self.berth = berth
        self.hearer = hearer
        self.answers = answers
        self.dies = True
        self.orders: list[dict[str, object]] = []
        self.is_killed = False
        self.on_order: Callable[[Guest], None] = lambda guest: None

    def write(self, data: bytes) -> None:
        self.orders.append(json.loads(data))
        self.made().mkdir(exist_ok=True)  # as the real worker does
        self.on_order(self)
        if self.answers:
            self.hearer.said(json.dumps({"job": self.orders[-1]["job"], "ok": True, "report": {}}).encode() + b"\n")

    def kill(self) -> None:
        if self.dies and not self.is_killed:
            self.is_killed = True
            self.hearer.ended("killed", False)

    def made(self) -> Path:
        """The folder of the job it was told of last."""
        return Path(self.berth.output, Path(str(self.orders[-1]["output"])).name)


@implementer(ILauncher)
class Launcher:
    tier = "nothing"
    takes_images = True
    is_wasm = False

    def __init__(self) -> None:
        self.guests: list[Guest] = []
        self.answers = True
        self.wait: Deferred[None] | None = None
        self.fault = ""

    def check(self, rooms: str) -> Deferred[None]:
        return succeed(None)

    def launch(self, berth: Berth, limits: Limits, hearer: IGuestHearer) -> Deferred[IGuest]:
        return Deferred.fromCoroutine(self._launch(berth, hearer))

    async def _launch(self, berth: Berth, hearer: IGuestHearer) -> IGuest:
        if self.wait is not None:
            await self.wait
        if self.fault:
            raise ExecutorFault(self.fault)
        self.guests.append(Guest(berth, hearer, self.answers))
        guest: IGuest = self.guests[-1]
        return guest


class Pool:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.launcher = Launcher()
        self.folder = folder
        self.executor = PooledExecutor(self.launcher, self.clock, folder / "rooms", {}, Limits(cores=2))
        self._count = 0

    def job(self, task: str = "task", *, warm: bool = True, timeout_ms: int = 60_000, params: bytes = b"{}") -> Job:
        self._count += 1
        return Job(
            job_id=JobId(derive("job", self._count)),
            task_id=TaskId(derive(task)),
            template="echo",
            program="echo",
            params=params,
            limits=Limits(timeout_ms=timeout_ms),
            warm=warm,
        )

    def start(self, job: Job, inputs: dict[str, str] | None = None) -> list[Outcome | ExecutorFault]:
        """What becomes of a job, once it does."""
        ended: list[Outcome | ExecutorFault] = []
        room = Room(program=str(self.folder), inputs=inputs or {}, output=str(self.folder / f"made-{job.job_id}"))
        running = self.executor.run(job, room)
        running.addCallbacks(ended.append, lambda trouble: ended.append(trouble.value))
        return ended

    def run(self, job: Job, inputs: dict[str, str] | None = None) -> Outcome:
        (outcome,) = self.start(job, inputs)
        assert isinstance(outcome, Outcome)
        return outcome

    @property
    def guest(self) -> Guest:
        return self.launcher.guests[-1]


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path)


def test_a_thousand_warm_jobs_are_one_worker_one_folder_and_two_timers(pool: Pool) -> None:
    for _ in range(1000):
        assert pool.run(pool.job()).status is Status.DONE
    assert len(pool.launcher.guests) == 1
    assert {(order["inputs"], order["output"]) for order in pool.guest.orders} == {("/in/1", "/out/0")}
    assert len(pool.clock.getDelayedCalls()) == 2


def test_a_job_that_made_files_has_had_its_folder_to_itself(pool: Pool) -> None:
    jobs = [pool.job() for _ in range(3)]
    for number, job in enumerate(jobs):
        if number:
            pool.guest.on_order = lambda guest: (guest.made() / "a").touch()
        pool.run(job)
    assert [order["output"] for order in pool.guest.orders] == ["/out/0", "/out/0", "/out/1"]
    assert [(pool.folder / f"made-{job.job_id}" / "a").exists() for job in jobs] == [False, True, True]


def test_inputs_that_are_the_same_lie_at_the_same_place(pool: Pool) -> None:
    for name in ("scene", "other"):
        (pool.folder / name).write_text(name)
    places = []
    for name in ("scene", "scene", "other", "scene"):
        pool.run(pool.job(), {"scene": str(pool.folder / name)})
        place = Path(pool.guest.berth.inputs, Path(str(pool.guest.orders[-1]["inputs"])).name)
        assert (place / "scene").read_text() == name
        assert (place / "scene").stat().st_ino == (pool.folder / name).stat().st_ino
        places.append(place.name)
    assert places[0] == places[1]
    assert len(set(places)) == 3
    assert len(list(Path(pool.guest.berth.inputs).iterdir())) == 1


def test_an_idle_worker_ends_after_its_time_and_one_at_work_does_not(pool: Pool) -> None:
    pool.run(pool.job())
    pool.clock.advance(IDLE_S - 1)
    pool.run(pool.job())
    pool.clock.advance(IDLE_S - 1)
    assert not pool.guest.is_killed
    pool.clock.advance(1)
    assert pool.guest.is_killed
    assert pool.clock.getDelayedCalls() == []
    assert list((pool.folder / "rooms").iterdir()) == []


def test_more_idle_workers_than_are_worth_their_memory_are_let_go_the_oldest_first(pool: Pool) -> None:
    for number in range(MAX_IDLE + 2):
        pool.run(pool.job(f"task {number}"))
    assert [guest.is_killed for guest in pool.launcher.guests] == [True, True] + [False] * MAX_IDLE


def test_jobs_of_other_limits_have_other_workers(pool: Pool) -> None:
    pool.run(pool.job())
    pool.run(pool.job(timeout_ms=1))
    assert len(pool.launcher.guests) == 2


def test_parameters_that_are_no_object_are_an_error_and_reach_no_worker(pool: Pool) -> None:
    pool.run(pool.job())
    for params in (b"", b"[]", b'{},"program":"os"', b'{"a":1}{', b"\xff", b"[" * 16_000):
        outcome = pool.run(pool.job(params=params))
        assert outcome.status is Status.ERROR
        assert "no JSON object" in outcome.detail
    pool.run(pool.job(params=b'{\n"a": "b\\n"\n}'))
    assert pool.guest.orders[-1]["params"] == {"a": "b\n"}


@pytest.mark.parametrize("timeout_ms", [1, 100, 10_000])
def test_a_job_has_its_time_and_no_more_though_the_worker_is_warm(pool: Pool, timeout_ms: int) -> None:
    pool.run(pool.job(timeout_ms=timeout_ms))
    pool.guest.answers = False
    ended = pool.start(pool.job(timeout_ms=timeout_ms))
    pool.clock.advance(timeout_ms / 1000 - 0.0005)
    assert ended == []
    pool.clock.advance(0.001)
    (outcome,) = ended
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.TIMEOUT
    assert outcome.used_ms == timeout_ms
    assert pool.guest.is_killed


def test_a_job_that_is_stopped_or_late_while_its_sandbox_is_made_never_begins(pool: Pool) -> None:
    for how in ("stop", "late"):
        waiting = pool.launcher.wait = Deferred()
        job = pool.job(timeout_ms=500)
        ended = pool.start(job)
        if how == "stop":
            pool.executor.stop(job.job_id)
        else:
            pool.clock.advance(1)
        waiting.callback(None)
        (outcome,) = ended
        assert isinstance(outcome, Outcome)
        assert outcome.status is (Status.STOPPED if how == "stop" else Status.TIMEOUT)
        assert pool.guest.orders == []
        assert pool.guest.is_killed


def test_a_sandbox_that_is_not_made_is_a_fault_and_leaves_nothing(pool: Pool) -> None:
    pool.launcher.fault = "no sandbox today"
    (fault,) = pool.start(pool.job())
    assert isinstance(fault, ExecutorFault)
    pool.clock.advance(1)
    assert pool.clock.getDelayedCalls() == []
    assert list((pool.folder / "rooms").iterdir()) == []
    pool.launcher.fault = ""
    assert pool.run(pool.job()).status is Status.DONE


def test_inputs_that_are_not_there_are_a_fault_and_cost_the_worker(pool: Pool) -> None:
    pool.run(pool.job())
    (fault,) = pool.start(pool.job(), {"scene": "/no/such/file"})
    assert isinstance(fault, ExecutorFault)
    assert pool.guest.is_killed


@pytest.mark.parametrize("said", [b"{}\n", b'{"job": "other", "ok": true}\n'])
def test_a_worker_that_speaks_out_of_turn_is_ended(pool: Pool, said: bytes) -> None:
    pool.run(pool.job())
    pool.guest.hearer.said(said)
    assert pool.guest.is_killed
    assert pool.run(pool.job()).status is Status.DONE
    assert len(pool.launcher.guests) == 2


def test_the_second_answer_to_a_job_counts_for_nothing(pool: Pool) -> None:
    pool.run(pool.job())
    job = pool.job()
    twice = msgspec.json.encode({"job": job.job_id, "ok": True, "report": {"a": 1}}) + b"\n"
    pool.guest.on_order = lambda guest: guest.hearer.said(twice)
    assert pool.run(job).report == b'{"a":1}'
    assert pool.guest.is_killed


def test_want_of_memory_is_told_from_other_ends(pool: Pool) -> None:
    pool.launcher.answers = False
    for is_memory, status in ((True, Status.OUT_OF_MEMORY), (False, Status.CRASHED)):
        ended = pool.start(pool.job())
        pool.guest.hearer.ended("exit code 137", is_memory)
        (outcome,) = ended
        assert isinstance(outcome, Outcome)
        assert outcome.status is status
        assert "exit code 137" in outcome.detail


def test_closing_waits_for_what_is_still_being_made_and_takes_no_more(pool: Pool) -> None:
    pool.run(pool.job("idle"))
    waiting = pool.launcher.wait = Deferred()
    ended = pool.start(pool.job())
    closed = pool.executor.close()
    assert not closed.called
    waiting.callback(None)
    assert closed.called
    assert isinstance(ended[0], Outcome)
    assert ended[0].status is Status.STOPPED
    assert all(guest.is_killed for guest in pool.launcher.guests)
    assert isinstance(pool.start(pool.job())[0], ExecutorFault)
    pool.clock.advance(1)
    assert pool.clock.getDelayedCalls() == []


def test_a_sandbox_that_can_not_be_ended_holds_nobody_up_for_ever(pool: Pool) -> None:
    pool.run(pool.job())
    pool.guest.dies = False
    closed = pool.executor.close()
    pool.clock.advance(END_S - 1)
    assert not closed.called
    pool.clock.advance(1)
    assert closed.called
