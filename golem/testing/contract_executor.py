"""What every executor must do, and what every sandbox must do besides. Subclass one, and give the fixture `bench`."""

# ruff: noqa: D102  # a test's name says what it proves

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface.verify import verifyObject

from golem.interfaces import IExecutor, Room
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import MAX_LOG_BYTES, Job, Limits, Outcome, Status

STOP_S = 1.5  # what IExecutor promises
MIB = 1 << 20
LIMITS = Limits(timeout_ms=20_000, memory_bytes=512 * MIB, output_bytes=64 * MIB)

FOREVER = """
    import time
    def run(params, inputs, output):
        while True:
            time.sleep(0.01)
"""
COUNTS = """
    times = 0
    def run(params, inputs, output):
        global times
        times += 1
        return {"times": times}
"""
FAILS = """
    def run(params, inputs, output):
        print("before it failed")
        raise ValueError("not today")
"""


class Bench:
    """An executor, and a template whose programs tests write. `folder`: where all files of a test are."""

    def __init__(self, executor: IExecutor, clock: IReactorTime, folder: Path) -> None:
        self.executor = executor
        self.clock = clock
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir(mode=0o755, parents=True)
        self._jobs = 0

    def job(
        self, source: str, limits: Limits = LIMITS, task: str = "task", params: Mapping[str, object] | None = None
    ) -> Job:
        """A job that runs `source`, cold."""
        self._jobs += 1
        program = f"program_{derive(source)}"
        (self.programs / f"{program}.py").write_text(dedent(source))
        return Job(
            job_id=JobId(derive("job", self._jobs)),
            task_id=TaskId(derive(task)),
            template="bench",
            program=program,
            params=msgspec.json.encode(params or {}),
            limits=limits,
        )

    def made(self, job: Job) -> Path:
        """Where a job's files come to lie."""
        return self.folder / f"made-{job.job_id}"

    def start(self, job: Job, **inputs: Path) -> Deferred[Outcome]:
        """Run a job, with these files as its inputs."""
        paths = {name: str(path) for name, path in inputs.items()}
        room = Room(program=str(self.programs), inputs=paths, output=str(self.made(job)))
        return Deferred.fromCoroutine(_awaited(self.executor, job, room))

    async def run(self, source: str, limits: Limits = LIMITS, **params: object) -> Outcome:
        """Run a program, cold, to its end."""
        return await self.start(self.job(source, limits, params=params))

    async def report(self, source: str, **params: object) -> dict[str, object]:
        """What a program that does not fail reports."""
        outcome = await self.start(self.job(source, params=params))
        assert outcome.status is Status.DONE, outcome
        report: dict[str, object] = msgspec.json.decode(outcome.report)
        return report


async def _awaited(executor: IExecutor, job: Job, room: Room) -> Outcome:
    outcome: Outcome = await executor.run(job, room)
    return outcome


AsyncTest = Callable[..., Coroutine[Deferred[object], object, None]]


def waited(test: AsyncTest) -> Callable[..., Deferred[None] | None]:
    """Let the subclass wait for the test in its own way."""

    @wraps(test)
    def run(self: ExecutorContract, bench: Bench, **kwargs: object) -> Deferred[None] | None:
        return self.wait(Deferred.fromCoroutine(test(self, bench, **kwargs)), bench)

    return run


class ExecutorContract:
    """What holds for the double, too. `stop_s`: how long a stop may take."""

    stop_s = STOP_S

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    def wait(self, test: Deferred[None], bench: Bench) -> Deferred[None] | None:
        """See the test to its end, here or by giving it to pytest-twisted, which waits on the reactor."""
        return test.addTimeout(30, bench.clock)

    def test_it_is_an_executor(self, bench: Bench) -> None:
        assert verifyObject(IExecutor, bench.executor)

    @waited
    async def test_a_report_and_files_come_back(self, bench: Bench) -> None:
        job = bench.job(
            """
            from pathlib import Path
            def run(params, inputs, output):
                Path(output, "sub").mkdir(parents=True, exist_ok=True)
                Path(output, "sub", "a.txt").write_text("made")
                return {"twice": params["number"] * 2}
            """,
            params={"number": 21},
        )
        outcome = await bench.start(job)
        assert (outcome.status, outcome.report, outcome.result) == (Status.DONE, b'{"twice":42}', "")
        assert (bench.made(job) / "sub" / "a.txt").read_text() == "made"

    @waited
    async def test_a_job_that_makes_no_file_leaves_no_folder(self, bench: Bench) -> None:
        job = bench.job(COUNTS)
        assert (await bench.start(job)).status is Status.DONE
        assert not bench.made(job).exists()

    @waited
    async def test_an_exception_is_an_error_with_its_text(self, bench: Bench) -> None:
        outcome = await bench.run(FAILS)
        assert (outcome.status, outcome.detail) == (Status.ERROR, "ValueError: not today")

    @pytest.mark.parametrize("after_s", [0.0, 0.02, 0.5])
    @waited
    async def test_a_job_stopped_at_any_moment_says_so_in_time(self, bench: Bench, after_s: float) -> None:
        job = bench.job(FOREVER)
        running = bench.start(job)
        await deferLater(bench.clock, after_s, lambda: None)
        began = bench.clock.seconds()
        await bench.executor.stop(job.job_id)
        assert (await running).status is Status.STOPPED
        assert bench.clock.seconds() - began < self.stop_s

    @waited
    async def test_stopping_a_job_that_does_not_run_does_nothing(self, bench: Bench) -> None:
        await bench.executor.stop(derive("nobody"))
        assert (await bench.run(COUNTS)).status is Status.DONE

    @waited
    async def test_closing_ends_what_runs(self, bench: Bench) -> None:
        running = [bench.start(bench.job(FOREVER)) for _ in range(2)]
        await deferLater(bench.clock, 0.3, lambda: None)
        await bench.executor.close()
        assert [(await job).status for job in running] == [Status.STOPPED] * 2


class SandboxContract(ExecutorContract):
    """What holds where programs really run."""

    @waited
    async def test_inputs_are_there_to_read_and_to_nothing_else(self, bench: Bench) -> None:
        (bench.folder / "scene" / "sub").mkdir(parents=True)
        (bench.folder / "scene" / "sub" / "a").write_text("folder")
        (bench.folder / "file").write_text("file")
        job = bench.job(
            """
            from pathlib import Path
            def run(params, inputs, output):
                try:
                    Path(inputs, "one").write_text("mine")
                except OSError:
                    return {"read": Path(inputs, "one").read_text() + Path(inputs, "all", "sub", "a").read_text()}
            """
        )
        outcome = await bench.start(job, one=bench.folder / "file", all=bench.folder / "scene")
        assert outcome.report == b'{"read":"filefolder"}', outcome

    @waited
    async def test_the_log_says_what_was_printed_and_where_it_failed(self, bench: Bench) -> None:
        outcome = await bench.run(FAILS)
        assert "before it failed" in outcome.log
        assert "Traceback" in outcome.log

    @waited
    async def test_of_a_long_log_the_tail_is_kept(self, bench: Bench) -> None:
        outcome = await bench.run(
            """
            def run(params, inputs, output):
                for number in range(20_000):
                    print("line", number)
            """
        )
        assert len(outcome.log) <= MAX_LOG_BYTES
        assert outcome.log.endswith("line 19999\n")

    @waited
    async def test_a_job_that_takes_too_long_is_ended(self, bench: Bench) -> None:
        outcome = await bench.run(FOREVER, Limits(timeout_ms=700))
        assert outcome.status is Status.TIMEOUT
        assert 600 <= outcome.used_ms < 700 + STOP_S * 1000
        assert "0.7 s" in outcome.detail

    @waited
    async def test_a_job_that_takes_too_much_memory_is_ended(self, bench: Bench) -> None:
        outcome = await bench.run(
            """
            import time
            def run(params, inputs, output):
                kept = []
                while True:
                    kept.append(b"x" * (8 << 20))
                    time.sleep(0.01)
            """,
            Limits(timeout_ms=20_000, memory_bytes=192 * MIB, output_bytes=MIB),
        )
        assert outcome.status is Status.OUT_OF_MEMORY, outcome
        assert "192 MiB" in outcome.detail
        assert outcome.peak_bytes > 64 * MIB

    @waited
    async def test_a_job_that_does_nothing_any_more_is_stuck_and_one_that_says_something_is_not(
        self, bench: Bench
    ) -> None:
        limits = Limits(timeout_ms=20_000, memory_bytes=512 * MIB, stuck_ms=1_500)
        outcome = await bench.run(
            """
            import threading, time
            def run(params, inputs, output):
                for number in range(4):
                    print(f"progress {number * 10}%", flush=True)
                    time.sleep(0.7)
                threading.Event().wait()
            """,
            limits,
        )
        assert outcome.status is Status.STUCK, outcome
        assert outcome.detail.endswith("no line of log for 1.5 s, at 30 %")
        assert 3_500 < outcome.used_ms < 15_000

    @waited
    async def test_a_job_that_ends_its_worker_has_crashed(self, bench: Bench) -> None:
        outcome = await bench.run("import os\ndef run(params, inputs, output):\n    os._exit(7)\n")
        assert outcome.status is Status.CRASHED
        assert "exit code 7" in outcome.detail

    @waited
    async def test_a_report_that_is_too_large_is_an_error(self, bench: Bench) -> None:
        outcome = await bench.run('def run(params, inputs, output):\n    return {"a": "x" * 5000}\n')
        assert outcome.status is Status.ERROR

    @waited
    async def test_a_warm_worker_is_its_tasks_alone(self, bench: Bench) -> None:
        times = []
        for task, is_warm in (("a", True), ("a", True), ("b", True), ("a", False), ("a", True), ("b", True)):
            job = msgspec.structs.replace(bench.job(COUNTS, task=task), warm=is_warm)
            times.append((await bench.start(job)).report)
        other = msgspec.structs.replace(bench.job(COUNTS, task="a"), warm=True, template="other")
        times.append((await bench.start(other)).report)
        assert times == [b'{"times":%d}' % n for n in (1, 2, 1, 1, 3, 2, 1)]

    @waited
    async def test_a_warm_worker_that_broke_is_replaced(self, bench: Bench) -> None:
        broken = bench.job("import os\ndef run(params, inputs, output):\n    os._exit(1)\n")
        assert (await bench.start(msgspec.structs.replace(broken, warm=True))).status is Status.CRASHED
        job = msgspec.structs.replace(bench.job(COUNTS), warm=True)
        assert (await bench.start(job)).report == b'{"times":1}'

    @waited
    async def test_nothing_of_a_cold_job_is_left(self, bench: Bench) -> None:
        token = derive("left", str(bench.folder))
        report = await bench.report(
            """
            import subprocess, sys
            def run(params, inputs, output):
                quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                command = [sys.executable, "-c", "import time; time.sleep(60)", params["token"]]
                subprocess.Popen(command, start_new_session=True, **quiet)
                return {}
            """,
            token=token,
        )
        assert report == {}
        assert processes_with(token) == []


def processes_with(word: str) -> list[int]:
    """The processes of this machine that have `word` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
