"""The filter of system calls: what it says of each, on every machine it is for, and that the kernel keeps to it."""

from __future__ import annotations

import errno
import os
import platform
import struct
from runpy import run_path

import pytest
from twisted.internet.defer import Deferred

from golem.node.worker import WORKER
from golem.testing.contract_executor import Bench

GUEST = run_path(WORKER, run_name="guest")
ALLOW, KILL = 0x7FFF0000, 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {  # from the kernel's tables: read, clone, socket, fallocate, mount, setns, ptrace, bpf, keyctl
    "x86_64": (0, 56, 41, 285, 165, 308, 101, 321, 250),
    "aarch64": (63, 220, 198, 47, 40, 268, 117, 280, 219),
}
NEW_USER, NEW_NET, THREAD = 0x10000000, 0x40000000, 0x3D0F00  # CLONE_NEWUSER, CLONE_NEWNET, what a thread is made with


def refused(code: int) -> int:
    return 0x00050000 | code


def verdict(machine: str, call: int, argument: int = 0, arch: int | None = None) -> int:
    """What the filter returns, by the rules of BPF."""
    audit = AUDIT[machine] if arch is None else arch
    data = struct.pack("<IIQ6Q", call, audit, 0, argument, 0, 0, 0, 0, 0)
    program = list(struct.iter_unpack("=HBBI", GUEST["call_filter"](machine)))
    at = held = 0
    while True:
        code, when_true, when_false, value = program[at]
        at += 1
        if code == 0x20:
            (held,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return int(value)
        else:
            is_so = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
            at += when_true if is_so else when_false


@pytest.mark.parametrize("machine", AUDIT)
def test_what_no_job_needs_is_refused_and_the_rest_allowed(machine: str) -> None:
    read, clone, _, reserve, *dangerous = NUMBERS[machine]
    assert verdict(machine, read) == verdict(machine, clone, THREAD) == ALLOW
    assert {verdict(machine, call) for call in dangerous} == {refused(errno.EPERM)}
    assert {verdict(machine, clone, THREAD | flag) for flag in (NEW_USER, NEW_NET)} == {refused(errno.EPERM)}
    assert verdict(machine, 435) == refused(errno.ENOSYS)
    assert verdict(machine, reserve) == refused(errno.EOPNOTSUPP)
    assert {verdict(machine, call) for call in (425, 428, 442)} == {refused(errno.EPERM)}


@pytest.mark.parametrize("machine", AUDIT)
def test_only_sockets_that_a_network_namespace_holds_are_made(machine: str) -> None:
    socket = NUMBERS[machine][2]
    allowed = [family for family in range(46) if verdict(machine, socket, family) == ALLOW]
    assert allowed == [1, 2, 10]
    assert verdict(machine, socket, 40) == refused(errno.EAFNOSUPPORT)


def test_the_calls_of_another_machine_end_the_program() -> None:
    assert verdict("x86_64", 0, arch=0x40000003) == verdict("aarch64", 63, arch=0x40000028) == KILL
    assert verdict("x86_64", 0x40000000) == refused(errno.ENOSYS)


def test_on_a_machine_whose_numbers_are_not_known_nothing_runs() -> None:
    with pytest.raises(KeyError):
        GUEST["call_filter"]("m68k")


def test_the_kernel_keeps_to_it_in_all_that_a_program_starts(bench: Bench) -> Deferred[None]:
    calls = dict(zip(("mount", "setns", "ptrace", "bpf", "keyctl"), NUMBERS[platform.machine()][4:], strict=True))
    calls |= {"io_uring": 425, "clone3": 435}

    async def test() -> None:
        found = await bench.report(
            """
            import ctypes, json, os, socket, subprocess, sys, threading
            SOURCE = '''
            import ctypes, json, sys
            libc = ctypes.CDLL(None, use_errno=True)
            def call(number):
                return ctypes.get_errno() if libc.syscall(number, 0, 0, 0, 0, 0) < 0 else 0
            print(json.dumps({name: call(number) for name, number in json.loads(sys.argv[1]).items()}))
            '''.replace("\\n            ", "\\n")
            def run(params, inputs, output):
                command = [sys.executable, "-c", SOURCE, json.dumps(params["calls"])]
                said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
                ran = threading.Thread(target=said.update, args=({"thread": 0},))
                ran.start()
                ran.join()
                try:
                    socket.socket(40)
                except OSError as why:
                    said["vsock"] = why.errno
                return said
            """,
            calls=calls,
        )
        expected = dict.fromkeys(calls, errno.EPERM) | {
            "clone3": errno.ENOSYS,
            "vsock": errno.EAFNOSUPPORT,
            "thread": 0,
        }
        assert found == expected

    return Deferred.fromCoroutine(test())


def test_it_is_no_larger_than_the_kernel_takes() -> None:
    for machine in AUDIT:
        size = len(GUEST["call_filter"](machine))
        assert size % 8 == 0
        assert size // 8 <= 4096
    assert os.uname().machine in AUDIT
