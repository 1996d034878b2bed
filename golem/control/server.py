"""The control socket: HTTP on `api.sock` in the node's folder, for its own user only.

The folder is closed to others, so is the socket, and the kernel says who calls; that is all there is to prove, so there
are no passwords here. A second node in the same folder is refused; the socket of a crashed one is replaced.
"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IListeningPort, IReactorTime, IReactorUNIX
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.server import Site

from golem.control.face import Face
from golem.control.routes import Api, BoundedRequest
from golem.errors import ConfigError

SOCKET = "api.sock"
MAX_SOCKET_PATH = 107  # bytes; sockaddr_un holds no more
MAX_CONNECTIONS = 64  # commands and watchers of one user at once
IDLE_TIMEOUT_S = 30.0  # for a caller that connects and says nothing


class ControlServer(Service):
    """Shows `face` on the control socket in `folder`, while it runs."""

    def __init__(self, face: Face, folder: str, reactor: IReactorUNIX, clock: IReactorTime) -> None:
        self._folder = Path(folder)
        self._reactor = reactor
        site = _QuietSite(Api(face, clock), BoundedRequest, reactor=clock, timeout=IDLE_TIMEOUT_S)
        site.displayTracebacks = False
        self._door = Door(site)
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Listen. Raises ConfigError where the folder can't hold the socket, or another node runs in it."""
        path = self._folder / SOCKET
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise ConfigError(f"{path} is too long for a socket (at most {MAX_SOCKET_PATH} bytes); use another folder")
        self._folder.chmod(0o700)
        _clear(path)
        self._port = self._reactor.listenUNIX(os.fspath(path), self._door, mode=0o600)  # type: ignore[arg-type]  # wants any factory
        Service.startService(self)

    def stopService(self) -> Deferred[None]:
        """Stop listening, and hang up on whoever watches."""
        Service.stopService(self)
        port, self._port = self._port, None
        self.hang_up()
        stopped = port.stopListening() if port else None
        return stopped or succeed(None)

    def hang_up(self) -> None:
        """End every connection there is."""
        for caller in list(self._door.protocols):
            caller.abortConnection()


class _QuietSite(Site):
    """The node's log is no access log."""

    noisy = False

    def log(self, request: Request) -> None:
        """Say nothing."""


class Caller(ProtocolWrapper):
    """One connection: let through if it is the node's own user's, or root's."""

    is_welcome = False

    def connectionMade(self) -> None:
        """Ask the kernel who calls."""
        assert isinstance(self.factory, Door)
        caller = self.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, uid, _ = struct.unpack("3i", caller)
        self.is_welcome = uid in {os.getuid(), 0} and len(self.factory.protocols) <= MAX_CONNECTIONS
        if self.is_welcome:
            ProtocolWrapper.connectionMade(self)
        else:
            self.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell HTTP only of connections it knew."""
        if self.is_welcome:
            ProtocolWrapper.connectionLost(self, reason)
        else:
            self.factory.unregisterProtocol(self)


class Door(WrappingFactory[Caller]):
    """Who may speak HTTP to us."""

    protocol = Caller
    noisy = False

    def __init__(self, site: Site) -> None:
        super().__init__(site)


def _clear(path: Path) -> None:
    """Remove the socket that a crashed node left behind."""
    with suppress(FileNotFoundError, ConnectionRefusedError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        probe.connect(os.fspath(path))
        raise ConfigError(f"a node runs in {path.parent} already (stop it, or use another folder)")
    path.unlink(missing_ok=True)
