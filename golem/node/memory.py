"""How much memory a process and all that it started take, as Linux tells."""

from __future__ import annotations

import os
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MAX_LOOKED_AT = 1_024  # processes; a sandbox has a lower limit of its own


def resident_bytes(pid: int) -> int:
    """Resident memory of `pid` and its descendants, in bytes; 0 for what is gone."""
    total, todo, looked_at = 0, [pid] if pid else [], 0
    while todo and looked_at < MAX_LOOKED_AT:
        looked_at += 1
        process = Path("/proc", str(todo.pop()))
        try:
            total += int((process / "statm").read_bytes().split()[1]) * PAGE_BYTES
            for thread in (process / "task").iterdir():
                todo += [int(child) for child in (thread / "children").read_bytes().split()]
        except (OSError, IndexError, ValueError):
            continue
    return total
