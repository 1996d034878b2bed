"""What a process and all that it started take of this machine, as Linux tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MAX_LOOKED_AT = 1_024  # processes; a sandbox has a lower limit of its own


class Usage(NamedTuple):
    """`cpu_ticks`: with those of children that ended. `io_bytes`: read and written, pipes included, as far as shown."""

    memory_bytes: int = 0
    cpu_ticks: int = 0
    io_bytes: int = 0


def family(*pids: int) -> Iterator[Path]:
    """The folders in /proc of processes and their descendants."""
    todo, looked_at = [pid for pid in pids if pid], 0
    while todo and looked_at < MAX_LOOKED_AT:
        looked_at += 1
        process = Path("/proc", str(todo.pop()))
        yield process
        with suppress(OSError, ValueError):
            for thread in (process / "task").iterdir():
                todo += [int(child) for child in (thread / "children").read_bytes().split()]


def usage(*pids: int) -> Usage:
    """What processes and their descendants take; nothing for what is gone."""
    memory = ticks = moved = 0
    for process in family(*pids):
        with suppress(OSError, IndexError, ValueError):
            memory += int((process / "statm").read_bytes().split()[1]) * PAGE_BYTES
            fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
            moved += sum(int(line.split()[1]) for line in (process / "io").read_bytes().splitlines()[:2])
    return Usage(memory, ticks, moved)
