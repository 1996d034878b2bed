"""ILauncher by namespaces: bubblewrap shows the worker Python, its berth, and nothing else; no network, no rights.

Where the node runs as root, bubblewrap sets up the mounts as root and the worker becomes a user of its own before it
starts; elsewhere a user namespace does the same. The kernel is shared: docs/security.md says what that means.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which
from signal import SIGCONT, SIGKILL, SIGSTOP

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.utils import getProcessOutputAndValue
from zope.interface import implementer

from golem.adapters.launchers.process import ProcessGuest, sweep
from golem.errors import ExecutorFault
from golem.interfaces import Berth, IGuest, IGuestHearer, ILauncher
from golem.model.spec import Limits

FIRST_UID = 61_000  # Debian gives none of 60,000-65,533 to users
UIDS = 1_000  # a process limit counts all processes of a uid, so each worker has its own
MAX_PROCESSES = 256  # threads count: a renderer takes one per core, and Python's own
MAX_FILES = 1_024
TMP_BYTES = 256 << 20  # memory of the sandbox: renderers cache there
SHM_BYTES = 64 << 20  # as Docker's
CHECK_S = 10.0
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives")
WAY_OUT = (
    "where user namespaces are off, as root: sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000 "
    "kernel.apparmor_restrict_unprivileged_userns=0 (those of them that there are); or use Docker"
)


class _Guest(ProcessGuest):
    """Bubblewrap, and the sandbox that it made."""

    def kill(self) -> None:
        """End the first process of the sandbox, with which the kernel ends all; bubblewrap reports it then, and ends.

        Killed itself, it would leave behind a sandbox that is just being made. Stopped, it makes none.
        """
        with suppress(ProcessExitedAlready):
            if self.pid:
                self.process.signalProcess(SIGSTOP)
                first = _children(self.pid)
                for pid in first:
                    with suppress(ProcessLookupError):
                        os.kill(pid, SIGKILL)
                self.process.signalProcess(SIGCONT if first else SIGKILL)


@implementer(ILauncher)
class BubblewrapLauncher:
    """Workers in namespaces of their own. `python`: the interpreter whose modules jobs may import."""

    tier = "sandbox"
    takes_images = False
    is_wasm = False

    def __init__(self, reactor: IReactorProcess, python: str = sys.executable) -> None:
        self._reactor = reactor
        self._python = python
        self._is_root = os.geteuid() == 0
        self._started = 0

    def check(self, rooms: str) -> Deferred[None]:
        """Try the sandbox with a program that does nothing."""
        return Deferred.fromCoroutine(self._check(rooms))

    async def _check(self, rooms: str) -> None:
        sweep(rooms)
        for tool, package in (("bwrap", "bubblewrap"), ("setpriv", "util-linux"), ("prlimit", "util-linux")):
            if which(tool) is None:
                raise ExecutorFault(f"{tool} is not installed: apt-get install {package}")
        command = [*self._wrap((), 0), which("true") or "/bin/true"]
        trial = getProcessOutputAndValue(command[0], command[1:], env={}, reactor=self._reactor)
        trial.addTimeout(CHECK_S, IReactorTime(self._reactor))
        try:
            _, said, code = await trial
        except (TimeoutError, OSError) as why:
            raise ExecutorFault(f"bubblewrap does not answer: {why}; {WAY_OUT}") from why
        if code:
            raise ExecutorFault(
                f"bubblewrap can't make a sandbox here: {said.decode(errors='replace').strip()}; {WAY_OUT}"
            )

    def launch(self, berth: Berth, limits: Limits, hearer: IGuestHearer) -> Deferred[IGuest]:
        """Start a worker."""
        return Deferred.fromCoroutine(self._launch(berth, limits, hearer))

    async def _launch(self, berth: Berth, limits: Limits, hearer: IGuestHearer) -> IGuest:
        self._started += 1
        uid = FIRST_UID + self._started % UIDS
        if self._is_root:
            os.chown(berth.output, uid, uid)
        binds = [
            ("--ro-bind", berth.program, "/app"),
            ("--ro-bind", berth.inputs, "/in"),
            ("--bind", berth.output, "/out"),
            ("--ro-bind", berth.worker, "/guest/worker.py"),
            *(("--dev-bind", path, path) for path in berth.devices),
            *([("--ro-bind", berth.modules, "/modules")] if berth.modules else ()),
        ]
        confined = [
            *("prlimit", f"--nofile={MAX_FILES}", "--core=0", f"--nproc={MAX_PROCESSES}"),
            f"--fsize={limits.output_bytes}",
        ]
        command = [*self._wrap(binds, uid), *confined, self._python, "-I", "-B", "/guest/worker.py", "/app"]
        command += ["/modules"] if berth.modules else []
        guest = _Guest(hearer, IReactorTime(self._reactor), "/in", "/out")
        try:
            self._reactor.spawnProcess(guest, which(command[0]) or command[0], command, env={}, path=None)
        except OSError as why:
            raise ExecutorFault(f"the sandbox can't be started: {why}") from why
        return guest

    def _wrap(self, binds: Sequence[tuple[str, str, str]], uid: int) -> list[str]:
        """Bubblewrap's command line, up to the command to run in the sandbox."""
        command = ["bwrap", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "job"]
        command += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        command += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
        command += ["--perms", "1777", "--size", str(SHM_BYTES), "--tmpfs", "/dev/shm"]
        for path in (*(p for p in SYSTEM if Path(p).exists()), *self._python_folders()):
            command += [*_parents(path), "--ro-bind", path, path]
        for how, source, target in binds:
            command += [*_parents(target), how, source, target]
        for name, value in (("PATH", "/usr/bin:/bin"), ("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8")):
            command += ["--setenv", name, value]
        # elsewhere a worker that owns its user namespace could fill half of this machine's memory with files
        command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
        if not self._is_root:
            return [*command, "--unshare-user", "--"]
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            command += ["--cap-add", capability]
        become = ["--", "setpriv", "--reuid", str(uid or FIRST_UID), "--regid", str(uid or FIRST_UID), "--clear-groups"]
        return [*command, *become, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]

    def _python_folders(self) -> list[str]:
        folders = {str(Path(sys.prefix)), str(Path(sys.base_prefix)), str(Path(self._python).resolve().parent.parent)}
        return sorted(f for f in folders if not any(Path(f).is_relative_to(p) for p in SYSTEM))


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _parents(path: str) -> Iterator[str]:
    """Make the folders above a mount readable, whatever they are on this machine."""
    for parent in reversed(Path(path).parents):
        if str(parent) not in ("/", "/tmp", "/usr", "/etc"):
            yield from ("--perms", "0755", "--dir", str(parent))
