"""The commands in the templates' own manuals are ones that a node would take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from golem.node.plugins import available, load

APPS = Path(__file__).parents[2] / "apps"
TAKEN_BY_RUN = {"budget", "input"}


def examples() -> list[str]:
    lines = (line for path in sorted(APPS.glob("*/README.md")) for line in path.read_text().splitlines())
    return [line.strip() for line in lines if line.startswith("    golem run ")]


@pytest.mark.parametrize("line", examples())
def test_an_example_makes_sense(line: str) -> None:
    _, _, name, *words = shlex.split(re.sub(r"(--\w+)=", r"\1 ", line), comments=True)
    files = [words.pop(0)] if words and not words[0].startswith("-") else []
    given = {flag.removeprefix("--"): value for flag, value in zip(words[::2], words[1::2], strict=True)}
    assert "budget" in given
    load([name])[name].parse({flag: value for flag, value in given.items() if flag not in TAKEN_BY_RUN})
    assert all((APPS.parent / file).exists() for file in files)


def test_every_template_has_two() -> None:
    assert all(sum(f" run {name} " in line for line in examples()) >= 2 for name in available())
