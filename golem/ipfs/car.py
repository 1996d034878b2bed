"""CAR v1: a header, then blocks, each with its id and its length in front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from golem.errors import ContentMismatch, ContentUnreadable
from golem.ipfs import varint
from golem.ipfs.cid import KEY_BYTES, MAX_BLOCK_BYTES, Key, key_bytes, to_key

MAX_HEADER_BYTES = 1024  # one root makes 59; ours is compared with nothing, since ids of blocks say all


def header(root: Key) -> bytes:
    """A CAR's start: DAG-CBOR of {"roots": [root], "version": 1}."""
    body = b"\xa2\x65roots\x81\xd8\x2a\x58" + bytes((1 + len(root), 0)) + root + b"\x67version\x01"
    return varint.encode(len(body)) + body


def lead(key: Key, size: int) -> bytes:
    """What stands before a block of `size` bytes."""
    return varint.encode(len(key) + size) + key


def section(key: Key, block: bytes) -> bytes:
    """One block."""
    return lead(key, len(block)) + block


class CarReader:
    """Finds the blocks in a CAR that arrives in pieces, wherever it is cut; checks none of them.

    Holds at most one block more than it was fed. Raises ContentMismatch for what is no CAR: its sender is to blame.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._have = 0  # bytes in them
        self._need = 0  # bytes before it is worth looking again; joining at every piece would copy each many times
        self._has_header = False

    def feed(self, pieces: Sequence[bytes]) -> Iterator[tuple[Key, memoryview]]:
        """Take some more; the blocks that are whole now. Exhaust it before the next call."""
        if self.add(pieces):
            yield from self.blocks()

    def add(self, pieces: Sequence[bytes]) -> bool:
        """Take some more; whether it is worth looking at `blocks`."""
        self._pieces += pieces
        self._have += sum(map(len, pieces))
        return self._have >= self._need

    def blocks(self) -> Iterator[tuple[Key, memoryview]]:
        """The blocks that are whole now. Exhaust it before taking more."""
        whole, at = b"".join(self._pieces), 0
        view = memoryview(whole)
        try:
            while (found := self._section(whole, at)) is not None:
                start, at = found
                if self._has_header:
                    split = min(at, start + key_bytes(whole, start))
                    yield to_key(whole[start:split]), view[split:at]
                self._has_header = True
        except ContentUnreadable as why:
            raise ContentMismatch(f"not a CAR: {why}") from why
        self._pieces = [whole[at:]]
        self._have = len(whole) - at

    def _section(self, whole: bytes, at: int) -> tuple[int, int] | None:
        """Where the section at `at` has its contents, if it is all here; else what is needed of it is noted."""
        self._need = 0
        try:
            length, start = varint.decode(whole, at)
        except IndexError:
            return None
        if length > (KEY_BYTES + MAX_BLOCK_BYTES if self._has_header else MAX_HEADER_BYTES):
            raise ContentMismatch(f"not a CAR: a section of {length} bytes")
        if start + length <= len(whole):
            return start, start + length
        self._need = start + length - at
        return None
