"""Unsigned varints as multiformats write them: seven bits a byte, least first, minimal, at most nine bytes."""

from __future__ import annotations

from golem.errors import ContentUnreadable

MAX_VARINT_BYTES = 9  # the multiformats rule: 63 bits
_MORE = 0x80  # set in every byte but the last


def encode(number: int) -> bytes:
    """The one form of `number`, which is at least 0 and below 2**63."""
    if number < _MORE:
        return bytes((number,))
    out = bytearray()
    while number >= _MORE:
        out.append(number & 0x7F | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """The number that starts at `at`, and where the next thing starts.

    Raises ContentUnreadable for one that is too long or padded, IndexError where the data ends inside it.
    """
    number = shift = 0
    for position in range(at, at + MAX_VARINT_BYTES):
        byte = data[position]
        number |= (byte & 0x7F) << shift
        if byte < _MORE:
            if byte == 0 and shift:
                raise ContentUnreadable("a varint is padded")
            return number, position + 1
        shift += 7
    raise ContentUnreadable("a varint is longer than nine bytes")
