"""Frames that nest without end, or announce more than they may hold, are refused before they cost anything."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from golem.errors import PeerError
from golem.model.messages import Message
from golem.wire.codec import Decoder
from golem.wire.envelope import MAX_BODY_BYTES, Messages
from golem.wire.frame import MAX_FRAME_BYTES, FrameReader
from golem.wire.session import Frame

MOST_BYTES = 64 << 10  # a refusal takes 1 KiB, mostly its text
NAMES, PRUNE = b"\x82\xa4type\xa6Digest\xa3ids", b"\x81\xa4type\xa5Prune"

BOMBS = {
    "lists in lists": b"\x91" * MAX_BODY_BYTES,
    "maps in maps": b"\x81\xa1a" * (MAX_BODY_BYTES // 3),
    "in a field that nobody knows": b"\x82\xa4type\xa5Hello\xa1x" + b"\x81\xa1a" * (MAX_BODY_BYTES // 3),
    "in a message": b"\x91\x82\xa4type\xa5Prune\xa1x" + b"\x91" * MAX_BODY_BYTES,
    "a million nothings": b"\xdd" + (10**6).to_bytes(4, "big") + b"\xc0" * 10**6,
    "a hundred thousand messages": b"\xdd" + (10**5).to_bytes(4, "big") + PRUNE * 10**5,
    "names without end": b"\x91" + NAMES + b"\xdd" + (10**5).to_bytes(4, "big") + (b"\xd9\x20" + b"a" * 32) * 10**5,
    "four billion names announced": b"\x91" + NAMES + b"\xdd\xff\xff\xff\xff",
    "four gigabytes announced": b"\x82\xa4type\xa3Bye\xa6reason\xdb\xff\xff\xff\xff",
}


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", (Frame, Messages), ids=("frame", "body"))
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_decode_bomb_is_refused_and_takes_no_memory(bomb: bytes, kind: type[Message]) -> None:
    decoder: Decoder[Message] = Decoder(kind)
    with little_memory(), pytest.raises(PeerError):
        decoder.decode(bomb)


@pytest.mark.parametrize("size", (MAX_FRAME_BYTES + 1, 2**32 - 1))
def test_more_than_a_frame_announced_is_refused_at_the_fourth_byte(size: int) -> None:
    reader = FrameReader()
    reader.limit = MAX_FRAME_BYTES
    with little_memory(), pytest.raises(PeerError):
        list(reader.feed(size.to_bytes(4, "big")))
