"""The guide to writing an app, followed from its first block to its last: what it says happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from golem.testing.shell import Shell

GUIDE = Path(__file__).parents[2] / "docs" / "writing-an-app.md"
BLOCK = re.compile(r"^```(console|python|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def type_in(text: str, shell: Shell) -> None:
    """Run the commands of a block; each line below one is somewhere in what it said."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        program, *words = shlex.split(command)
        assert program == "golem"
        shell.run(*words)
        for line in lines:
            assert line in shell.out, f"{command} said {shell.out}{shell.err}"


def write(text: str, folder: Path) -> None:
    """A file anew: its name stands in the first line."""
    name, _, content = text.partition("\n")
    assert (folder / name.removeprefix("# ")).is_file(), name
    (folder / name.removeprefix("# ")).write_text(content)


def edit(text: str, folder: Path) -> None:
    """A part of a file anew, as a diff shows it."""
    name, *lines = text.splitlines()
    before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    after = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    file = folder / name.removeprefix("--- ")
    assert file.read_text().count(before) == 1, f"{name} has not once:\n{before}"
    file.write_text(file.read_text().replace(before, after))


def test_who_follows_the_guide_sees_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shell = Shell(str(tmp_path / "node"))
    tutorial = GUIDE.read_text().partition("## What is in an app")[0]
    kinds = []
    for kind, text in BLOCK.findall(tutorial):
        kinds.append(kind)
        if kind == "console":
            type_in(text, shell)
        else:
            (write if kind == "python" else edit)(text, tmp_path)
    assert kinds.count("console") == 3 and "python" in kinds and "diff" in kinds
