"""Content ids in text and in bytes: one block by SHA2-256, raw or DAG-PB; no other kind is read here.

Version 1 is what nodes send each other: 36 bytes, or 59 characters with its base32 prefix. Version 0 is read and
written too: 34 bytes, or 46 characters of base58 that start with Qm; always DAG-PB.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from hashlib import sha256
from typing import NewType

from golem.errors import ContentMismatch, ContentUnreadable
from golem.model.ids import Cid

Key = NewType("Key", bytes)
"""A content id in its binary form."""

Chunk = bytes | memoryview
"""Some bytes of a content."""

KEY_BYTES = 36
OLD_KEY_BYTES = 34  # version 0: the bare multihash
MAX_BLOCK_BYTES = 2 << 20  # what other IPFS nodes accept (bitswap's rule)

_RAW = bytes((1, 0x55, 0x12, 32))  # version, codec, hash function, length of the digest
_DAG_PB = bytes((1, 0x70, 0x12, 32))
_OLD = bytes((0x12, 32))
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def raw_key(block: bytes | bytearray | memoryview) -> Key:
    """The id of plain bytes."""
    return Key(_RAW + sha256(block).digest())


def node_key(block: bytes) -> Key:
    """The id of an encoded DAG-PB node."""
    return Key(_DAG_PB + sha256(block).digest())


def old_key(block: bytes) -> Key:
    """The id of an encoded DAG-PB node in version 0."""
    return Key(_OLD + sha256(block).digest())


def is_raw(key: Key) -> bool:
    """Whether the block is plain bytes of a file, not a node with links."""
    return key.startswith(_RAW)


def check_block(key: Key, block: Chunk) -> None:
    """Raise ContentMismatch unless these bytes are what `key` names."""
    if sha256(block).digest() != key[-32:]:
        raise ContentMismatch(f"a block is not what {to_text(key)} names")


def to_key(data: bytes | bytearray) -> Key:
    """Take bytes for an id, or raise ContentUnreadable."""
    is_new = len(data) == KEY_BYTES and data[:4] in (_RAW, _DAG_PB)
    if not is_new and (len(data) != OLD_KEY_BYTES or data[:2] != _OLD):
        raise ContentUnreadable(f"not a CID of raw or DAG-PB by SHA2-256: {bytes(data[:40]).hex()}")
    return Key(bytes(data))


def key_bytes(data: bytes, at: int) -> int:
    """How long the id is that starts at `at`."""
    return OLD_KEY_BYTES if data.startswith(_OLD, at) else KEY_BYTES


def to_text(key: Key) -> Cid:
    """The id as users and messages write it."""
    if len(key) == OLD_KEY_BYTES:
        return Cid(_to_base58(key))
    return Cid("b" + b32encode(key).decode().lower().rstrip("="))


def from_text(cid: str) -> Key:
    """Read what `to_text` wrote; raises ContentUnreadable for anything else, such as a second spelling."""
    try:
        is_old = cid.startswith("Qm") and len(cid) == 46
        key = to_key(_from_base58(cid) if is_old else b32decode(cid[1:].upper() + "=" * (-(len(cid) - 1) % 8)))
    except ValueError as why:
        raise ContentUnreadable(f"not a content id: {cid[:120]!r}") from why
    if to_text(key) != cid:
        raise ContentUnreadable(f"not a content id as we write it: {cid[:120]!r}")
    return key


def _to_base58(key: Key) -> str:
    """Text of an id of version 0; those have no leading zeros, so none are kept."""
    number, text = int.from_bytes(key, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return text


def _from_base58(text: str) -> bytes:
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    return number.to_bytes(OLD_KEY_BYTES, "big")
