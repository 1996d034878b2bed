"""What can be asked of a node over its control socket. JSON out, JSON in, no tracebacks; docs/control.md lists it.

    GET  /status  /templates  /tasks  /tasks/ID  /tasks/ID/subtasks  /tasks/ID/logs  /tasks/ID/explain
    GET  /tasks/ID/evidence  /jobs  /explain  /payments  /payments/ACCOUNT  /audit  /funds  /peers  /peers/ID
    GET  /reputation  /reputation/ID  /resources                                                    DELETE /tasks/ID
    POST /tasks  /estimates  /withdraw  /recover/BLOCK  /orders  /consents/ACCOUNT  /resources  /rehearings
    GET  /watch?topic=ID: one JSON object a line, empty lines between

An error is `{"error": {"code", "message"}}`, its code the name of a class in `golem.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import isawaitable
from io import BytesIO

import msgspec
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from golem.control.face import Face
from golem.control.watcher import Watcher
from golem.errors import BadParameters, Fault, GolemError, NotEnoughFunds, NotFound, Refused, UnknownTemplate
from golem.model.money import Wei
from golem.node.cases import read_case
from golem.node.stock import read_wish
from golem.node.submission import read
from golem.node.till import read_order, read_withdrawal

MAX_BODY_BYTES = 1 << 20  # a submission with 64 resources has 20 KiB
MAX_BLOCK_DIGITS = 12  # of a block's number: a chain of one a millisecond has them after thirty years
ID_PLACE = 1  # where a path has a task's or node's id
ANSWER_TIMEOUT_S = 300.0  # a withdrawal waits for some blocks

STATUS: tuple[tuple[type[GolemError], int], ...] = (
    (BadParameters, 400),
    (NotEnoughFunds, 402),
    (UnknownTemplate, 404),
    (NotFound, 404),
    (Refused, 409),
    (Fault, 503),
)
log = Logger()

Handler = Callable[[Face, str, bytes], object]
"""(node, the path's id, body) -> what to answer, or to wait for."""


def _task(face: Face, task_id: str, _: bytes) -> object:
    task = face.task(task_id)
    if task is None:
        raise NotFound(f"no task {task_id}")
    return task


def _block(number: str) -> int:
    if not (number.isascii() and number.isdigit()) or len(number) > MAX_BLOCK_DIGITS:
        raise BadParameters(f"{number!r} is no block's number")
    return int(number)


def _cancel(face: Face, task_id: str, _: bytes) -> object:
    face.cancel(task_id)
    return {"task_id": task_id}


ROUTES: dict[tuple[str, ...], Handler] = {
    ("GET", "status"): lambda face, _, __: face.status(),
    ("GET", "templates"): lambda face, _, __: face.templates(),
    ("GET", "tasks"): lambda face, _, __: face.tasks(),
    ("POST", "tasks"): lambda face, _, body: face.submit(read(body)),
    ("GET", "tasks", "*"): _task,
    ("DELETE", "tasks", "*"): _cancel,
    ("GET", "tasks", "*", "subtasks"): lambda face, task_id, _: face.subtasks(task_id),
    ("GET", "tasks", "*", "logs"): lambda face, task_id, _: face.logs(task_id),
    ("GET", "tasks", "*", "evidence"): lambda face, task_id, _: face.evidence(task_id),
    ("GET", "tasks", "*", "explain"): lambda face, task_id, _: face.explain(task_id),
    ("GET", "explain"): lambda face, _, __: face.prospects(),
    ("GET", "jobs"): lambda face, _, __: face.jobs(),
    ("GET", "payments"): lambda face, _, __: face.payments(),
    ("GET", "payments", "*"): lambda face, account, _: face.payment(account),
    ("GET", "peers"): lambda face, _, __: face.peers(),
    ("GET", "peers", "*"): lambda face, node, _: face.peer(node),
    ("GET", "reputation"): lambda face, _, __: face.reputation(),
    ("GET", "reputation", "*"): lambda face, node, _: face.why(node),
    ("GET", "funds"): lambda face, _, __: face.funds(),
    ("GET", "audit"): lambda face, _, __: face.audit(),
    ("GET", "resources"): lambda face, _, __: face.stock.show(),
    ("POST", "resources"): lambda face, _, body: face.stock.do(read_wish(body)),
    ("POST", "rehearings"): lambda face, _, body: face.rehear(read_case(body)),
    ("POST", "withdraw"): lambda face, _, body: face.withdraw(read_withdrawal(body)),
    ("POST", "recover", "*"): lambda face, since, _: face.recover(_block(since)),
    ("POST", "orders"): lambda face, _, body: face.order(read_order(body)),
    ("POST", "consents", "*"): lambda face, payer, _: face.consent(payer),
    ("POST", "estimates"): lambda face, _, body: face.estimate(read(body)),
}


def route(method: str, path: Sequence[str]) -> Handler | None:
    """What answers a request; None where nothing does."""
    return ROUTES.get((method, *("*" if n == ID_PLACE else part for n, part in enumerate(path))))


def _wei_as_text(value: object) -> str:
    if isinstance(value, Wei):
        return str(int(value))
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


to_json = msgspec.json.Encoder(enc_hook=_wei_as_text).encode


class BoundedRequest(Request):
    """A request whose body is kept in memory up to a limit, and thrown away past it."""

    is_too_large = False

    def gotLength(self, length: int | None) -> None:
        """Begin a body."""
        self.body = self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Keep what fits."""
        self.is_too_large = self.is_too_large or self.body.tell() + len(data) > MAX_BODY_BYTES
        if not self.is_too_large:
            self.body.write(data)


class Api(Resource):
    """Every path there is."""

    isLeaf = True

    def __init__(self, face: Face, clock: IReactorTime) -> None:
        Resource.__init__(self)
        self._face = face
        self._clock = clock

    def render(self, request: Request) -> int:
        """Answer, now or later; what goes wrong is an answer, too."""
        path = tuple(segment.decode("ascii", "replace") for segment in request.postpath or [])
        method = request.method.decode("ascii", "replace")
        if (method, path) == ("GET", ("watch",)):
            topic = (request.args or {}).get(b"topic", [b""])[0].decode("ascii", "replace")
            Watcher(request, self._clock, to_json).start(self._face, topic or None)
            return NOT_DONE_YET
        answer = Deferred.fromCoroutine(self._answer(request, method, path))
        answer.addTimeout(ANSWER_TIMEOUT_S, self._clock)
        request.notifyFinish().addErrback(lambda _: answer.cancel())
        answer.addCallbacks(partial(_reply, request, 200), partial(_refuse, request))
        return NOT_DONE_YET

    async def _answer(self, request: Request, method: str, path: tuple[str, ...]) -> bytes:
        if isinstance(request, BoundedRequest) and request.is_too_large:
            raise BadParameters(f"the request has more than {MAX_BODY_BYTES} bytes")
        handler = route(method, path)
        if handler is None:
            raise NotFound(f"there is no {method} /{'/'.join(path)}")
        body = request.content.read() if request.content else b""
        result = handler(self._face, path[ID_PLACE] if len(path) > ID_PLACE else "", body)
        return to_json(await result if isawaitable(result) else result)


def _reply(request: Request, status: int, body: bytes) -> None:
    request.setResponseCode(status)
    request.setHeader("content-type", "application/json")
    request.setHeader("content-length", str(len(body)))
    request.write(body)
    request.finish()


def _refuse(request: Request, failure: Failure) -> None:
    if failure.check(CancelledError):
        return  # the caller hung up
    error = failure.value
    if failure.check(TimeoutError):
        error = Fault(f"no answer within {ANSWER_TIMEOUT_S:.0f} s; it may still come")
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    code, message = type(error).__name__, str(error)
    if not isinstance(error, GolemError):
        log.failure("could not answer {method} {uri}", failure, method=request.method, uri=request.uri)
        code, message = "InternalError", "a bug in the node; its log has the details"
    _reply(request, status, to_json({"error": {"code": code, "message": message}}))
