"""Programs that fill what they are given, and a node that dies: the machine gets everything back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.launchers.bubblewrap import SHM_BYTES, TMP_BYTES, BubblewrapLauncher
from golem.model.ids import derive
from golem.model.spec import Limits, Status
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import MIB, Bench, processes_with
from tests.hostile.waiting import waited

pytestmark = pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap")


@waited
async def test_many_files_that_are_each_within_the_limit_are_together_past_it(bench: Bench) -> None:
    outcome = await bench.run(
        """
        import os, time
        def run(params, inputs, output):
            number = 0
            while True:
                with open(f"/out/more-{number}", "wb") as file:
                    file.write(os.urandom(1 << 20))
                number += 1
                time.sleep(0.01)
        """,
        Limits(timeout_ms=20_000, output_bytes=8 * MIB),
    )
    assert outcome.status is Status.OUTPUT_REFUSED, outcome
    assert "more than 8 MiB" in outcome.detail
    assert list((bench.folder / "rooms").iterdir()) == []


@waited
async def test_a_file_past_the_limit_is_not_written(bench: Bench) -> None:
    report = await bench.report(
        """
        import errno, signal
        def run(params, inputs, output):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            try:
                with open(f"{output}/a", "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(1 << 20))
            except OSError as why:
                open(f"{output}/a", "wb").close()
                return {"why": errno.errorcode[why.errno]}
        """
    )
    assert report == {"why": "EFBIG"}


@waited
async def test_memory_that_is_written_as_files_has_its_bounds(bench: Bench) -> None:
    report = await bench.report(
        """
        import os
        def fill(path):
            written = 0
            try:
                with open(path, "wb", buffering=0) as file:
                    while written < 1 << 30:
                        written += file.write(bytes(1 << 20))
            except OSError:
                pass
            if written:
                os.unlink(path)
            return written
        def run(params, inputs, output):
            return {path: fill(path) for path in ("/a", "/dev/a", "/etc/a", "/guest/a", "/dev/shm/a")}
        """
    )
    assert report == {"/a": 0, "/dev/a": 0, "/etc/a": 0, "/guest/a": 0, "/dev/shm/a": SHM_BYTES}
    assert TMP_BYTES <= 256 * MIB


@waited
async def test_a_program_that_prints_without_end_waits_for_the_node_and_not_the_node_for_it(bench: Bench) -> None:
    report = await bench.report(
        """
        import os, time
        def run(params, inputs, output):
            written, end = 0, time.monotonic() + 1
            while time.monotonic() < end:
                written += os.write(1, b"y" * 4096)
            return {"written": written}
        """
    )
    assert isinstance(report["written"], int)
    assert 64 << 10 <= report["written"] < 4 * MIB  # a pipe takes hundreds of MiB a second


NODE = """
import sys
from pathlib import Path
from twisted.internet import reactor
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.model.spec import Limits
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench
SOURCE = '''
import subprocess, sys, time
def run(params, inputs, output):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", params["token"]], start_new_session=True)
    print("begun", flush=True)
    while True:
        time.sleep(1)
'''
folder = Path(sys.argv[1])
executor = PooledExecutor(BubblewrapLauncher(reactor), reactor, folder / "rooms", {}, Limits())
bench = Bench(executor, reactor, folder)
bench.start(bench.job(SOURCE, params={"token": sys.argv[2]}))
reactor.run()
"""


def _wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_a_killed_node_ran_ends_with_it_and_its_rooms_go_at_the_next_start(tmp_path: Path) -> Deferred[None]:
    token = derive("orphan", str(tmp_path))
    command = [sys.executable, "-c", NODE, str(tmp_path), token]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as node:
        try:
            _wait(lambda: len(processes_with(token)) > 1)
        finally:
            node.kill()
    _wait(lambda: processes_with(token) == [])
    assert list((tmp_path / "rooms").iterdir()) != []
    assert isinstance(reactor, PosixReactorBase)
    executor = PooledExecutor(BubblewrapLauncher(reactor), reactor, tmp_path / "rooms", {}, Limits())

    def look(_: object) -> Deferred[None]:
        assert list((tmp_path / "rooms").glob("*/out/*")) == []
        return executor.close()

    return executor.probe().addCallback(look)
