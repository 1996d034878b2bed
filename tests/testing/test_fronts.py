"""Fronts before nodes on loopback: what passes is what was sent, unless it is held up, slowed down or broken."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from golem.testing.fronts import MOST_CHUNKS, Front, Fronts

ALICE, BOB = "127.77.0.1", "127.77.0.2"
LIMIT_S = 20.0
SHORT_S = 0.2


class Line:
    """Alice's connection to bob, and bob's end of it."""

    def __init__(self) -> None:
        self.port = socket.create_server(("127.0.0.1", 0))
        number = self.port.getsockname()[1]
        self.fronts = Fronts({"alice": Front(ALICE, ()), "bob": Front(BOB, (number,))})
        self.alice = socket.create_connection((BOB, number), LIMIT_S, (ALICE, 0))
        self.bob, (self.seen_as, _) = self.port.accept()
        self.bob.settimeout(LIMIT_S)

    def close(self) -> None:
        for sock in (self.alice, self.bob, self.port):
            sock.close()
        self.fronts.close()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def test_who_dials_is_seen_as_itself_and_both_hear_what_is_said_to_its_end(line: Line) -> None:
    assert line.seen_as == ALICE
    said = bytes(range(256)) * 40_000
    line.alice.sendall(b"ping")
    assert line.bob.recv(100) == b"ping"
    line.fronts.changed()
    line.bob.sendall(said[:1_000])
    line.bob.shutdown(socket.SHUT_WR)
    heard = b""
    while data := line.alice.recv(1 << 16):
        heard += data
    assert heard == said[:1_000]
    line.alice.sendall(b"pong")
    assert line.bob.recv(100) == b"pong"


def test_what_a_slow_reader_does_not_take_waits_at_its_sender_and_none_is_lost(line: Line) -> None:
    line.alice.setblocking(False)
    sent, piece = 0, bytes(1 << 16)
    with pytest.raises(BlockingIOError):
        while sent < (MOST_CHUNKS << 16) * 20:
            sent += line.alice.send(piece)
            time.sleep(0)
    heard = 0
    line.alice.setblocking(True)
    line.alice.shutdown(socket.SHUT_WR)
    while data := line.bob.recv(1 << 16):
        heard += len(data)
    assert heard == sent


def test_what_is_cut_is_held_up_one_way_and_comes_when_it_heals(line: Line) -> None:
    line.fronts.cuts.add(("alice", "bob"))
    line.fronts.changed()
    line.alice.sendall(b"late")
    line.bob.sendall(b"in time")
    assert line.alice.recv(100) == b"in time"
    line.bob.settimeout(SHORT_S)
    with pytest.raises(TimeoutError):
        line.bob.recv(100)
    line.bob.settimeout(LIMIT_S)
    line.fronts.cuts.clear()
    line.fronts.changed()
    assert line.bob.recv(100) == b"late"


def test_what_is_delayed_takes_at_least_so_long(line: Line) -> None:
    line.fronts.delays_s["alice", "bob"] = SHORT_S
    began = time.monotonic()
    line.alice.sendall(b"slow")
    assert line.bob.recv(100) == b"slow"
    assert time.monotonic() - began >= SHORT_S


def test_who_is_reset_is_told(line: Line) -> None:
    line.fronts.reset("bob", "alice")
    for sock in (line.alice, line.bob):
        with pytest.raises(ConnectionResetError):
            sock.recv(100)


def test_under_a_write_that_is_lost_the_connection_breaks(line: Line) -> None:
    line.fronts.losses["alice", "bob"] = 1.0
    line.bob.sendall(b"fine")
    assert line.alice.recv(100) == b"fine"
    line.alice.sendall(b"lost")
    with pytest.raises(ConnectionResetError):
        line.bob.recv(100)


def test_before_a_node_that_is_down_a_front_refuses(line: Line) -> None:
    number = line.port.getsockname()[1]
    line.port.close()
    with pytest.raises(ConnectionResetError), socket.create_connection((BOB, number), LIMIT_S, (ALICE, 0)) as again:
        again.recv(100)
