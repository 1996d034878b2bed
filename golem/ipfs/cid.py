"""Content ids in text and in bytes: CIDv1 of one block by SHA2-256, raw or DAG-PB; no other kind is read here.

So every id is 36 bytes long, and 59 characters with its base32 prefix.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from hashlib import sha256
from typing import NewType

from golem.errors import ContentMismatch, ContentUnreadable
from golem.model.ids import Cid

Key = NewType("Key", bytes)
"""A content id in its binary form."""

KEY_BYTES = 36
MAX_BLOCK_BYTES = 2 << 20  # what other IPFS nodes accept (bitswap's rule)

_RAW = bytes((1, 0x55, 0x12, 32))  # version, codec, hash function, length of the digest
_DAG_PB = bytes((1, 0x70, 0x12, 32))


def raw_key(block: bytes | bytearray | memoryview) -> Key:
    """The id of plain bytes."""
    return Key(_RAW + sha256(block).digest())


def node_key(block: bytes) -> Key:
    """The id of an encoded DAG-PB node."""
    return Key(_DAG_PB + sha256(block).digest())


def is_raw(key: Key) -> bool:
    """Whether the block is plain bytes of a file, not a node with links."""
    return key.startswith(_RAW)


def check_block(key: Key, block: bytes) -> None:
    """Raise ContentMismatch unless these bytes are what `key` names."""
    if sha256(block).digest() != key[4:]:
        raise ContentMismatch(f"a block is not what {to_text(key)} names")


def to_key(data: bytes | bytearray) -> Key:
    """Take bytes for an id, or raise ContentUnreadable."""
    if len(data) != KEY_BYTES or data[:4] not in (_RAW, _DAG_PB):
        raise ContentUnreadable(f"not a CIDv1 of raw or DAG-PB by SHA2-256: {bytes(data[:40]).hex()}")
    return Key(bytes(data))


def to_text(key: Key) -> Cid:
    """The id as users and messages write it."""
    return Cid("b" + b32encode(key).decode().lower().rstrip("="))


def from_text(cid: str) -> Key:
    """Read what `to_text` wrote; raises ContentUnreadable for anything else, such as a second spelling."""
    try:
        key = to_key(b32decode(cid[1:].upper() + "=" * (-(len(cid) - 1) % 8)))
    except ValueError as why:
        raise ContentUnreadable(f"not a content id: {cid[:120]!r}") from why
    if to_text(key) != cid:
        raise ContentUnreadable(f"not a content id as we write it: {cid[:120]!r}")
    return key
