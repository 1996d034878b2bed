"""The first steps of the README, by hand: a terminal asks for what the environment does not say."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
GOLEM = (sys.executable, "-m", "golem.cli.main")


def by_hand(folder: Path, command: str, *typed: str) -> str:
    """What a terminal shows when a command is called without GOLEM_PASSWORD, and these lines are typed as it asks."""
    environ = {name: value for name, value in os.environ.items() if name != "GOLEM_PASSWORD"}
    child, terminal = pty.fork()
    if not child:
        os.execve(sys.executable, [*GOLEM, *command.split(), "--folder", str(folder)], environ)
    shown = b""
    answers = list(typed)
    with open(terminal, "rb", buffering=0) as screen:
        while True:
            try:
                read = screen.read(4096)
            except OSError:  # the other end has closed
                break
            if not read:
                break
            shown += read
            if read.endswith(b": ") and answers:
                os.write(terminal, answers.pop(0).encode() + b"\n")
    os.waitpid(child, 0)
    return shown.decode()


def test_without_a_password_in_the_environment_a_terminal_asks_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "n"
    assert "differ" in by_hand(folder, "init", "correct horse", "correct house")
    assert not folder.exists()
    made = by_hand(folder, "init", "correct horse", "correct horse")
    assert "next: golem node start" in made and "horse" not in made
    refused = by_hand(folder, "node start", "another")
    assert f"password for the keys in {folder}: " in refused
    assert "does not open" in refused and "another" not in refused
