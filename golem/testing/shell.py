"""Runs `golem` commands without a process, against one node's folder."""

from __future__ import annotations

import io
import json

from golem.cli.main import run


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


class Shell:
    """Runs commands on a node's folder. `out`, `err`: what the last one wrote."""

    def __init__(self, folder: str) -> None:
        self.environ = {"GOLEM_FOLDER": folder}
        self.out = self.err = ""

    def run(self, *argv: str, is_terminal: bool = False) -> int:
        """Run one, and return its exit code."""
        out, err = (_Terminal(), _Terminal()) if is_terminal else (io.StringIO(), io.StringIO())
        exit_code = run(argv, out, err, self.environ)
        self.out, self.err = out.getvalue(), err.getvalue()
        return exit_code

    def json(self, *argv: str) -> object:
        """Run one with --json, and return what it answered. Raises AssertionError where it failed."""
        if self.run(*argv, "--json"):
            raise AssertionError(f"golem {' '.join(argv)}: {self.err}")
        answer: object = json.loads(self.out)
        return answer
