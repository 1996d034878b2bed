"""One job, watched: what it says of its progress, and what it is ended for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import MAX_LOG_BYTES, Job, Limits, Status
from golem.node.disk import Measured
from golem.node.memory import Usage, usage
from golem.node.vigil import MIB, Vigil

BUSY = Usage(memory_bytes=MIB, cpu_ticks=1, io_bytes=1)


def vigil(files: int = 0) -> Vigil:
    limits = Limits(timeout_ms=60_000, memory_bytes=100 * MIB, stuck_ms=5_000)
    job = Job(
        job_id=JobId(derive("job")),
        task_id=TaskId(derive("task")),
        template="echo",
        program="echo",
        params=b"{}",
        limits=limits,
        files=files,
    )
    return Vigil(job, 100.0)


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        (b"progress 40%\n", 40),
        (b"Fra:1 Mem:9M\nprogress  7.5 %\nmore", 7),
        (b"progress 10%\nprogress 20%\n", 20),
        (b"progress 20%\nprogress 10%\n", 10),
        (b"progress 100%\n", 99),
        (b"progress 999%\n", 99),
        (b"my progress 40%\n", 0),
        (b"progress 4000%\n", 0),
        (b"\xffprogress 40%\n", 0),
    ],
)
def test_progress_is_read_from_lines_that_begin_with_it_however_they_arrive(said: bytes, percent: int) -> None:
    whole, bytewise = vigil(), vigil()
    whole.heard(said)
    for number in range(len(said)):
        bytewise.heard(said[number : number + 1])
    assert whole.percent == bytewise.percent == percent
    assert whole.log == bytewise.log == said


def test_of_a_log_the_tail_is_kept() -> None:
    watched = vigil()
    watched.heard(b"x" * MAX_LOG_BYTES)
    watched.heard(b"end")
    assert len(watched.log) == MAX_LOG_BYTES and watched.log.endswith(b"xend")


def test_files_that_are_there_are_progress_where_the_job_says_how_many_there_will_be() -> None:
    watched = vigil(files=4)
    for files, percent in ((0, 0), (1, 25), (3, 75), (2, 75), (4, 99)):
        assert watched.judge(101.0, BUSY, Measured(0, files)) is None
        assert watched.percent == percent


def test_what_shows_no_sign_of_life_is_stuck_after_its_time() -> None:
    watched = vigil()
    assert watched.judge(101.0, BUSY, Measured()) is None
    assert watched.judge(105.9, BUSY, Measured()) is None
    verdict = watched.judge(106.0, BUSY, Measured())
    assert verdict is not None and verdict.status is Status.STUCK


@pytest.mark.parametrize("sign", ["cpu", "io", "disk", "log"])
def test_any_sign_of_life_will_do(sign: str) -> None:
    watched = vigil()
    for second in range(20):
        used = BUSY._replace(
            cpu_ticks=second if sign == "cpu" else 0,
            io_bytes=second if sign == "io" else 0,
        )
        if sign == "log":
            watched.heard(b".")
        assert watched.judge(101.0 + second, used, Measured(second if sign == "disk" else 0, 0)) is None


def test_of_what_can_not_be_seen_nothing_is_said() -> None:
    watched = vigil()
    assert [watched.judge(second, Usage(), Measured()) for second in (101.0, 200.0)] == [None, None]


def test_too_much_memory_is_told_with_how_much_it_was() -> None:
    watched = vigil()
    assert watched.judge(101.0, BUSY, Measured()) is None
    assert watched.memory() == "had 100 MiB, and 1 MiB when it was last looked at"
    verdict = watched.judge(101.0, BUSY._replace(memory_bytes=120 * MIB), Measured())
    assert verdict is not None
    assert (verdict.status, verdict.detail) == (Status.OUT_OF_MEMORY, "took 120 MiB, more than 100 MiB")
    assert watched.peak_bytes == 120 * MIB


def test_usage_is_of_a_process_and_all_that_it_started() -> None:
    source = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    burn = "x = bytearray(40 << 20)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", source, burn], start_new_session=True) as child:
        try:
            while usage(child.pid).memory_bytes < 50 * MIB or usage(child.pid).cpu_ticks < 5:
                os.sched_yield()
            assert usage(child.pid).io_bytes > 0
        finally:
            os.killpg(child.pid, signal.SIGKILL)
    assert usage(child.pid) == usage(0) == Usage()
