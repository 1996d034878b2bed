"""The pytest plugin and its watchdog: each thing that they look for is found once."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred, fail
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import Clock
from twisted.logger import Logger

from golem.testing.orphans import Orphans
from golem.testing.pulse import Pulse
from golem.testing.watchdog import watched

assert isinstance(reactor, PosixReactorBase)
ROOT = Path(__file__).parents[2]
log = Logger()


class Readable(FileDescriptor):
    """Something that a reactor can read from."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self.fileno = sock.fileno


def test_nothing_wrong_is_nothing_said() -> None:
    with watched():
        log.info("all is well")


def test_a_deferred_whose_failure_nobody_heard_of_is_found() -> None:
    with pytest.raises(AssertionError, match="ValueError'>: unheard"), watched():
        fail(ValueError("unheard"))


def test_a_coroutine_whose_failure_nobody_heard_of_is_found() -> None:
    async def breaks() -> None:
        raise ValueError("unheard")

    with pytest.raises(AssertionError, match="ValueError'>: unheard"), watched():
        Deferred.fromCoroutine(breaks())


def test_an_error_line_is_found_unless_it_was_declared() -> None:
    with pytest.raises(AssertionError, match="the disk is on fire"), watched():
        log.error("the disk is on fire")
    with watched() as dog:
        dog.allow("on fire$")
        log.error("the disk is on fire")


def test_a_thread_that_goes_on_is_found() -> None:
    end = threading.Event()
    try:
        with pytest.raises(AssertionError, match="a thread goes on: sleeper"), watched():
            threading.Thread(target=end.wait, name="sleeper").start()
    finally:
        end.set()


def test_a_process_that_goes_on_is_found() -> None:
    started: list[subprocess.Popen[bytes]] = []
    try:
        with pytest.raises(AssertionError, match="a process goes on"), watched():
            started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
    finally:
        started[0].kill()
        started[0].communicate()


def test_a_file_left_open_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"a file is open: .*left\.txt"), watched():
        file = (tmp_path / "left.txt").open("w")
    file.close()


def test_a_socket_left_open_is_found_and_where_it_leads() -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        place = port.getsockname()
        with (
            pytest.raises(AssertionError, match=rf"a file is open: socket:.*, to \('127.0.0.1', {place[1]}\)"),
            watched(),
        ):
            left = socket.create_connection(place)
        left.close()


def test_what_the_reactor_is_still_to_do_is_found() -> None:
    here, there = socket.socketpair()
    reader = Readable(here)
    try:
        with pytest.raises(AssertionError, match=r"to call: .*\n.*reads from: "), watched():
            call = reactor.callLater(60, lambda: None)
            reactor.addReader(reader)
    finally:
        call.cancel()
        reactor.removeReader(reader)
        here.close()
        there.close()


USER = """
import pytest
from twisted.internet.defer import fail
from twisted.logger import Logger

def test_honest(golem_net):
    net = golem_net()
    task = net["alice"].submit("echo", {"count": 2})
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=60)

def test_unheard(golem_net):
    fail(ValueError("unheard"))

def test_error(golem_watch):
    Logger().error("the disk is on fire")

@pytest.mark.golem_logs("on fire")
def test_declared(golem_watch):
    Logger().error("the disk is on fire")

def test_invariant(golem_net):
    net = golem_net()
    net.world.troubles.append("an invariant broke")

@pytest.mark.golem_chaos(seeds=3, minutes=1)
def test_chaos(golem_net, golem_seed):
    net = golem_net(nodes=("alice", "bob"))
    net.advance(90)
    assert golem_seed != 2

def test_scenario(golem_net):
    golem_net.play("good.yaml")

def test_bad_scenario(golem_net):
    golem_net.play("bad.yaml")
"""
GOOD = (
    "nodes: {alice: {role: requestor}, bob: {}}\nsteps:\n  - submit: {as: job, node: alice, template: echo, count: 2}\n"
)


def results(folder: Path, *options: str) -> tuple[dict[str, str], str]:
    """What became of each test of somebody else's, and all that was said."""
    usual = ("-p", "golem.testing.plugin", "-p", "no:cacheprovider", "-v", "-rA", "--strict-markers")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *usual, *options],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=100,
    )
    told = re.findall(r"^(?:test_user.py::(\S+) (SKIPPED)|([A-Z]+) test_user.py::(\S+))", done.stdout, re.MULTILINE)
    return {one or other: skipped or outcome for one, skipped, outcome, other in told}, done.stdout + done.stderr


def test_the_plugin_serves_somebody_elses_tests(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(USER)
    (tmp_path / "good.yaml").write_text(GOOD + "expect:\n  - eventually: job.phase == done\n")
    (tmp_path / "bad.yaml").write_text(GOOD + "expect:\n  - never: job.phase == done\n")
    said, out = results(tmp_path)
    assert said == {
        "test_honest": "PASSED",
        "test_unheard": "ERROR",
        "test_error": "ERROR",
        "test_declared": "PASSED",
        "test_invariant": "ERROR",
        "test_chaos[seed1]": "PASSED",
        "test_chaos[seed2]": "FAILED",
        "test_chaos[seed3]": "PASSED",
        "test_scenario": "PASSED",
        "test_bad_scenario": "FAILED",
    }, out
    assert "bad.yaml:5: never job.phase == done" in out
    assert "the faults of seed 2:" in out


def test_at_another_level_what_it_lacks_is_skipped_and_so_is_the_test(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(USER)
    (tmp_path / "good.yaml").write_text(GOOD + "faults:\n  - {skew: bob, by: 1s, at: 1s}\n")
    said, out = results(tmp_path, "--golem-level=local", "-k", "honest or test_scenario")
    assert said == {"test_honest": "SKIPPED", "test_scenario": "SKIPPED"}, out
    assert "good.yaml:5: Skew(" in out and "this level has no such fault" in out


def test_a_process_that_lost_its_parent_is_found_and_ended(tmp_path: Path) -> None:
    orphans = Orphans(tmp_path)
    script = "import subprocess; subprocess.Popen(['sleep', '1000'])"
    subprocess.run([sys.executable, "-c", script], check=True)
    (wrong,) = orphans.end(100)
    assert wrong.startswith("a process goes on: ") and wrong.endswith(" sleep 1000")
    assert Orphans(tmp_path).end() == []


def test_a_reactor_that_stands_still_is_found() -> None:
    clock, said = Clock(), list[str]()
    pulse = Pulse(clock, said.append)
    clock.advance(0.1)
    clock.advance(0.2)
    assert said == []
    clock.advance(0.7)
    (wrong,) = said
    assert wrong.startswith("the reactor stood still for ")
    pulse.stop()
