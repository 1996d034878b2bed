"""Writes a template to begin with: the sample beside this module, under the name that its author wants."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from pathlib import Path

from golem.cli.exits import UsageError

SAMPLE = Path(__file__).parent / "sample"
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")


def begin(name: str, folder: Path) -> Path:
    """Make `folder` with a project for the template `name`. Raises UsageError where either does not suit."""
    if not NAME.match(name) or keyword.iskeyword(name):
        raise UsageError(f"{name!r}: a template's name begins with a small letter and goes on with those, digits and _")
    if find_spec(name) is not None:
        raise UsageError(f"{name!r} is the name of a module that is installed; choose another")
    try:
        folder.mkdir(parents=True)
        for source, target in _files(name).items():
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            (folder / target).write_text(_renamed((SAMPLE / source).read_text(), name))
    except FileExistsError as why:
        raise UsageError(f"{folder} is there already; choose another by --into") from why
    except OSError as why:
        raise UsageError(f"{folder} can't be written: {why.strerror}") from why
    return folder


def _files(name: str) -> dict[str, str]:
    """What is copied where."""
    code = [path.relative_to(SAMPLE).as_posix() for path in SAMPLE.rglob("*.py")]
    return {
        "pyproject.toml.in": "pyproject.toml",
        "README.md.in": "README.md",
        "test.py.in": f"tests/test_{name}.py",
        **{path: f"{name}/{path}" for path in sorted(code)},
    }


def _renamed(text: str, name: str) -> str:
    called = "".join(part.capitalize() for part in name.split("_"))
    return re.sub(r"Sample", called, re.sub(r"sample", name, text))
