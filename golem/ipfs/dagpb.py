"""DAG-PB: a node is a list of named links and some data, written as protobuf in one canonical order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from golem.errors import ContentUnreadable
from golem.ipfs import varint
from golem.ipfs.cid import Key, to_key

_VARINT, _BYTES = 0, 2  # protobuf's wire types; DAG-PB and UnixFS use no other


class Link(NamedTuple):
    """One child. `tsize`: bytes of its whole graph, as its maker says; advice only, it can lie."""

    key: Key
    name: bytes
    tsize: int


def field(number: int, value: int | bytes) -> bytes:
    """One protobuf field: a varint or a byte string."""
    if isinstance(value, int):
        return varint.encode(number << 3 | _VARINT) + varint.encode(value)
    return varint.encode(number << 3 | _BYTES) + varint.encode(len(value)) + value


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Take protobuf apart, or raise ContentUnreadable."""
    at, end = 0, len(data)
    try:
        while at < end:
            tag, at = varint.decode(data, at)
            value, at = varint.decode(data, at)
            if tag & 7 == _VARINT:
                yield tag >> 3, value
            elif tag & 7 == _BYTES and at + value <= end:
                yield tag >> 3, data[at : at + value]
                at += value
            else:
                raise ContentUnreadable("a protobuf field of a kind we do not read, or cut short")
    except IndexError as why:
        raise ContentUnreadable("protobuf is cut short") from why


def encode(links: Sequence[Link], data: bytes) -> bytes:
    """The bytes of a node; links go first, in the order given."""
    written = (field(2, field(1, link.key) + field(2, link.name) + field(3, link.tsize)) for link in links)
    return b"".join(written) + field(1, data)


def decode(block: bytes) -> tuple[list[Link], bytes]:
    """A node's links and data, or ContentUnreadable."""
    links: list[Link] = []
    data: bytes | None = None
    for number, value in fields(block):
        match number, value:
            case 2, bytes():
                links.append(_link(value))
            case 1, bytes() if data is None:
                data = value
            case _:
                raise ContentUnreadable(f"a DAG-PB node has a stray field {number}")
    return links, data or b""


def _link(data: bytes) -> Link:
    key: Key | None = None
    name, tsize = b"", 0
    for number, value in fields(data):
        match number, value:
            case 1, bytes():
                key = to_key(value)
            case 2, bytes():
                name = value
            case 3, int():
                tsize = value
            case _:
                raise ContentUnreadable(f"a DAG-PB link has a stray field {number}")
    if key is None:
        raise ContentUnreadable("a DAG-PB link leads nowhere")
    return Link(key, name, tsize)
