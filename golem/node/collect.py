"""Takes results out of a sandbox's folder by copying, so that no name in it can lead anywhere else.

Every step is opened by `openat2` beneath the folder with no symbolic link, magic link or other mount on the way: with
checks before opening, 42 of 100 tries by a swapping program got through; so, none (docs/security.md, Results).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from golem.errors import Refused
from golem.ipfs.beneath import open_beneath

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,118}\Z")
MAX_DEPTH = 8
MAX_FILES = 10_000
COPY_BYTES = 1 << 20


def _open(folder: int, name: str) -> int:
    try:
        return open_beneath(folder, name, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as why:
        raise Refused(f"the result has {name!r}, {_trouble(folder, name, why)}") from why


def _trouble(folder: int, name: str, why: OSError) -> str:
    """What is wrong with a name that can't be opened: most often what it is."""
    with suppress(OSError):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return _kind(mode)
    return f"which can't be opened: {why.strerror}"


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return f"which is {kinds.get(stat.S_IFMT(mode), 'a device')}, neither a plain file nor a folder"


class _Room:
    """What a result may still take."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self.files = 0

    def take(self, name: str, size: int) -> None:
        self.bytes += size
        self.files += 1
        if self.bytes > self.limit_bytes:
            raise Refused(f"the result has more than {self.limit_bytes} bytes, with {name}")
        if self.files > MAX_FILES:
            raise Refused(f"the result has more than {MAX_FILES} files")


def open_folder(path: Path) -> int:
    """Open the folder in which a job was to leave its result. Raises Refused where it is a folder no more."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as why:
        raise Refused(f"the result is no folder that can be read: {why.strerror}") from why


def collect(source: Path, target: Path, limit_bytes: int) -> int:
    """Copy plain files and folders from `source` into the new folder `target`; how many there were.

    Raises Refused, naming the file and what is wrong with it: a link, a device, a name, a size, a depth.
    """
    room = _Room(limit_bytes)
    folder = open_folder(source)
    try:
        target.mkdir()
        _copy_folder(folder, target, room, 0)
    finally:
        os.close(folder)
    return room.files


def _names(folder: int, room: _Room) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if room.files > MAX_FILES or not NAME.match(entry.name):
                raise Refused(f"the result has a file named {entry.name[:120]!r}; use letters, digits, and ._-")
            yield entry.name


def _copy_folder(folder: int, target: Path, room: _Room, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Refused(f"the result has folders more than {MAX_DEPTH} deep")
    for name in sorted(_names(folder, room)):
        opened = _open(folder, name)
        try:
            what = os.fstat(opened)
            if stat.S_ISDIR(what.st_mode):
                room.take(name, 0)
                (target / name).mkdir()
                _copy_folder(opened, target / name, room, depth + 1)
            elif stat.S_ISREG(what.st_mode):
                room.take(name, what.st_size)
                _copy_file(opened, target / name, name, what.st_size)
            else:
                raise Refused(f"the result has {name!r}, {_kind(what.st_mode)}")
        finally:
            os.close(opened)


def _copy_file(opened: int, target: Path, name: str, size: int) -> None:
    """Copy just as many bytes as were announced; a file that still grows is refused."""
    with target.open("xb") as copy:
        left = size
        while data := os.read(opened, COPY_BYTES):
            left -= len(data)
            if left < 0:
                raise Refused(f"the result has {name!r}, which is still being written")
            copy.write(data)
