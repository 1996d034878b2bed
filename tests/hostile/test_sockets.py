"""A thousand strangers that drip, fall silent or announce gigabytes cost a node little, and not for long."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

COUNT = 1_000
SAYING = (b"", b"\x16", b"\x16\x03\x01\xff\xff")  # nothing; a byte now and then; the largest record there is
MOST_KIB = 1 << 10  # 8 to 70 KiB were seen: none of these gets any TLS
MOST_GREETED_KIB = 4 << 10  # 1.1 to 1.3 MiB were seen: 32 handshakes are under way at most, of tens of KiB each
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


def greeting() -> bytes:
    """What a TLS client says first."""
    said = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["golem/1"])
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()


def once(lines: dict[socket.socket, bytes]) -> dict[socket.socket, bytes]:
    """Let each say its piece, and nothing more."""
    return dict.fromkeys(drip(lines), b"")


@pytest.mark.parametrize(
    ("sayings", "most_kib"), [(SAYING, MOST_KIB), ((greeting(),), MOST_GREETED_KIB)], ids=["strangers", "greeted"]
)
def test_a_thousand_strangers_cost_a_few_mebibytes_and_are_gone_in_time(
    sayings: tuple[bytes, ...], most_kib: int
) -> None:
    node = subprocess.Popen(
        [sys.executable, "-c", NODE], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    try:
        assert node.stdout is not None
        host, _, port = node.stdout.readline().strip().rpartition(":")
        place = (host, int(port))
        hello = greeting()
        first = {dial(place): (b"GET / HTTP/1.1\r\n\r\n", hello * 2)[number % 2] for number in range(100)}
        while first:  # what a first crowd costs is code
            first = drip(first)
            time.sleep(0.1)
        before = most = resident_kib(node.pid)
        lines = {}
        for number in range(COUNT):
            lines[dial(place)] = sayings[number % len(sayings)]
            most = max(most, resident_kib(node.pid))
        began = time.monotonic()
        if len(sayings) == 1:
            lines = once(lines)
        while lines and time.monotonic() - began < CLOSED_S:
            lines = drip(lines)
            most = max(most, resident_kib(node.pid))
            time.sleep(0.25)
        assert not lines, f"{len(lines)} are still open"
        assert most - before <= most_kib, f"{most - before} KiB"
    finally:
        node.kill()
        node.wait()
