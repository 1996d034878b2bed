"""Programs of strangers that try everything, in the real sandbox. They reach their own room and no more."""

from __future__ import annotations

import os
import re
import socket
import sys
from contextlib import closing
from pathlib import Path
from shutil import which

import pytest
from twisted.internet.task import LoopingCall

from golem.adapters.launchers.bubblewrap import FIRST_UID, UIDS
from golem.model.ids import derive
from golem.model.spec import MAX_LOG_BYTES, Limits, Status
from golem.node.memory import usage
from golem.testing.contract_executor import MIB, Bench, processes_with
from tests.hostile.waiting import waited

pytestmark = pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap")


PROBE = """
    import os, socket
    def run(params, inputs, output):
        status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
        mounts = [line.split()[4:6] for line in open("/proc/self/mountinfo")]
        return {
            "uid": status["Uid"].split(), "gid": status["Gid"].split(), "groups": status["Groups"].split(),
            "caps": [status[name].strip() for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")],
            "nnp": status["NoNewPrivs"].strip(), "filter": status["Seccomp"].strip(),
            "writable": [where for where, how in mounts if how.split(",")[0] == "rw"],
            "root": sorted(os.listdir("/")),
            "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]],
            "processes": [int(name) for name in os.listdir("/proc") if name.isdigit()],
            "environ": sorted(os.environ), "host": socket.gethostname(),
        }
"""
TRIES = """
    import os, socket
    def attempt(what, *args):
        try:
            return str(what(*args))[:200]
        except OSError as why:
            return type(why).__name__
    def read(path):
        with open(path, "rb") as file:
            return file.read(100)
    def write(path):
        with open(path, "wb") as file:
            return file.write(b"mine")
    def connect(family, address):
        with socket.socket(family) as line:
            line.settimeout(0.5)
            line.connect(address)
    def run(params, inputs, output):
        said = {"read " + path: attempt(read, path) for path in params["read"]}
        said |= {"list " + path: attempt(os.listdir, path) for path in params["list"]}
        said |= {"write " + path: attempt(write, path) for path in params["write"]}
        for host, port in params["hosts"]:
            said["connect " + host] = attempt(connect, socket.AF_INET, (host, port))
        said["abstract"] = attempt(connect, socket.AF_UNIX, "\\0" + params["abstract"])
        said["kill"] = attempt(os.kill, params["pid"], 0)
        said["root"] = attempt(os.setuid, 0)
        return said
"""


@waited
async def test_a_program_has_no_rights_no_network_and_two_places_to_write(bench: Bench) -> None:
    found = await bench.report(PROBE)
    uids = found["uid"]
    assert isinstance(uids, list) and len(set(uids)) == 1 and uids == found["gid"]
    assert FIRST_UID <= int(uids[0]) < FIRST_UID + UIDS if os.geteuid() == 0 else int(uids[0]) == os.geteuid()
    assert os.geteuid() or found["groups"] == []
    caps = found["caps"]
    assert isinstance(caps, list)
    assert caps[0] == caps[1] == caps[2] == caps[4] == "0" * 16
    assert os.geteuid() or caps[3] == "0" * 16
    assert found["nnp"] == "1"
    assert found["filter"] == "2"
    assert found["interfaces"] == ["lo"]
    assert found["environ"] == ["HOME", "LANG", "PATH", "PWD", "TMPDIR"]
    assert found["host"] == "job"
    processes = found["processes"]
    assert isinstance(processes, list) and len(processes) <= 3  # bubblewrap's own, and the worker
    writable = found["writable"]
    assert isinstance(writable, list)
    devices = re.compile(r"/proc\Z|/dev/(null|zero|full|random|urandom|tty|pts)\Z")
    assert {path for path in writable if not devices.match(path)} == {"/tmp", "/dev/shm", "/out"}
    root = found["root"]
    assert isinstance(root, list)
    python = {Path(folder).parts[1] for folder in (sys.prefix, sys.base_prefix)}  # what leads to it is there, empty
    assert ({"root", "home", "var", "sys", "run", "boot", "srv"} & set(root)) - python == set()


@waited
async def test_what_is_not_its_own_it_can_neither_read_nor_write_nor_reach(bench: Bench) -> None:
    secret = bench.folder / "keys" / "node.key"
    secret.parent.mkdir()
    secret.write_text("canary")
    other = bench.folder / "rooms" / "room-99" / "out" / "result"
    other.parent.mkdir(parents=True)
    other.write_text("canary")
    with closing(socket.create_server(("127.0.0.1", 0))) as tcp, closing(socket.socket(socket.AF_UNIX)) as unix:
        name = f"golem-{os.getpid()}"
        unix.bind(f"\0{name}")
        unix.listen()
        port = tcp.getsockname()[1]
        found = await bench.report(
            TRIES,
            read=[
                "/etc/shadow",
                "/etc/passwd",
                "/etc/hostname",
                str(secret),
                str(other),
                "/proc/1/environ",
                "/dev/mem",
                f"/proc/1/root{secret}",
                f"/out/../..{secret}",
                "/in/../etc/shadow",
                "/proc/kcore",
            ],
            list=["/root/.ssh", "/var", "/home", "/work", "/sys", "/run", str(bench.folder)],
            write=[
                "/app/a.py",
                "/in/a",
                "/guest/worker.py",
                "/usr/a",
                "/etc/a",
                "/a",
                "/proc/sys/kernel/core_pattern",
                "/proc/sysrq-trigger",
                "/proc/1/oom_score_adj",
            ],
            hosts=[("127.0.0.1", port), ("169.254.169.254", 80), ("10.0.0.1", 80), ("1.1.1.1", 53)],
            abstract=name,
            pid=os.getpid(),
        )
    refusals = {"PermissionError", "FileNotFoundError", "ConnectionRefusedError", "OSError", "ProcessLookupError"}
    refusals.add("b''")  # bubblewrap's own process in there has no environment to read
    assert {what: answer for what, answer in found.items() if answer not in refusals} == {}
    assert len(found) == 34  # all of them were tried


@waited
async def test_a_memory_bomb_of_many_processes_is_seen_whole(bench: Bench) -> None:
    outcome = await bench.run(
        """
        import os, time
        def run(params, inputs, output):
            for _ in range(6):
                if os.fork() == 0:
                    kept = b"x" * (60 << 20)
                    time.sleep(60)
            time.sleep(60)
        """,
        Limits(timeout_ms=20_000, memory_bytes=200 * MIB),
    )
    assert outcome.status is Status.OUT_OF_MEMORY, outcome
    assert "200 MiB" in outcome.detail


@waited
async def test_a_flood_of_output_costs_the_node_no_memory(bench: Bench) -> None:
    before = usage(os.getpid()).memory_bytes
    most = 0

    def look() -> None:
        nonlocal most
        own = int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        most = max(most, own)

    looking = LoopingCall(look)
    looking.clock = bench.clock
    looking.start(0.05)
    outcome = await bench.run(
        """
        import os
        def run(params, inputs, output):
            while True:
                os.write(1, b"y" * 65536)
        """,
        Limits(timeout_ms=2_000),
    )
    looking.stop()
    assert outcome.status is Status.TIMEOUT
    assert outcome.log == "y" * MAX_LOG_BYTES
    assert most - before < 16 * MIB


@waited
async def test_what_a_program_leaves_running_ends_with_its_sandbox(bench: Bench) -> None:
    token = derive("left", str(bench.folder))
    await bench.report(
        """
        import os, sys
        def run(params, inputs, output):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.closerange(0, 64)
                    os.execv(sys.executable, [sys.executable, "-c", "while True: pass", params["token"]])
                os._exit(0)
            return {}
        """,
        token=token,
    )
    assert processes_with(token) == []
