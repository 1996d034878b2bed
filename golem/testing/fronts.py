"""What lies between real nodes on loopback: each has an address of its own, and before its ports a front that forwards.

Whoever dials does so from its own address, so a front knows between whom a connection is, and can hold up, slow down
or break what passes. What is held up is not read, so the sender's kernel sees to it, as for a cable that is unplugged.
"""

from __future__ import annotations

import select
import socket
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random
from threading import Thread
from time import monotonic
from typing import NamedTuple

CHUNK_BYTES = 1 << 16
MOST_CHUNKS = 64  # of one direction wait here; what more there is waits at its sender
BACKLOG = 128
CONNECT_S = 1.0  # on loopback: past it, the node's own queue is full
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: the other end is told of a reset
LOOPBACK = "127.0.0.1"
Route = tuple[str, str]


class Front(NamedTuple):
    """Where a node is reached. Behind the front it listens on the same ports of 127.0.0.1."""

    address: str
    ports: Sequence[int]


class _Pipe:
    """One direction of a connection. `route`: from whom to whom. `waiting`: what was read, and when it may go on."""

    def __init__(self, route: Route, source: socket.socket, target: socket.socket) -> None:
        self.route = route
        self.source = source
        self.target = target
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.is_read = False  # to its end
        self.is_over = False  # and all of it has gone through


class Fronts:
    """Of all nodes of one network. `cuts`, `delays_s`, `losses`: by route; call `changed` after a change.

    Runs in a thread of its own until `close`.
    """

    def __init__(self, nodes: Mapping[str, Front]) -> None:
        """`nodes`: by name."""
        self.cuts: set[Route] = set()
        self.delays_s: dict[Route, float] = {}
        self.losses: dict[Route, float] = {}
        self._names = {front.address: name for name, front in nodes.items()}
        self._dice = Random(0)
        self._pipes: list[_Pipe] = []
        self._resets: deque[frozenset[str]] = deque()
        self._is_closed = False
        self._wake, self._woken = socket.socketpair()
        self._listeners = {
            listener.fileno(): (listener, name)
            for name, front in nodes.items()
            for port in front.ports
            for listener in [socket.create_server((front.address, port), backlog=BACKLOG)]
        }
        self._thread = Thread(target=self._run, name="fronts", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """Routes are others than they were."""
        self._wake.send(b"!")

    def reset(self, one: str, other: str) -> None:
        """Break every connection between two nodes."""
        self._resets.append(frozenset((one, other)))
        self.changed()

    def close(self) -> None:
        """Forward nothing any more."""
        self._is_closed = True
        self.changed()
        self._thread.join()
        for listener, _ in self._listeners.values():
            listener.close()
        for pipe in self._pipes:
            pipe.source.close()
        self._wake.close()
        self._woken.close()

    # in the thread

    def _run(self) -> None:
        while not self._is_closed:
            ready = self._wait()
            if self._woken.fileno() in ready:
                self._woken.recv(CHUNK_BYTES)
            while self._resets:
                self._abort(self._resets.popleft())
            for fd in ready & self._listeners.keys():
                self._accept(*self._listeners[fd])
            for pipe in list(self._pipes):
                self._forward(pipe, ready)
            self._bury()

    def _wait(self) -> set[int]:
        """Until something can be done; says with what."""
        poll, wanted = select.poll(), dict.fromkeys([*self._listeners, self._woken.fileno()], select.POLLIN)
        now_s, next_s = monotonic(), float("inf")
        for pipe in self._pipes:
            if pipe.route in self.cuts:
                continue
            if not pipe.is_read and len(pipe.waiting) < MOST_CHUNKS:
                wanted[pipe.source.fileno()] = wanted.get(pipe.source.fileno(), 0) | select.POLLIN
            if pipe.waiting and pipe.waiting[0][0] <= now_s:
                wanted[pipe.target.fileno()] = wanted.get(pipe.target.fileno(), 0) | select.POLLOUT
            elif pipe.waiting:
                next_s = min(next_s, pipe.waiting[0][0])
        for fd, events in wanted.items():
            poll.register(fd, events)
        return {fd for fd, _ in poll.poll(None if next_s == float("inf") else max(0.0, next_s - now_s) * 1000)}

    def _accept(self, listener: socket.socket, name: str) -> None:
        source, (address, _) = listener.accept()
        target = socket.socket()
        target.settimeout(CONNECT_S)
        try:
            target.bind((address, 0))  # so the node sees who it is
            target.connect((LOOPBACK, listener.getsockname()[1]))
        except OSError:  # it is down
            _abort(source)
            target.close()
            return
        route = self._names.get(address, address), name
        for sock in (source, target):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pipes += [_Pipe(route, source, target), _Pipe(route[::-1], target, source)]

    def _forward(self, pipe: _Pipe, ready: set[int]) -> None:
        if pipe.route in self.cuts:
            return
        try:
            if pipe.source.fileno() in ready and not pipe.is_read and len(pipe.waiting) < MOST_CHUNKS:
                self._read(pipe)
            while pipe.waiting and pipe.waiting[0][0] <= monotonic():
                at_s, data = pipe.waiting[0]
                pipe.waiting[0] = at_s, data[pipe.target.send(data) :]
                if not pipe.waiting[0][1]:
                    pipe.waiting.popleft()
            if pipe.is_read and not pipe.waiting and not pipe.is_over:
                pipe.is_over = True
                pipe.target.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self._abort_one(pipe)

    def _read(self, pipe: _Pipe) -> None:
        data = pipe.source.recv(CHUNK_BYTES)
        if self._dice.random() < self.losses.get(pipe.route, 0.0):
            raise ConnectionResetError("lost")
        if data:
            pipe.waiting.append((monotonic() + self.delays_s.get(pipe.route, 0.0), data))
        pipe.is_read = not data

    def _abort(self, pair: frozenset[str]) -> None:
        for pipe in [pipe for pipe in self._pipes if frozenset(pipe.route) == pair]:
            self._abort_one(pipe)

    def _abort_one(self, pipe: _Pipe) -> None:
        _abort(pipe.source)
        _abort(pipe.target)

    def _bury(self) -> None:
        """Forget connections that have come to their end."""
        over = {pipe.source for pipe in self._pipes if pipe.is_over}
        for pipe in self._pipes:
            if {pipe.source, pipe.target} <= over:
                pipe.source.close()
        self._pipes = [pipe for pipe in self._pipes if pipe.source.fileno() >= 0 and pipe.target.fileno() >= 0]


def _abort(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    sock.close()
