"""A local network that stays up after the command that started it, until another command ends it."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import msgspec

from golem.cli.local import STOP_S, LocalNetwork
from golem.errors import ConfigError
from golem.testing.ground import Ground, build
from golem.testing.scenario import Scenario, parse_text

RECORD = "net.json"
USUAL = "nodes: {alice: {role: requestor}, bob: {role: provider, count: 2, takes: 0s}}"


class Process(msgspec.Struct):
    """One of its processes. `began`: in the kernel's ticks, so that another process of the same number is not it."""

    name: str
    pid: int
    began: int


_processes = msgspec.json.Decoder(list[Process])


def usual() -> Scenario:
    """Alice, who asks, and two who provide."""
    return parse_text(USUAL, "usual")


def up(folder: Path, scenario: Scenario, told: Callable[[str], None]) -> LocalNetwork:
    """Start the nodes of a scenario. Raises ConfigError where the folder is there already, Fault where one fails."""
    if (folder / RECORD).exists():
        raise ConfigError(f"a network is up in {folder} already; end it with: golem net down --output {folder}")
    if folder.exists():
        raise ConfigError(f"--output: {folder} is there already; choose a folder that is not")
    network = build(folder, scenario, Ground([member.name for member in scenario.members]))
    try:
        network.start(told)
        found = [Process(name, pid, _began(pid)) for name, pid in network.pids.items()]
        (folder / RECORD).write_bytes(msgspec.json.encode(found))
    except BaseException:
        network.stop()
        rmtree(folder, ignore_errors=True)
        raise
    return network


def down(folder: Path) -> int:
    """End the network in a folder, the nodes first, and remove it; says how many processes there were.

    Raises ConfigError where there is none.
    """
    try:
        found = _processes.decode((folder / RECORD).read_bytes())
    except (OSError, msgspec.MsgspecError) as why:
        raise ConfigError(f"no network is up in {folder} ({why})") from why
    handles = [handle for process in reversed(found) if (handle := _handle(process)) is not None]
    for handle in handles:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGTERM)
    for handle in handles:
        _wait(handle)
    rmtree(folder)
    return len(handles)


def _handle(process: Process) -> int | None:
    """A hold on a process, or None where it has ended."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if _began(process.pid) == process.began:
        return handle
    os.close(handle)
    return None


def _wait(handle: int) -> None:
    """Until it has ended, by force if need be."""
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    if not ended.poll(STOP_S * 1000):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended.poll()
    os.close(handle)


def _began(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])
    except OSError:
        return 0
