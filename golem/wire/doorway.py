"""What is said outside of messages about reaching a node: signals in a session, and the line at a node's door.

A node that nobody can dial has another one carry connections to it, its relay. It asks by `Reserve`, and is told of a
caller by `Ring`; then it dials its relay and says at the door which ring it answers. From there the relay passes bytes
that it can't read: the two ends run their own handshake through it. The door is the port where sessions begin too; the
first byte of those, TLS's 22, begins no line.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import Meta

from golem.errors import Malformed
from golem.model.ids import NodeId
from golem.model.value import Value

TOKEN_BYTES = 16
MAX_LINE_BYTES = 128  # a call, the longest line, has 87
YES = b"golem yes\n"
NO = b"golem no "

Token = Annotated[bytes, Meta(min_length=TOKEN_BYTES, max_length=TOKEN_BYTES)]


class What(StrEnum):
    """What a caller wants of a node: a session, or its gateway."""

    SESSION = "session"
    CONTENT = "content"


class Reserve(Value):
    """I can't be dialled: carry connections to me."""


class Reserved(Value):
    """Whether connections are carried to the node that asked, for as long as this session lasts."""

    is_granted: bool


class Ring(Value):
    """Somebody calls: dial the sender, and say this token at its door."""

    token: Token
    what: What


class Knock(Value):
    """Dial the host that this session comes from, at this port, and say the token there: I want to know who gets in."""

    port: Annotated[int, Meta(ge=1, le=65_535)]
    token: Token


Signal = Reserve | Reserved | Ring | Knock


class Call(NamedTuple):
    """Carry this connection to a guest of yours."""

    node: NodeId
    what: What


class Answer(NamedTuple):
    """This connection answers a ring."""

    token: bytes


class Rap(NamedTuple):
    """You asked me to knock."""

    token: bytes


Visit = Call | Answer | Rap

_LINE = re.compile(
    rb"golem (?:(?P<call>call) (?P<node>0[23][0-9a-f]{64}) (?P<what>session|content)"
    rb"|(?P<verb>answer|knock) (?P<token>[0-9a-f]{32}))"
)


def line(visit: Visit) -> bytes:
    """How it is said, newline included."""
    match visit:
        case Call(node, what):
            return f"golem call {node} {what}\n".encode()
        case Answer(token):
            return f"golem answer {token.hex()}\n".encode()
        case _:
            return f"golem knock {visit.token.hex()}\n".encode()


def calling(node: str, what: What) -> bytes:
    """The line of a call to a node, by the end of its place."""
    return line(Call(NodeId(node), what))


def visit(said: bytes) -> Visit:
    """What a line without its newline means. Raises Malformed."""
    found = _LINE.fullmatch(said)
    if found is None:
        raise Malformed("no line that is said at a door")
    if found["call"]:
        return Call(NodeId(found["node"].decode()), What(found["what"].decode()))
    token = bytes.fromhex(found["token"].decode())
    return Answer(token) if found["verb"] == b"answer" else Rap(token)


def no(why: str) -> bytes:
    """The line that turns a visitor away."""
    return NO + why.encode("ascii", "replace")[: MAX_LINE_BYTES - len(NO) - 1].replace(b"\n", b" ") + b"\n"
