"""A thousand strangers that drip, fall silent or announce gigabytes cost a node little, and not for long."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

COUNT = 1_000
SAYING = (b"", b"\x16", b"\x16\x03\x01\xff\xff")  # nothing; a byte now and then; the largest record there is
MOST_KIB = 8 << 10  # 2.5 to 4.2 MiB were seen, the most beside other work; each of their handshakes holds tens of KiB
CLOSED_S = 11.0 + 5.0  # ten for the handshake; the rest for a machine that has other work
ROOT = Path(__file__).parents[2]

NODE = """
import sys
from twisted.internet import reactor
from golem.net.identity import Identity
from golem.net.network import Network
from golem.net.tls import TlsCarrier
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
identity = Identity(FixedKeyring("bob"), "devnet", "127.0.0.1:0", "", lambda: ":8080", lambda: "epoch")
network = Network(TlsCarrier(reactor, reactor), reactor, identity, MemoryHearer(), SeededEntropy("bob"))
network.startService().addCallback(lambda _: print(network.address, flush=True))
reactor.run()
"""


def resident_kib(pid: int) -> int:
    fields = Path(f"/proc/{pid}/status").read_text().split()
    return int(fields[fields.index("VmRSS:") + 1])


def dial(place: tuple[str, int]) -> socket.socket:
    line = socket.create_connection(place, timeout=10)
    line.setblocking(False)
    return line


def is_closed(line: socket.socket) -> bool:
    try:
        return line.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def drip(lines: dict[socket.socket, bytes]) -> dict[socket.socket, bytes]:
    """Let each say its piece; those that are still open."""
    left = {}
    for line, said in lines.items():
        with suppress(OSError):
            line.send(said)
        if is_closed(line):
            line.close()
        else:
            left[line] = said
    return left


def test_a_thousand_strangers_cost_a_few_mebibytes_and_are_gone_in_time() -> None:
    node = subprocess.Popen(
        [sys.executable, "-c", NODE], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    try:
        assert node.stdout is not None
        host, _, port = node.stdout.readline().strip().rpartition(":")
        place = (host, int(port))
        first = {dial(place): b"GET / HTTP/1.1\r\n\r\n" for _ in range(100)}
        while first:  # what a first crowd costs is code
            first = drip(first)
            time.sleep(0.1)
        before = most = resident_kib(node.pid)
        lines = {}
        for number in range(COUNT):
            lines[dial(place)] = SAYING[number % len(SAYING)]
            most = max(most, resident_kib(node.pid))
        began = time.monotonic()
        while lines and time.monotonic() - began < CLOSED_S:
            lines = drip(lines)
            most = max(most, resident_kib(node.pid))
            time.sleep(0.25)
        assert not lines, f"{len(lines)} are still open"
        assert most - before <= MOST_KIB, f"{most - before} KiB"
    finally:
        node.kill()
        node.wait()
