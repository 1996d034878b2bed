"""Asks a node over its control socket; blocking, for commands and scripts. The standard library is all it needs."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import quote

from golem import errors
from golem.errors import Fault, GolemError, NotRunning

SOCKET = "api.sock"  # as golem.control.server
FILE = "golem.toml"  # as golem.node.config, which takes long to import
ANSWER_TIMEOUT_S = 310.0  # a little longer than the node takes at most
SILENCE_TIMEOUT_S = 30.0  # a stream has a line every 10 s
CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 << 20  # a task of 10**5 chunks lists them in 30 MiB
MAX_LINE_BYTES = 1 << 20
OK = 200


class _UnixConnection(HTTPConnection):
    """HTTP to the socket at a path."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("node")
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Dial the socket, quickly or not at all."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_TIMEOUT_S)
        self.sock.connect(str(self._path))
        self.sock.settimeout(self._timeout_s)


class Client:
    """The node whose folder is `folder`. Every call raises NotRunning where none answers there.

    What the node refuses is raised as the same class of `golem.errors` that it raised; its other troubles as Fault.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser().absolute()

    def get(self, path: str) -> object:
        """Read, as JSON has it."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: object = None) -> object:
        """Have something done."""
        return self._ask("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> object:
        """Have something ended."""
        return self._ask("DELETE", path, None)

    def watch(self, topic: str = "") -> Generator[object, None, None]:
        """What happens from now on, as it happens; ends with the node, or when we lag too far behind.

        None comes at once, and then every ten seconds.
        """
        connection = _UnixConnection(self.folder / SOCKET, SILENCE_TIMEOUT_S)
        try:
            response = self._send(connection, "GET", f"/watch?topic={quote(topic)}", None)
            while line := self._line(response):
                yield json.loads(line) if line.strip() else None
        finally:
            connection.close()

    def _line(self, response: HTTPResponse) -> bytes:
        try:
            return response.readline(MAX_LINE_BYTES)
        except (OSError, HTTPException) as why:
            raise self._lost(why) from why

    def _ask(self, method: str, path: str, body: bytes | None) -> object:
        connection = _UnixConnection(self.folder / SOCKET, ANSWER_TIMEOUT_S)
        try:
            response = self._send(connection, method, path, body)
            return json.loads(response.read(MAX_ANSWER_BYTES))
        except (OSError, HTTPException) as why:
            raise self._lost(why) from why
        except ValueError as why:
            raise Fault(f"the node's answer is no JSON, or more than {MAX_ANSWER_BYTES} bytes") from why
        finally:
            connection.close()

    def _send(self, connection: HTTPConnection, method: str, path: str, body: bytes | None) -> HTTPResponse:
        try:
            connection.connect()
        except OSError as why:
            raise NotRunning(f"no node runs in {self.folder}; {self._way_out()}") from why
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
        except (OSError, HTTPException) as why:
            raise self._lost(why) from why
        if response.status != OK:
            raise _error(response)
        return response

    def _way_out(self) -> str:
        step = (
            "start it with: golem node start"
            if (self.folder / FILE).exists()
            else "make one with: golem init, then: golem node start"
        )
        return f"{step} (to try everything out at once: golem demo)"

    def _lost(self, why: Exception) -> Fault:
        return Fault(f"the node in {self.folder} did not answer to the end ({why or type(why).__name__}); see its log")


def _error(response: HTTPResponse) -> GolemError:
    try:
        error = json.loads(response.read(MAX_ANSWER_BYTES))["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        return Fault(f"the node answered {response.status} {response.reason}")
    kind = getattr(errors, code, Fault)
    return kind(message) if isinstance(kind, type) and issubclass(kind, GolemError) else Fault(message)
