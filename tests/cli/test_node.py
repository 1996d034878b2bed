"""`golem init` and `golem node start`, for real: keys on disk, a process, its control socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from golem.cli.exits import Exit
from golem.testing.shell import Shell
from golem.wire.toil import shown

pytestmark = pytest.mark.integration
START_S = 60.0  # on a loaded machine; 3 s is usual, most of it for the keys' password
START = (sys.executable, "-m", "golem.cli.main", "node", "start")
TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile=", "golem")


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A shell beside a folder that holds nothing yet; its path is short, as sockets need."""
    with TemporaryDirectory() as around:
        shell = Shell(str(Path(around, "n")))
        shell.environ["GOLEM_PASSWORD"] = "correct horse"
        yield shell


@pytest.fixture
def folder(shell: Shell) -> Path:
    """That folder, once a node was made in it."""
    assert shell.run("init") == Exit.OK, shell.err
    return Path(shell.environ["GOLEM_FOLDER"])


@pytest.fixture
def process(shell: Shell, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """That node, running, and its first line read."""
    environ = os.environ | shell.environ
    started = subprocess.Popen(START, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield started
    started.kill()
    started.communicate(timeout=START_S)


def _start(shell: Shell) -> subprocess.CompletedProcess[str]:
    environ = os.environ | shell.environ
    return subprocess.run(START, env=environ, capture_output=True, text=True, timeout=START_S, check=False)


def test_init_makes_a_folder_closed_to_others_and_never_overwrites_it(shell: Shell, folder: Path) -> None:
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert 'templates = ["blender", "echo", "fractal", "luxrender", "tally"]' in (folder / "golem.toml").read_text()
    assert folder.stat().st_mode & 0o077 == 0
    assert shell.run("init") == Exit.CONFIG
    assert "holds a node already" in shell.err
    assert files == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_init_makes_nothing_where_the_settings_are_wrong(shell: Shell) -> None:
    assert shell.run("init", "--provider", "--set", "provider.slotz=3", "--set", "provider.memory=x") == Exit.CONFIG
    assert "did you mean provider.slots?" in shell.err
    assert "provider.memory" in shell.err
    assert not Path(shell.environ["GOLEM_FOLDER"]).exists()


def test_a_node_starts_answers_and_stops(shell: Shell, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().endswith("runs; ctrl-c stops it\n")
    assert shell.run("status") == Exit.OK
    assert shell.run("template", "list") == Exit.OK
    assert shell.out.startswith("blender: ")
    second = _start(shell)
    assert second.returncode == Exit.CONFIG
    assert "another node running in this folder" in second.stderr
    assert shell.run("status") == Exit.OK
    process.send_signal(signal.SIGTERM)
    assert process.wait(START_S) == Exit.OK
    assert shell.run("status") == Exit.NOT_RUNNING


def test_a_node_that_is_configured_wrongly_says_all_of_it_and_exits_with_5(shell: Shell, folder: Path) -> None:
    (folder / "golem.toml").write_text("[node]\nlisten = 'x'\n[provider]\nslotz = 3\n")
    started = _start(shell)
    assert started.returncode == Exit.CONFIG
    assert "golem.toml:2: node.listen" in started.stderr
    assert "golem.toml:4: provider.slotz" in started.stderr
    assert "Traceback" not in started.stderr


def test_init_makes_a_node_that_its_network_lets_in_and_another_network_says_what_it_asks_for(shell: Shell) -> None:
    assert shell.run("init", "--set", "node.network=open.8bits", "--json") == Exit.OK
    assert shown(json.loads(shell.out)["node_id"]) >= 8
    shell.environ["GOLEM_NODE_NETWORK"] = "open.24bits"
    started = _start(shell)
    assert started.returncode == Exit.CONFIG
    assert "network 'open.24bits' asks for 24; make keys for it with golem init, in a new folder" in started.stderr
    assert "Traceback" not in started.stderr


def test_a_wrong_password_is_said_and_exits_with_5(shell: Shell, folder: Path) -> None:
    shell.environ["GOLEM_PASSWORD"] = "wrong horse"
    started = _start(shell)
    assert started.returncode == Exit.CONFIG
    assert "password" in started.stderr
    assert "wrong horse" not in started.stderr
    assert "Traceback" not in started.stderr


def _twistd(shell: Shell, *words: str) -> subprocess.Popen[str]:
    command = (*TWISTD, "--folder", shell.environ["GOLEM_FOLDER"], *words)
    return subprocess.Popen(
        command, env=os.environ | shell.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_twistd_runs_the_same_node(shell: Shell, folder: Path) -> None:
    with _twistd(shell, "--set", "provider.slots=1") as process:
        try:
            assert process.stdout is not None
            assert any("the node takes part" in line for line in process.stdout)
            assert shell.run("run", "echo", "--detach", "--budget", "0") == Exit.OK, shell.err
            assert any(": submitted, template echo, chunks 10" in line for line in process.stdout)
            process.send_signal(signal.SIGTERM)
            assert process.wait(START_S) == -signal.SIGTERM, (
                "twistd ends by the signal it was sent, once all is stopped"
            )
        finally:
            process.kill()
    assert shell.run("status") == Exit.NOT_RUNNING


def test_twistd_says_what_is_wrong_with_a_configuration_and_exits_with_5(shell: Shell, folder: Path) -> None:
    with _twistd(shell, "--set", "provider.slotz=3", "--set", "node.listen=x") as process:
        _, errors = process.communicate(timeout=START_S)
    assert process.returncode == Exit.CONFIG
    assert "provider.slotz" in errors and "node.listen" in errors
    assert "Traceback" not in errors
