"""Frames out of any stream of bytes."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import FrameTooLarge
from golem.wire.frame import MAX_FRAME_BYTES, MAX_GREETING_BYTES, FrameReader, frame


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(1, 50), min_size=1))
def test_chunking_never_matters(bodies: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(map(frame, bodies))
    reader, found, at = FrameReader(), [], 0
    while at < len(stream):
        size = sizes[at % len(sizes)]
        found += reader.feed(stream[at : at + size])
        at += size
    assert found == bodies


@pytest.mark.parametrize("size", [MAX_GREETING_BYTES + 1, 1 << 30, 2**32 - 1])
def test_a_frame_that_is_too_large_is_refused_at_its_fourth_byte(size: int) -> None:
    reader = FrameReader()
    head = size.to_bytes(4, "big")
    assert list(reader.feed(head[:3])) == []
    with pytest.raises(FrameTooLarge, match=str(size)):
        list(reader.feed(head[3:]))


def test_the_limit_may_change_between_two_frames_of_one_chunk() -> None:
    reader = FrameReader()
    large = bytes(MAX_GREETING_BYTES + 1)
    frames = reader.feed(frame(b"first") + frame(large))
    assert next(frames) == b"first"
    reader.limit = MAX_FRAME_BYTES
    assert next(frames) == large


def test_a_frame_that_the_other_side_would_refuse_is_not_made() -> None:
    assert len(frame(bytes(MAX_FRAME_BYTES))) == MAX_FRAME_BYTES + 4
    with pytest.raises(FrameTooLarge):
        frame(bytes(MAX_FRAME_BYTES + 1))


def test_a_frame_that_drips_in_costs_its_own_size_and_linear_time() -> None:
    reader = FrameReader()
    reader.limit = MAX_FRAME_BYTES
    data = frame(bytes(1 << 20))
    tracemalloc.start()
    found = [body for at in range(0, len(data), 16) for body in reader.feed(data[at : at + 16])]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found[0]) == 1 << 20 and peak < 4 << 20
