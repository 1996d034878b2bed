"""Processes and containers that outlive the nodes that began them."""

from __future__ import annotations

import ctypes
import os
import select
import signal
from pathlib import Path

from golem.adapters.docker import end_workers
from golem.testing.watchdog import PROCESSES, children

SUBREAPER = 36  # prctl(2): who loses its parent becomes our child
END_MS = 5_000  # what is about to end has so long


class Orphans:
    """From its making on, processes that lose their parent become children of this one, and so are found.

    `folder`: of the nodes whose containers are looked for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        self._before = frozenset(children())

    def end(self, limit_ms: int = END_MS) -> list[str]:
        """Wait for those that are about to end; end the others, and name them."""
        wrong = [f"a container goes on: {name}" for name in end_workers(str(self._folder))]
        while found := sorted(frozenset(children()) - self._before):
            for pid in found:
                if not _has_ended(pid, limit_ms):
                    wrong.append(f"a process goes on: {pid} {_command(pid)}")
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        ctypes.CDLL(None).prctl(SUBREAPER, 0, 0, 0, 0)
        return wrong


def _has_ended(pid: int, limit_ms: int) -> bool:
    handle = os.pidfd_open(pid)
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        return bool(waiting.poll(limit_ms))
    finally:
        os.close(handle)


def _command(pid: int) -> str:
    return (PROCESSES / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
