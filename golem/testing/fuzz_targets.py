"""Fuzz targets, one for every parser of what strangers send, and bytes to begin with: valid, one of every kind.

A target takes bytes. It may raise nothing: a parser's own error is expected, anything else is a bug.
`golem.testing.fuzz` has atheris make the bytes up; tests/fuzz runs the same targets under hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from twisted.internet.testing import StringTransport
from twisted.web import http
from twisted.web.http import HTTPChannel
from twisted.web.server import Request

from golem.core.places import Width, may_send, prefix, width
from golem.errors import Refused, StoreFault
from golem.ipfs import cid, dagpb, unixfs
from golem.ipfs.car import CarReader
from golem.ipfs.query import Unserved, asked
from golem.node.submission import read
from golem.node.till import read_order
from golem.testing.fuzz_wire import SPOKEN, WIRE
from golem.testing.samples import CID
from golem.verification.comparing import read as read_report


def query(data: bytes) -> None:
    """What is asked of the gateway: a path, its arguments, and what is accepted, one a line."""
    path, arguments, accept = (data + b"\n\n").split(b"\n", 2)
    channel = HTTPChannel()
    channel.transport = StringTransport()
    request = Request(channel, parsePOSTFormSubmission=False)
    request.path, request.args = path, http.parse_qs(arguments, True)
    request.requestHeaders.setRawHeaders(b"accept", [accept])
    with suppress(Unserved):
        asked(request)


def content_id(data: bytes) -> None:
    """A content id, as text and as bytes; it has one spelling."""
    with suppress(StoreFault):
        cid.to_key(data)
    with suppress(StoreFault):
        text = data.decode("latin1")
        assert cid.to_text(cid.from_text(text)) == text


def node(data: bytes) -> None:
    """A block of DAG-PB, and what it stands for."""
    with suppress(StoreFault):
        dagpb.decode(data)
    with suppress(StoreFault):
        unixfs.decode(data)


def car(data: bytes) -> None:
    """An archive of blocks, in pieces."""
    reader = CarReader()
    with suppress(StoreFault):
        for at in range(0, len(data), 11):
            for _ in reader.feed([data[at : at + 11]]):
                pass


def place(data: bytes) -> None:
    """Where somebody says it listens."""
    text = data.decode("latin1")
    prefix(text)
    width(text)
    assert not may_send(Width.PUBLIC, text) or width(text) is Width.PUBLIC


def report(data: bytes) -> None:
    """What a provider says that a job found; the verifier reads it in the node."""
    with suppress(ValueError):
        read_report(data)


def request(data: bytes) -> None:
    """What comes over the control socket."""
    for reads in (read, read_order):
        with suppress(Refused):
            reads(data)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    **WIRE,
    "query": query,
    "cid": content_id,
    "node": node,
    "car": car,
    "place": place,
    "report": report,
    "request": request,
}


def everything(data: bytes) -> None:
    """All of them, one after the other."""
    for target in TARGETS.values():
        target(data)


VALID = (
    *SPOKEN,
    CID.encode(),
    b'{"template": "echo", "params": {}, "resources": [], "output": "/tmp", "budget": "1", "max_price": "1"}',
    b"\x12\x08\x0a\x02\x08\x02\x12\x02hi",
    b"192.0.2.1:7300",
    b'{"job": "j", "ok": true, "report": {}}\n',
    b"/ipfs/" + CID.encode() + b"/a\nformat=car&entity-bytes=0:9\napplication/vnd.ipld.car; order=dfs; q=0.5",
)
