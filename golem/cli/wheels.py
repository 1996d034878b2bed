"""Gets the wheels that a template pins, by pip, and puts them where its jobs find them.

What is complete is kept if it is interrupted, and the next try goes on from there. Nothing that is fetched runs here:
wheels alone are taken, each must have a digest that the template pins, and jobs import them in their sandbox.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import file_digest
from pathlib import Path
from platform import machine

from golem.errors import Refused, WheelMissing
from golem.interfaces import ITaskTemplate
from golem.node.disk import clear
from golem.node.modules import PYTHON, pins, place

MOST_BYTES = 4 << 30  # of one file; a renderer's wheel has less than one
MOST_S = 3_600.0  # for one wheel: pip's own time-outs are for each read
LOOK_S = 0.25
SEEN = 0o022  # a sandbox's user reads what is made, whatever the umask here is
SAID = 400  # characters of what pip says was wrong
SIZE = re.compile(r"Downloading .*\(([\d.]+) ([kMG]?B)\)")
UNITS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
QUIET = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-cache-dir")
ONLY = ("--no-deps", "--only-binary", ":all:", "--require-hashes")

Told = Callable[[str, int], None]
"""What is done now, and how far it is, in percent."""


def prepare(template: ITaskTemplate, home: Path, told: Told, python: str = PYTHON) -> Path:
    """Have the modules that a template pins in the folder of the node in `home`, and say where.

    Raises WheelMissing, or Refused where another is at it.
    """
    target = place(home, template, python)
    if not target.is_dir():
        with _alone(target.with_name(f"{target.name}.part"), template.name) as folder:
            _Shop(folder, python).make(pins(template), told).rename(target)
            clear(folder)
    return target


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[Path]:
    """A folder that nobody else works in meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    except BlockingIOError as why:
        raise Refused(f"{name} is being prepared already; wait for that, or end it") from why
    finally:
        os.close(held)


class _Shop:
    """Where wheels are gathered, and made into one folder of modules."""

    def __init__(self, folder: Path, python: str) -> None:
        self._wheels, self._spare, self._made = (folder / name for name in ("wheels", "spare", "made"))
        self._python = python
        self._taking = [*ONLY, *(("--python-version", python) if python != PYTHON else ())]

    def make(self, wanted: dict[str, str], told: Told) -> Path:
        """The folder, with what all the wheels bring."""
        for number, (pin, line) in enumerate(wanted.items(), 1):
            hear = partial(told, f"{pin} ({number} of {len(wanted)})")
            hear(0)
            if not self._has(line):
                self._pip(["download", "--dest", str(self._wheels)], [line], pin, hear)
            hear(100)
        told("unpacking", 0)
        clear(self._made)
        found = ["--no-index", "--find-links", str(self._wheels)]
        self._pip(["install", *found, "--target", str(self._made)], list(wanted.values()), "the wheels", lambda _: None)
        return self._made

    def _has(self, line: str) -> bool:
        """Whether a wheel with one of these digests is here, whole."""
        for path in self._wheels.glob("*.whl"):
            with path.open("rb") as wheel:
                if file_digest(wheel, "sha256").hexdigest() in line:
                    return True
        return False

    def _pip(self, words: Sequence[str], lines: Sequence[str], what: str, told: Callable[[int], None]) -> None:
        """Have pip do something with these requirements. Raises WheelMissing with what it says of them."""
        clear(self._spare)
        self._spare.mkdir()
        asked, said = self._spare / "requirements.txt", self._spare / "said"
        asked.write_text("\n".join(lines))
        limited = ["setpriv", "--pdeathsig", "KILL", "prlimit", f"--fsize={MOST_BYTES}", sys.executable, "-m", "pip"]
        command = [*limited, *words, *QUIET, *self._taking, "--requirement", str(asked)]
        with said.open("wb") as output:
            environ = os.environ | {"TMPDIR": str(self._spare), "LC_ALL": "C.UTF-8"}
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environ, umask=SEEN
            )
            try:
                code = self._wait(process, said, told)
            finally:
                process.kill()
                process.wait()
        if code:
            where = f"Python {self._python} on {machine()}"
            raise WheelMissing(f"{what} can't be had for {where}: {_reason(said)}\nwhat is complete is kept: try again")

    def _wait(self, process: subprocess.Popen[bytes], said: Path, told: Callable[[int], None]) -> int:
        end, percent = time.monotonic() + MOST_S, 0
        while time.monotonic() < end:
            try:
                return process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                if announced := SIZE.findall(said.read_text(errors="replace")):
                    number, unit = announced[-1]
                    here = 100 * _size(self._spare) / (float(number) * UNITS[unit] + 1)
                    percent = max(percent, min(99, round(here)))  # pip moves what is complete
                    told(percent)
        raise WheelMissing(f"pip was not done after {MOST_S / 60:.0f} minutes\nwhat is complete is kept: try again")


def _size(folder: Path) -> int:
    """How many bytes the files in a folder have that somebody else writes into."""
    size = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            size += path.lstat().st_size
    return size


def _reason(said: Path) -> str:
    lines = said.read_text(errors="replace").splitlines()
    wrong = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return " ".join(wrong or lines[-1:])[:SAID]
