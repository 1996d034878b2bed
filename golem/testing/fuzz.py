"""Fuzz targets, one for every parser of what strangers send: `python -m golem.testing.fuzz cid --runs 100000`.

A target takes bytes. It may raise nothing: a parser's own error is expected, anything else is a bug. The engine is
atheris (`pip install golem[fuzz]`); tests/fuzz runs the same targets under hypothesis.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module

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
from golem.testing.fuzz_wire import WIRE


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
    "request": request,
}


def main() -> None:
    """Fuzz one target, from nothing, until something is raised or the runs are over."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--runs", type=int, default=100_000)
    said = parser.parse_args()
    engine = import_module("atheris")
    target = engine.instrument_func(TARGETS[said.target])
    engine.Setup([sys.argv[0], f"-runs={said.runs}", "-max_len=4096"], target)
    engine.Fuzz()


if __name__ == "__main__":
    main()
