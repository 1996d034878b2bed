"""What a watched node tells whoever started it, in frames over a Unix socket, as it happens."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from golem.model.ids import Address
from golem.model.money import Wei
from golem.model.value import Value
from golem.testing.record import Turned
from golem.wire.codec import Decoder
from golem.wire.frame import MAX_FRAME_BYTES, FrameReader

CHUNK_BYTES = 1 << 16
MOST_TEXT = 10_000  # characters of one line: a long traceback


class Told(Value):
    """Base of what is told. `at_s`: on the machine's monotonic clock."""

    at_s: float


class Ready(Told):
    """The node takes part; the first thing that is told on a connection. `name`: as whoever started it calls it."""

    name: str


class Took(Told):
    """It took a turn."""

    turn: Turned


class Said(Told):
    """Its log has a line."""

    who: str
    text: str
    is_loud: bool


class Earned(Told):
    """All that it has ever been paid by an account."""

    payer: Address
    wei: Wei


class Broke(Told):
    """What should never have happened did."""

    what: str


Telling = Ready | Took | Said | Earned | Broke
_tellings: Decoder[Telling] = Decoder(Telling)


class Hub:
    """Where the nodes of one network tell what they do. Listens as soon as it is made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: dict[socket.socket, str] = {}
        self._readers: dict[socket.socket, FrameReader] = {}
        self._selector = selectors.DefaultSelector()
        self._port = socket.socket(socket.AF_UNIX)
        self._port.bind(str(path))
        self._port.listen()
        self._selector.register(self._port, selectors.EVENT_READ)

    def hear(self, limit_s: float) -> Iterator[tuple[str, Telling]]:
        """Wait until somebody tells something, at most so long; then all that was told, with whose it is."""
        for key, _ in self._selector.select(limit_s):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            if sock is self._port:
                self._welcome()
                continue
            data = _read(sock)
            if not data:
                self._hang_up(sock)
                continue
            for body in self._readers[sock].feed(data):
                told = _tellings.decode(body)
                if isinstance(told, Ready):
                    self._names[sock] = told.name
                yield self._names.get(sock, "?"), told

    def _welcome(self) -> None:
        sock, _ = self._port.accept()
        reader = self._readers[sock] = FrameReader()
        reader.limit = MAX_FRAME_BYTES
        self._selector.register(sock, selectors.EVENT_READ)

    def _hang_up(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        del self._readers[sock]
        self._names.pop(sock, None)
        sock.close()

    def close(self) -> None:
        """Hear no more."""
        for sock in list(self._readers):
            self._hang_up(sock)
        self._selector.close()
        self._port.close()
        self.path.unlink()


def _read(sock: socket.socket) -> bytes:
    try:
        return sock.recv(CHUNK_BYTES)
    except ConnectionResetError:  # killed, with something of ours unread
        return b""


def now_s() -> float:
    """The clock of what is told: the same for all processes of a machine, and nobody sets it."""
    return time.monotonic()
