"""What no test may leave behind: failures nobody heard of, ERROR lines, threads, processes, files, a busy reactor."""

from __future__ import annotations

import gc
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

LOUD = (LogLevel.error, LogLevel.critical)
FILES = Path("/proc/self/fd")
PROCESSES = Path("/proc")
SPARE = ("/dev/", "pipe:", "anon_inode:", "/proc/", "/memfd:")  # the interpreter's own; sockets and files are ours
ITS_OWN = "twisted.internet._signals"  # what a reactor wakes itself with, from its start on


class Left(NamedTuple):
    """What is there at one moment."""

    threads: frozenset[threading.Thread]
    children: frozenset[int]
    files: frozenset[tuple[str, str]]
    calls: frozenset[object]
    readers: frozenset[object]


@implementer(ILogObserver)
class Watchdog:
    """Listens to the log between `start` and `stop`. `allow` declares what is expected to be said."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        self._before = Left(frozenset(), frozenset(), frozenset(), frozenset(), frozenset())

    def allow(self, pattern: str) -> None:
        """Lines that this regular expression is found in are no fault."""
        self._allowed.append(re.compile(pattern))

    def __call__(self, event: LogEvent) -> None:
        """A line of the log."""
        if "log_failure" in event:
            self._said.append(f"{formatEvent(event)}\n{event['log_failure'].getTraceback(detail='brief')}")
        elif event.get("log_level") in LOUD:
            self._said.append(formatEvent(event))

    def start(self) -> None:
        """Begin."""
        self._before = left()
        globalLogPublisher.addObserver(self)

    def stop(self) -> list[str]:
        """End, and say what was wrong in the log. A second time there is nothing."""
        gc.collect()  # a Deferred says that nobody heard of its failure when it is garbage
        globalLogPublisher.removeObserver(self)
        said, self._said = self._said, []
        return [text for text in said if not any(pattern.search(text) for pattern in self._allowed)]

    def leaks(self) -> list[str]:
        """What is there now, and was not when this began."""
        threads = left().threads - self._before.threads
        return [*(f"a thread goes on: {thread.name}" for thread in threads), *added(self._before)]


@contextmanager
def watched() -> Iterator[Watchdog]:
    """Watch a block. Raises AssertionError at its end, with all that was wrong, unless the block failed itself."""
    dog = Watchdog()
    dog.start()
    try:
        yield dog
    except BaseException:
        dog.stop()
        raise
    wrong = [*dog.stop(), *dog.leaks()]
    assert not wrong, "\n".join(wrong)


def added(before: Left) -> list[str]:
    """What is there beside what was before; but for threads, as those of pools stay."""
    now = left()
    if now.files - before.files:
        gc.collect()  # what is garbage is closed by that; urllib3 waits for it after a time-out
        now = left()
    return [
        *(f"a process goes on: {pid}" for pid in sorted(now.children - before.children)),
        *(f"a file is open: {name}{_ends(fd, name)}" for fd, name in sorted(now.files - before.files)),
        *(f"the reactor is to call: {call}" for call in now.calls - before.calls),
        *(f"the reactor reads from: {reader}" for reader in now.readers - before.readers),
    ]


def _ends(fd: str, name: str) -> str:
    """Of a socket, where it is and where it leads to."""
    if not name.startswith("socket:"):
        return ""
    try:
        with socket.socket(fileno=os.dup(int(fd))) as sock:
            here = sock.getsockname()
            with suppress(OSError):  # it leads nowhere
                return f" at {here}, to {sock.getpeername()}"
            return f" at {here}"
    except OSError:  # it is closed by now
        return ""


def left() -> Left:
    """Threads, children and open files of this process, as they are now, and what its reactor has to do."""
    threads = frozenset(thread for thread in threading.enumerate() if thread.is_alive())
    reactor = sys.modules.get("twisted.internet.reactor")  # whoever needs none shall not get one by this
    calls: Sequence[object] = [call.func for call in reactor.getDelayedCalls()] if reactor else ()
    found: Sequence[object] = reactor.getReaders() if reactor else ()
    readers = [reader for reader in found if type(reader).__module__ != ITS_OWN]
    return Left(threads, frozenset(children()), frozenset(_files()), frozenset(calls), frozenset(readers))


def children() -> Iterator[int]:
    """This process's own, by their numbers."""
    me = str(os.getpid())
    for status in PROCESSES.glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:  # it has ended meanwhile
            continue
        if text.rpartition(") ")[2].split()[1] == me:
            yield int(status.parent.name)


def _files() -> Iterator[tuple[str, str]]:
    for entry in FILES.glob("*"):
        try:
            name = str(entry.readlink())
        except OSError:  # the folder's own, which is closed by now
            continue
        if not name.startswith(SPARE):
            yield entry.name, name
