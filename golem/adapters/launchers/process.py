"""A worker that is a child process of the node, whatever is around it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport, IReactorTime
from twisted.internet.process import Process
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.errors import ExecutorFault
from golem.interfaces import IGuest, IGuestHearer

LOG_BURST_BYTES = 64 << 10  # a program that prints without end gets 640 KiB/s of the node's time, no more
LOG_PAUSE_S = 0.1
STDIN, STDERR = 0, 2
MARK = "GOLEM_WORKER"
"""In the environment of a worker that nothing keeps apart: the folder of its room, by which all it started is found."""


@implementer(IGuest)
class ProcessGuest(ProcessProtocol):
    """`inputs`, `output`: where the worker sees its folders. `kill` ends the child alone."""

    def __init__(self, hearer: IGuestHearer, clock: IReactorTime, inputs: str, output: str) -> None:
        self._hearer = hearer
        self._clock = clock
        self._logged = 0
        self._is_shut = False
        self.inputs = inputs
        self.output = output
        self.pid = 0

    def connectionMade(self) -> None:
        """It has started."""
        self.pid = self.process.pid or 0

    @property
    def process(self) -> IProcessTransport:
        """The process. Raises ExecutorFault before it has started."""
        if self.transport is None:
            raise ExecutorFault("the sandbox has not started")
        return self.transport

    def outReceived(self, data: bytes) -> None:
        """An answer, or a part of it."""
        self._hearer.said(data)

    def errReceived(self, data: bytes) -> None:
        """Some of the log."""
        self._hearer.logged(data)
        self._logged += len(data)
        if self._logged >= LOG_BURST_BYTES:
            self._logged = 0
            self._read_log(is_wanted=False)
            self._clock.callLater(LOG_PAUSE_S, self._read_log, is_wanted=True)

    def _read_log(self, *, is_wanted: bool) -> None:
        """Read the log, or leave it for a while: who prints faster waits, as the pipe is full."""
        if isinstance(self.transport, Process) and (pipe := self.transport.pipes.get(STDERR)) is not None:
            (pipe.startReading if is_wanted else pipe.stopReading)()

    def inConnectionLost(self) -> None:
        """The sandbox is ending; `processEnded` comes next."""
        self._is_shut = True

    def processEnded(self, reason: Failure) -> None:
        """It is gone."""
        self.pid = 0
        code = getattr(reason.value, "exitCode", None)
        signal = getattr(reason.value, "signal", None)
        self._hearer.ended(f"killed by signal {signal}" if signal else f"exit code {code}", False)

    def write(self, data: bytes) -> None:
        """Send to standard input."""
        if self.pid and not self._is_shut:
            self.process.writeToChild(STDIN, data)

    def kill(self) -> None:
        """End it."""
        with suppress(ProcessExitedAlready):
            if self.pid:
                self.process.signalProcess(SIGKILL)


def own(folder: str) -> list[int]:
    """The workers of the room `folder`, or of rooms in it: by their mark, or by what bubblewrap mounts."""
    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if _is_own(process, folder)]


def _is_own(process: Path, folder: str) -> bool:
    try:
        marks = (process / "environ").read_bytes().split(b"\0")
        program, *words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # gone, or another user's
    if Path(os.fsdecode(program)).name == "bwrap":
        return any(word.startswith(f"{folder}/".encode()) for word in words)
    mark = f"{MARK}={folder}".encode()
    return any(entry == mark or entry.startswith(mark + b"/") for entry in marks)


def sweep(folder: str) -> int:
    """End the workers of rooms in `folder`; how many processes that were."""
    found = own(folder)
    for pid in found:
        with suppress(OSError):
            os.kill(pid, SIGKILL)
    return len(found)
