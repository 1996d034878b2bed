"""The control socket: open to its own user alone, every answer JSON, every wait and every buffer bounded."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from twisted.internet.defer import Deferred

from golem.control.client import Client
from golem.control.routes import ANSWER_TIMEOUT_S, MAX_BODY_BYTES
from golem.control.server import SOCKET
from golem.control.watcher import KEEP_ALIVE_S, MAX_BACKLOG
from golem.errors import BadParameters, ConfigError, Fault, NotEnoughFunds, NotFound, NotRunning, UnknownTemplate
from golem.model.chain import PutIn
from golem.model.money import Wei
from golem.testing.face import NODE_ID, FaceServer, serving

NOBODY = 65_534
OPEN_TO_USER_ONLY = (0o700, 0o600)
SUBMISSION = {"template": "echo", "budget": "100", "max_price": "7", "output": "/tmp", "params": {"text": "hi"}}


@pytest.fixture
def folder() -> Iterator[str]:
    """One whose path is short, as sockets need."""
    with TemporaryDirectory() as made:
        yield made


@pytest.fixture
def node() -> Iterator[FaceServer]:
    """One that listens."""
    with serving() as running:
        yield running


@pytest.fixture
def client(node: FaceServer) -> Client:
    """A client of it."""
    return Client(node.folder)


def _socket(node: FaceServer) -> Path:
    return Path(node.folder, SOCKET)


def _raw(node: FaceServer, data: bytes) -> bytes:
    """What the server says to these bytes until it hangs up."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(str(_socket(node)))
        caller.sendall(data)
        return b"".join(iter(lambda: caller.recv(65536), b""))


def test_folder_and_socket_are_closed_to_others(node: FaceServer) -> None:
    modes = (stat.S_IMODE(path.stat().st_mode) for path in (Path(node.folder), _socket(node)))
    assert tuple(modes) == OPEN_TO_USER_ONLY


def test_every_path_answers_in_json_with_money_as_text(node: FaceServer, client: Client) -> None:
    status = client.get("/status")
    assert isinstance(status, dict)
    assert (status["node_id"], status["funds"]["free"]) == (NODE_ID, "2000000000000000000")
    answer = client.post("/tasks", SUBMISSION)
    assert isinstance(answer, dict)
    task_id = answer["task_id"]
    node.face.reasons[task_id] = [{"reason": "no free slot", "count": 2}]
    assert client.get("/tasks") == [client.get(f"/tasks/{task_id}")]
    told = client.get(f"/tasks/{task_id}/explain")
    assert isinstance(told, dict)
    assert told["groups"][0]["reasons"] == [{"reason": "no free slot", "count": 2}]
    assert client.get("/explain") == {"is_provider": True}
    for path in ("/payments", "/peers", "/reputation"):
        assert client.get(path) == []
    assert client.get("/templates") == node.face.kinds
    taken = {"tx_hash": "0x" + "ee" * 32, "amount": "300000000000000000", "fee": "10000000000000"}
    assert client.post("/withdraw") == taken
    client.post("/orders", {"type": "PutIn", "amount": "5"})
    assert node.face.orders == [PutIn(amount=Wei(5))]
    assert client.get("/audit") == []
    funds = client.get("/funds")
    assert isinstance(funds, dict) and funds["free"] == str(2 * 10**18)
    assert client.get("/payments/0x12") == []
    estimate = client.post("/estimates", SUBMISSION)
    assert isinstance(estimate, dict) and estimate["least"] == "1000000000000000"
    assert client.delete(f"/tasks/{task_id}") == {"task_id": task_id}
    assert node.face.records[task_id]["phase"] == "cancelled"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"budget": "-1"}, r"decimal string.*\$\.budget"),
        ({"budget": 7}, r"decimal string.*\$\.budget"),
        ({"budget": "1" + "0" * 40}, "out of range"),
        ({"bugdet": "7"}, "unknown field `bugdet`"),
        ({"template": "../etc"}, r"\$\.template"),
        ({"output": "here"}, "no absolute path"),
        (
            {"resources": [{"name": "a", "path": "/no/such"}, {"name": "b", "path": "tmp"}]},
            "(?s)/no/such.*tmp: no such",
        ),
        ({"resources": [{"name": "a", "path": "/tmp"}, {"name": "a", "path": "/"}]}, "used twice"),
    ],
)
def test_a_submission_that_does_not_fit_is_refused_with_the_place(
    node: FaceServer, client: Client, change: dict[str, object], why: str
) -> None:
    with pytest.raises(BadParameters, match=why):
        client.post("/tasks", SUBMISSION | change)
    assert not node.face.submitted


def test_what_the_node_raises_the_client_raises(node: FaceServer, client: Client) -> None:
    with pytest.raises(UnknownTemplate, match="there are: echo"):
        client.post("/tasks", SUBMISSION | {"template": "ech"})
    node.face.refusal = NotEnoughFunds("the deposit has 3 wei")
    with pytest.raises(NotEnoughFunds, match="the deposit has 3 wei"):
        client.post("/tasks", SUBMISSION)
    for missing in ("/tasks/77", "/tasks/77/explain", "/nothing", "/tasks/77/explain/more"):
        with pytest.raises(NotFound):
            client.get(missing)


def test_a_bug_in_the_node_shows_no_traceback(node: FaceServer, client: Client) -> None:
    node.face.dues = [{"what": object()}]
    with pytest.raises(Fault, match="a bug in the node"):
        client.get("/payments")


def test_an_answer_that_does_not_come_is_given_up(node: FaceServer, client: Client) -> None:
    node.face.hangs = Deferred()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(client.post, "/tasks", SUBMISSION)
        node.wait_until(lambda: node.face.is_waited_for)
        node.do(node.clock.advance, ANSWER_TIMEOUT_S)
        with pytest.raises(Fault, match="no answer within"):
            answer.result(10)


@pytest.mark.parametrize("length", [b"content-length: 2000000", b"transfer-encoding: chunked"])
def test_a_body_past_the_limit_is_not_kept(node: FaceServer, length: bytes) -> None:
    body = b"x" * 2_000_000
    sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if b"chunked" in length else body
    answer = _raw(node, b"POST /tasks HTTP/1.1\r\nhost: node\r\nconnection: close\r\n%b\r\n\r\n%b" % (length, sent))
    assert b" 400 " in answer.splitlines()[0]
    assert f"more than {MAX_BODY_BYTES} bytes".encode() in answer
    assert not node.face.submitted


@pytest.mark.parametrize("method", [b"PUT", b"PATCH", b"OPTIONS", b"HEAD", b"\xff\xfe"])
def test_no_other_method_is_answered(node: FaceServer, method: bytes) -> None:
    answer = _raw(node, b"%b /tasks HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n" % method)
    assert answer.split()[1] in {b"404", b"400"}


def test_a_watcher_hears_what_happens_from_its_first_line_on(node: FaceServer, client: Client) -> None:
    stream = client.watch("t1")
    assert next(stream) is None
    node.do(node.face.tell, "t2", "unheard")
    node.do(node.clock.advance, KEEP_ALIVE_S)
    node.do(node.face.tell, "t1", "assigned", chunk=3)
    assert next(stream) is None
    happening = next(stream)
    assert happening == {"topic": "t1", "name": "assigned", "at_ms": 2_000, "fields": {"chunk": 3}}
    stream.close()
    node.wait_until(lambda: not node.face.listeners)


def test_a_watcher_that_does_not_read_is_dropped_after_a_bounded_backlog(node: FaceServer) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(_socket(node)))
        caller.sendall(b"GET /watch HTTP/1.1\r\nhost: node\r\n\r\n")
        node.wait_until(lambda: len(node.face.listeners) == 1)
        told = 0
        while node.face.listeners and told < 50 * MAX_BACKLOG:
            node.do(node.face.tell, "t", "x", text="y" * 1000)
            told += 1
        assert MAX_BACKLOG < told < 3 * MAX_BACKLOG


def test_the_stream_ends_with_the_node(node: FaceServer, client: Client) -> None:
    stream = client.watch()
    next(stream)
    node.do(node.server.stopService)
    assert list(stream) == []


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be another user")
def test_another_user_is_not_let_in_even_where_files_are_open(node: FaceServer) -> None:
    """Only root can become another user to try; everybody else has the kernel's word for it."""
    Path(node.folder).chmod(0o755)
    _socket(node).chmod(0o666)
    os.seteuid(NOBODY)
    try:
        with socket.socket(socket.AF_UNIX) as caller, pytest.raises(ConnectionError):
            caller.connect(str(_socket(node)))
            caller.settimeout(10)
            caller.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            if not caller.recv(1000):
                raise ConnectionError("closed")
    finally:
        os.seteuid(0)
    assert _raw(node, b"GET /status HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 ")


def test_a_second_node_in_the_folder_is_refused_and_the_first_goes_on(node: FaceServer, client: Client) -> None:
    with pytest.raises(ConfigError, match=r"runs in .* already"):
        FaceServer(node.folder).start()
    assert client.get("/status")


def test_the_socket_of_a_crashed_node_is_replaced(folder: str) -> None:
    node = FaceServer(folder)
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(_socket(node)))
    node.start()
    assert Client(node.folder).get("/status")
    node.stop()
    with pytest.raises(NotRunning, match="golem node start"):
        Client(node.folder).get("/status")


def test_a_folder_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    with pytest.raises(ConfigError, match="too long for a socket"):
        FaceServer(str(folder)).start()
