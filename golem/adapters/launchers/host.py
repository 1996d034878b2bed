"""ILauncher by nothing at all: a worker is a process with all the rights of the node, and a folder to work in.

For machines where nothing keeps jobs apart, or templates that no sandbox suits, and for requestors whom the provider
trusts as itself: the configuration needs a flag that says so, and a list of the templates.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from shutil import which
from signal import SIGKILL

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from golem.adapters.launchers.process import MARK, ProcessGuest, sweep
from golem.errors import ExecutorFault
from golem.interfaces import Berth, IGuest, IGuestHearer, ILauncher
from golem.model.spec import Limits

TOOLS = ("setpriv", "prlimit")  # of util-linux: the one ends a worker with its node, the other limits its files


class _Guest(ProcessGuest):
    """A worker, and all that it started."""

    def __init__(self, hearer: IGuestHearer, clock: IReactorTime, berth: Berth) -> None:
        super().__init__(hearer, clock, berth.inputs, berth.output)
        self._room = berth.room

    def processEnded(self, reason: Failure) -> None:
        """It is gone; what it started goes, too."""
        sweep(self._room)
        super().processEnded(reason)

    def kill(self) -> None:
        """End it and all that it started, which may start more meanwhile: it is ended again once the worker is gone."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, SIGKILL)
            sweep(self._room)


@implementer(ILauncher)
class HostLauncher:
    """Workers that nothing keeps apart. `python`: the interpreter whose modules jobs may import."""

    tier = "host"
    takes_images = False
    is_wasm = False

    def __init__(self, reactor: IReactorProcess, python: str = sys.executable) -> None:
        self._reactor = reactor
        self._python = python

    def check(self, rooms: str) -> Deferred[None]:
        """See to the tools."""
        return Deferred.fromCoroutine(self._check(rooms))

    async def _check(self, rooms: str) -> None:
        for tool in TOOLS:
            if which(tool) is None:
                raise ExecutorFault(f"{tool} is not installed: apt-get install util-linux")
        sweep(rooms)

    def worker(self, berth: Berth, limits: Limits) -> list[str]:
        """The script that serves jobs, and its arguments."""
        return [berth.worker, berth.program, *filter(None, (berth.modules,))]

    def launch(self, berth: Berth, limits: Limits, hearer: IGuestHearer) -> Deferred[IGuest]:
        """Start a worker."""
        return Deferred.fromCoroutine(self._launch(berth, limits, hearer))

    async def _launch(self, berth: Berth, limits: Limits, hearer: IGuestHearer) -> IGuest:
        own = Path(berth.room, "tmp")
        own.mkdir(exist_ok=True)
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(own), "TMPDIR": str(own), "LANG": "C.UTF-8", MARK: berth.room}
        command = ["setpriv", "--pdeathsig", "KILL", "prlimit", "--core=0", f"--fsize={limits.output_bytes}"]
        command += [self._python, "-I", "-B", *self.worker(berth, limits)]
        guest = _Guest(hearer, IReactorTime(self._reactor), berth)
        try:
            self._reactor.spawnProcess(guest, which("setpriv") or "setpriv", command, env=environ, path=str(own))
        except OSError as why:
            raise ExecutorFault(f"the worker can't be started: {why}") from why
        return guest
