"""What a job takes of the disk: measured while it runs, and given back afterwards."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from golem.errors import Refused
from golem.node.collect import MAX_DEPTH, MAX_FILES, open_folder

BLOCK_BYTES = 512  # of st_blocks, on every file system
SPARE_BYTES = 8 << 10  # per file: what a name and the last, half empty block take
SEEN_FOLDER = 0o755
SEEN_FILE = 0o644

Aside = Callable[[Callable[[], object]], Awaitable[object]]
"""Does what may keep a disk busy for long where it holds up nothing else: in a thread."""


async def at_once(work: Callable[[], object]) -> None:
    """The Aside of a node whose time is not real."""
    work()


def is_empty(folder: Path) -> bool:
    """Whether a job has left no file in its folder. Raises Refused where there is no such folder any more."""
    opened = open_folder(folder)
    try:
        with os.scandir(opened) as entries:
            return next(entries, None) is None
    finally:
        os.close(opened)


class Measured(NamedTuple):
    """What a folder holds: bytes on disk, and plain files."""

    bytes: int = 0
    files: int = 0


def measure(folder: Path, limit_bytes: int) -> Measured:
    """What a folder holds that a job writes into right now.

    Raises Refused past `limit_bytes`, and past the files and depth that a result may have. What a program swaps
    meanwhile leads nowhere: folders are opened from their parent, without following links.
    """
    found = _Found(limit_bytes)
    opened = open_folder(folder)
    try:
        found.add(opened, 0)
    finally:
        os.close(opened)
    return Measured(found.bytes, found.plain)


class _Found:
    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._files = 0
        self.bytes = 0
        self.plain = 0

    def add(self, folder: int, depth: int) -> None:
        if depth > MAX_DEPTH + 1:  # the folder of all the worker's results is one more
            raise Refused(f"the job made folders more than {MAX_DEPTH} deep")
        with os.scandir(folder) as entries:
            for entry in entries:
                self._count(entry)
                self.plain += entry.is_file(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    self._enter(folder, entry.name, depth)

    def _count(self, entry: os.DirEntry[str]) -> None:
        self._files += 1
        try:
            self.bytes += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
        except FileNotFoundError:
            return
        if (
            self.bytes > self._limit_bytes + self._files * 2 * BLOCK_BYTES * 8
        ):  # a small file takes a block, a folder too
            raise Refused(f"the job wrote more than {self._limit_bytes >> 20} MiB")
        if self._files > MAX_FILES:
            raise Refused(f"the job made more than {MAX_FILES} files")

    def _enter(self, folder: int, name: str, depth: int) -> None:
        try:
            opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return  # gone, swapped, or shut to us: what is in it is refused when it is collected
        try:
            self.add(opened, depth + 1)
        finally:
            os.close(opened)


def free_bytes(folder: str) -> int:
    """What is free on the disk of a folder, for this user."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def show(path: Path) -> None:
    """Let every user of this machine, and so a worker, read a file or folder, whatever the node's umask is."""
    found = [path, *path.rglob("*")] if path.is_dir() else [path]
    for each in found:
        each.chmod(SEEN_FOLDER if each.is_dir() else SEEN_FILE)


def clear(path: Path) -> None:
    """Remove a file or a folder, whatever rights a job left on it; nothing, where there is none."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        rmtree(path)
    except OSError:
        for folder, names, _ in os.walk(path):
            for name in names:
                _unlock(Path(folder, name))
        rmtree(path, ignore_errors=True)


def _unlock(folder: Path) -> None:
    """Give its owner the rights to empty a folder; a link is none."""
    with suppress(OSError):
        opened = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            Path(f"/proc/self/fd/{opened}").chmod(0o700)
        finally:
            os.close(opened)
