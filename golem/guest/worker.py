"""Runs a template's programs, one job after another, inside a sandbox. Standard library only.

Reads jobs as JSON lines from standard input, answers each with one JSON line on what was standard output:
    {"job": id, "program": "render", "params": {...}, "inputs": "/in/…", "output": "/out/…"}
    {"job": id, "ok": true, "report": {...}}  or  {"job": id, "ok": false, "error": "…", "memory": bool}
What a program prints goes to standard error, the job's log. A program is a module in the first of the folders that the
command line names (`/app` in a sandbox; the next may hold modules that it needs), imported once, with
`run(params, inputs, output) -> report`, where `output` is an empty folder; it may keep what it loaded for the next job
of the same task.

Whatever made the sandbox, the kernel's more dangerous doors are shut here, before any program is read: a filter on
system calls, which all that a program starts inherits and nothing takes off again (docs/security.md, Sandbox).
"""

from __future__ import annotations

import _thread
import ctypes
import importlib
import json
import os
import select
import struct
import sys

TYPE_CHECKING = False  # what type checkers know of; importing typing itself would take a third of a sandbox's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypedDict

    class Order(TypedDict):
        """A job, as the node tells it."""

        job: str
        program: str
        params: dict[str, object]
        inputs: str
        output: str

    Call = Callable[[Order], object]


INSTALL = "; have it installed for the Python, or in the image, that jobs run by"
MAX_REPORT_BYTES = 4096  # the same bound as golem.model.spec.MAX_REPORT_BYTES

PR_SET_SECCOMP, MODE_FILTER = 22, 2
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000  # the last with an errno
EPERM, ENOSYS, EOPNOTSUPP, EAFNOSUPPORT = 1, 38, 95, 97
LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF, 32 bits wide
NUMBER_AT, ARCH_AT, ARGUMENT_AT = 0, 4, 16  # in struct seccomp_data, where a word's low half comes first
NEW_NAMESPACES = 0x7E020000  # CLONE_NEW*: a namespace of one's own brings rights over what it separates
FAMILIES = (1, 2, 10)  # unix, internet: a network namespace does not hold the others, as AF_VSOCK
X32 = 0x40000000  # the same calls by other numbers

# io_uring 3, pidfd_getfd, the new mount calls 8, userfaultfd's like: numbered alike everywhere since 2019
NEW_CALLS = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 443)
CLONE3 = 435  # its flags lie in memory, where no filter sees them; the C library falls back to clone
ARCHITECTURES = {  # by machine: audit number, clone, socket, fallocate, and calls that no job needs, in this order:
    # mount umount2 pivot_root chroot setns unshare · ptrace process_vm_readv process_vm_writev
    # keyctl add_key request_key · bpf perf_event_open userfaultfd · init_module finit_module delete_module
    # kexec_load kexec_file_load name_to_handle_at open_by_handle_at acct swapon swapoff reboot syslog quotactl
    "x86_64": (0xC000003E, 56, 41, 285, (165, 166, 155, 161, 308, 272, 101, 310, 311, 250, 248, 249, 321, 298, 323,
                                    175, 313, 176, 246, 320, 303, 304, 163, 167, 168, 169, 103, 179)),
    "aarch64": (0xC00000B7, 220, 198, 47, (40, 39, 41, 51, 268, 97, 117, 270, 271, 219, 217, 218, 280, 241, 282,
                                       105, 273, 106, 104, 294, 264, 265, 89, 224, 225, 142, 116, 60)),
}  # fmt: skip


def call_filter(machine: str) -> bytes:
    """The filter as the kernel reads it. Raises KeyError for a machine whose numbers are not known."""
    arch, clone, socket, reserve, calls = ARCHITECTURES[machine]

    def step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, when_true, when_false, value)

    program = [step(LOAD, ARCH_AT), step(IF_EQUAL, arch, 1), step(RETURN, KILL), step(LOAD, NUMBER_AT)]
    program += [step(IF_AT_LEAST, X32, 0, 1), step(RETURN, REFUSE | ENOSYS)]
    program += [step(IF_EQUAL, CLONE3, 0, 1), step(RETURN, REFUSE | ENOSYS)]
    # reserves a disk in less time than it takes to look; the C library writes zeros instead, and can be seen to
    program += [step(IF_EQUAL, reserve, 0, 1), step(RETURN, REFUSE | EOPNOTSUPP)]
    for call in (*calls, *NEW_CALLS):
        program += [step(IF_EQUAL, call, 0, 1), step(RETURN, REFUSE | EPERM)]
    program += [step(IF_EQUAL, clone, 0, 4), step(LOAD, ARGUMENT_AT), step(IF_ANY_BIT, NEW_NAMESPACES, 0, 1)]
    program += [step(RETURN, REFUSE | EPERM), step(RETURN, ALLOW)]
    program += [step(IF_EQUAL, socket, 1), step(RETURN, ALLOW), step(LOAD, ARGUMENT_AT)]
    for family in FAMILIES:
        program += [step(IF_EQUAL, family, 0, 1), step(RETURN, ALLOW)]
    return b"".join((*program, step(RETURN, REFUSE | EAFNOSUPPORT)))


def confine() -> None:
    """Give up the calls that no job needs. Raises OSError or KeyError where that fails; then no job may run."""
    rules = call_filter(os.uname().machine)
    held = ctypes.create_string_buffer(rules, len(rules))
    program = struct.pack("@HP", len(rules) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(MODE_FILTER), program, ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), "seccomp")


def python(job: Order) -> object:
    """Call a job's program, a module of Python's."""
    return importlib.import_module(job["program"]).run(job["params"], job["inputs"], job["output"])


class Desk:
    """Serves one job after another, each by `call`. What it does for each is little, as jobs may be of microseconds."""

    def __init__(self, call: Call = python) -> None:
        self._call = call
        self._output = ""

    def answer(self, line: bytes) -> bytes:
        """Run one job and say what came of it."""
        job = json.loads(line)
        try:
            report = self._run(job)
            return f'{{"job":"{job["job"]}","ok":true,"report":{report}}}\n'.encode()
        except MemoryError:
            said = {"error": "out of memory", "memory": True}
        except (Exception, SystemExit) as why:
            sys.excepthook(type(why), why, why.__traceback__)
            way_out = INSTALL if isinstance(why, ModuleNotFoundError) else ""
            said = {"error": f"{type(why).__name__}: {why}"[:2000] + way_out}
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return json.dumps({"job": job["job"], "ok": False, **said}).encode() + b"\n"

    def _run(self, job: Order) -> str:
        output = job["output"]
        if output != self._output:  # else the last job put nothing there
            os.mkdir(output)  # noqa: PTH102 - pathlib would take a tenth of a sandbox's start
            self._output = output
        report = self._call(job)
        text = json.dumps({} if report is None else report, separators=(",", ":"), allow_nan=False)
        if len(text) > MAX_REPORT_BYTES:
            raise ValueError(f"the report has {len(text)} bytes, more than {MAX_REPORT_BYTES}")
        return text


def end_with_the_node(orders: int) -> None:
    """Wait until whoever sends orders is gone, and end in the midst of all; a container does not by itself."""
    door = select.poll()
    door.register(orders, 0)  # a hang-up is told unasked
    door.poll()
    os._exit(1)


def serve(call: Call = python) -> None:
    """Serve jobs until there are no more."""
    confine()
    _thread.start_new_thread(end_with_the_node, (os.dup(0),))
    jobs = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    desk = Desk(call)
    for line in jobs:
        answers.write(desk.answer(line))


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    serve()
