"""Where a command writes: records as JSON for scripts, or aligned text for people; colours on a terminal only.

What was asked for goes to standard output; notes, progress and errors go to standard error.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from typing import TextIO

from golem.cli.words import cut, display

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"
CLEAR_LINE = "\r\x1b[K"


class Screen:
    """A command's output."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str], *, is_json: bool = False) -> None:
        self._out, self._err = out, err
        self.is_json = is_json
        is_plain = "NO_COLOR" in environ or environ.get("TERM") == "dumb"
        self._colours = {id(stream): stream.isatty() and not is_plain for stream in (out, err)}
        self.is_live = err.isatty() and environ.get("TERM") != "dumb" and not is_json
        self._has_line = False

    def record(self, record: object) -> None:
        """One JSON value, for scripts."""
        self._out.write(json.dumps(record, indent=2) + "\n")
        self._out.flush()

    def say(self, text: str = "", style: str = "") -> None:
        """A line of the answer."""
        self._write(self._out, text, style)

    def note(self, text: str, style: str = "") -> None:
        """A line about the answer; none under --json."""
        if not self.is_json:
            self._write(self._err, text, style)

    def error(self, text: str) -> None:
        """What went wrong and the way out; further lines are indented."""
        first, *rest = text.splitlines() or [""]
        self._write(self._err, f"error: {first}", RED)
        for line in rest:
            self._write(self._err, f"  {line}")

    def live(self, text: str) -> None:
        """Replace the line at the bottom of a terminal; elsewhere, nothing."""
        if self.is_live:
            width = shutil.get_terminal_size().columns - 1
            self._err.write(CLEAR_LINE + display(text)[:width])
            self._err.flush()
            self._has_line = True

    def fields(self, *pairs: tuple[str, object]) -> None:
        """Names and values, aligned; pairs without a value are left out."""
        shown = [(name, str(value)) for name, value in pairs if value != "" and value is not None]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.say(f"{name:<{width}}  {value}")

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
        """Rows in aligned columns under headers, or a line that says why there are none."""
        if not rows:
            self.say(empty)
            return
        cells = [[cut(str(cell)) for cell in row] for row in rows]
        widths = [max(len(row[n]) for row in [list(headers), *cells]) for n in range(len(headers))]
        for number, row in enumerate([list(headers), *cells]):
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.say(line.rstrip(), BOLD if number == 0 else "")

    def _write(self, stream: TextIO, text: str, style: str = "") -> None:
        if self._has_line:
            self._err.write(CLEAR_LINE)
            self._has_line = False
        shown = display(text)
        stream.write(f"\x1b[{style}m{shown}\x1b[0m\n" if style and self._colours[id(stream)] else f"{shown}\n")
        stream.flush()
