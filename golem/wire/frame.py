"""Frames: a big-endian u32 length, then that many bytes. Any chunking of the stream gives the same frames."""

from __future__ import annotations

from collections.abc import Iterator

from golem.errors import FrameTooLarge
from golem.model.budgets import FRAME, GREETING

HEAD_BYTES = 4
MAX_GREETING_BYTES = GREETING.limit  # 6x the largest hello; nobody has proved anything before a session is open
MAX_FRAME_BYTES = FRAME.limit  # an assignment with 4,096 inputs of the longest names fits


def frame(body: bytes) -> bytes:
    """One frame. Raises FrameTooLarge past what the other side would take."""
    if len(body) > MAX_FRAME_BYTES:
        raise FrameTooLarge(f"a frame of {len(body)} bytes; {MAX_FRAME_BYTES} are the most")
    return len(body).to_bytes(HEAD_BYTES, "big") + body


class FrameReader:
    """Holds at most one frame that is not whole, and what arrived after its head. `limit`: bytes in a frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.limit = MAX_GREETING_BYTES

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole now, one by one, so that `limit` may change between them.

        Exhaust it before feeding more. Raises FrameTooLarge as soon as a head is here, before its body is waited for.
        """
        buffer = self._buffer
        size = len(data) - HEAD_BYTES
        if not buffer and 0 <= size <= self.limit and int.from_bytes(data[:HEAD_BYTES], "big") == size:
            yield data[HEAD_BYTES:]  # just one, and whole: the most frequent case by far
            return
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= HEAD_BYTES:
                body = start + HEAD_BYTES
                size = int.from_bytes(buffer[start:body], "big")
                if size > self.limit:
                    raise FrameTooLarge(f"a frame of {size} bytes announced; {self.limit} are the most now")
                if len(buffer) < body + size:
                    break
                start = body + size
                yield bytes(memoryview(buffer)[body:start])
        finally:
            del buffer[:start]
