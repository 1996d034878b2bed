"""CAR v1: a header, then blocks, each with its id and its length in front."""

from __future__ import annotations

from collections.abc import Iterator

from golem.errors import ContentMismatch, ContentUnreadable
from golem.ipfs import varint
from golem.ipfs.cid import KEY_BYTES, MAX_BLOCK_BYTES, Key, to_key

MAX_HEADER_BYTES = 1024  # one root makes 59; ours is compared with nothing, since ids of blocks say all


def header(root: Key) -> bytes:
    """A CAR's start: DAG-CBOR of {"roots": [root], "version": 1}."""
    body = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00" + root + b"\x67version\x01"
    return varint.encode(len(body)) + body


def section(key: Key, block: bytes) -> bytes:
    """One block."""
    return varint.encode(KEY_BYTES + len(block)) + key + block


class CarReader:
    """Finds the blocks in a CAR that arrives in pieces, wherever it is cut; checks none of them.

    Holds at most one block more than it was fed. Raises ContentMismatch for what is no CAR: its sender is to blame.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._has_header = False

    def feed(self, data: bytes) -> Iterator[tuple[Key, bytes]]:
        """The blocks that are whole now. Exhaust it before the next call."""
        self._data += data
        at = 0
        try:
            while (found := self._section(at)) is not None:
                start, end = found
                if self._has_header:
                    with memoryview(self._data) as view:
                        key, block = (
                            to_key(bytes(view[start : start + KEY_BYTES])),
                            bytes(view[start + KEY_BYTES : end]),
                        )
                    yield key, block
                self._has_header = True
                at = end
        except ContentUnreadable as why:
            raise ContentMismatch(f"not a CAR: {why}") from why
        del self._data[:at]

    def _section(self, at: int) -> tuple[int, int] | None:
        """Where the section at `at` has its contents, if it is all here."""
        try:
            length, start = varint.decode(self._data, at)
        except IndexError:
            return None
        if length > (KEY_BYTES + MAX_BLOCK_BYTES if self._has_header else MAX_HEADER_BYTES):
            raise ContentMismatch(f"not a CAR: a section of {length} bytes")
        return (start, start + length) if start + length <= len(self._data) else None
