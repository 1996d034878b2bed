"""Tells what a sandbox offers: which modules can be imported in it, and what a job can see and do there."""

from __future__ import annotations

import ctypes
import importlib
import os
import socket
from pathlib import Path
from typing import TypedDict

PLACES = (
    "/",
    "/app",
    "/boot",
    "/dev",
    "/dev/shm",
    "/etc",
    "/guest",
    "/home",
    "/in",
    "/modules",
    "/out",
    "/root",
    "/tmp",
    "/usr",
    "/var",
)
FILES = (
    "/etc/shadow",
    "/etc/passwd",
    "/dev/mem",
    "/dev/kmsg",
    "/proc/kcore",
    "/proc/sysrq-trigger",
    "/var/run/docker.sock",
)
FAMILIES = {"packet": 17, "netlink": 16, "vsock": 40, "bluetooth": 31, "alg": 38}
WHY = 200  # characters of the reason why a module can't be imported
OWN_PROCESSES = 4  # the sandbox's first one or two, the worker, and what counts
CLONE_NEWUSER, PTRACE_TRACEME = 0x10000000, 0
PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, MODE_FILTER, CAPABILITY_VERSION = 39, 21, 2, 0x20080522


class Wanted(TypedDict):
    """Modules by the name of the environment that needs them. `folder`: the node's, which no job may see."""

    environments: dict[str, list[str]]
    folder: str


class Inside(TypedDict):
    """What a job is in here. Of places and doors those that are open to it."""

    is_root: bool
    may_gain: bool
    is_filtered: bool
    capabilities: str
    network: list[str]
    writes: list[str]
    reads: list[str]
    doors: list[str]
    strangers: int


def run(params: Wanted, inputs: str, output: str) -> dict[str, object]:
    """The environments that are whole, what the others miss, and what it is like inside."""
    lacks = {name: _lacking(modules) for name, modules in params["environments"].items()}
    return {
        "environments": [name for name, missing in lacks.items() if not missing],
        "missing": {name: missing for name, missing in lacks.items() if missing},
        "inside": inside(params["folder"]),
    }


def _lacking(modules: list[str]) -> dict[str, str]:
    """Those that can't be imported, and why."""
    found = {}
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as why:  # a broken package is as good as none, whatever it raises
            found[module] = str(why)[:WHY]
    return found


def inside(folder: str) -> Inside:
    """Ask for everything and try every call that is known to do no harm, and say what went well."""
    libc = ctypes.CDLL(None, use_errno=True)
    return {
        "is_root": os.geteuid() == 0 or os.getuid() == 0,
        "may_gain": libc.prctl(PR_GET_NO_NEW_PRIVS, *[ctypes.c_ulong(0)] * 4) != 1,
        "is_filtered": libc.prctl(PR_GET_SECCOMP) == MODE_FILTER,
        "capabilities": "+".join(f"{found:x}" for found in _capabilities(libc) if found),
        "network": sorted(set(_interfaces()) - {"lo"}),
        "writes": [place for place in PLACES if os.access(place, os.W_OK)],
        "reads": [path for path in (*FILES, folder) if _can_read(path)],
        "doors": [*_calls(libc), *(name for name, family in FAMILIES.items() if _can_open(family))],
        "strangers": max(0, len(list(Path("/proc").glob("[0-9]*"))) - OWN_PROCESSES),
    }


def _capabilities(libc: ctypes.CDLL) -> list[int]:
    """Effective, permitted and inheritable; asked of the kernel, since not every one lists them in /proc."""
    held = (ctypes.c_uint32 * 6)()
    if libc.capget((ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), held):
        raise OSError(ctypes.get_errno(), "capget")
    return [held[which] | held[which + 3] << 32 for which in range(3)]


def _interfaces() -> list[str]:
    with open("/proc/net/dev") as file:
        return [line.partition(":")[0].strip() for line in file if ":" in line]


def _can_read(path: str) -> bool:
    try:
        return any(Path(path).iterdir()) if Path(path).is_dir() else os.access(path, os.R_OK)
    except OSError:
        return False


def _can_open(family: int) -> bool:
    try:
        socket.socket(family, socket.SOCK_RAW if family == FAMILIES["packet"] else socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def _calls(libc: ctypes.CDLL) -> list[str]:
    """The system calls that no job needs, and that work here."""
    tries = {
        "unshare": lambda: libc.unshare(CLONE_NEWUSER),
        "mount": lambda: libc.mount(b"none", b"/out", b"tmpfs", 0, None),
        "chroot": lambda: libc.chroot(b"/out"),
        "ptrace": lambda: libc.ptrace(PTRACE_TRACEME, 0, None, None),
        "setuid": lambda: libc.setuid(0),
    }
    return [name for name, call in tries.items() if call() == 0]
