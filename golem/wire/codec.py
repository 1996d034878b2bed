"""Values to MessagePack and back. The only module, beside `core.machine`, where a type may be Any.

Amounts of money travel as big-endian bytes, since MessagePack stops at 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from golem.errors import Malformed
from golem.model.money import Wei
from golem.model.value import Value

T = TypeVar("T")


def _encode_odd(value: object) -> bytes:
    if isinstance(value, Wei):
        return value.to_bytes((value.bit_length() + 7) // 8, "big")
    raise NotImplementedError(f"no form on the wire for {type(value).__name__}")


def _decode_odd(kind: type, data: object) -> Wei:
    if kind is not Wei or not isinstance(data, bytes) or len(data) > 12 or data[:1] == b"\0":
        raise ValueError(f"not a {kind.__name__}")
    return Wei(int.from_bytes(data, "big"))


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_odd)


def encode(value: msgspec.Struct | Sequence[Value]) -> bytes:
    """The canonical bytes of a value: the same value has the same bytes."""
    return _encoder.encode(value)


class Decoder(Generic[T]):
    """Reads bytes as values of one type or union, or raises Malformed and nothing worse."""

    def __init__(self, kind: Any) -> None:
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind, dec_hook=_decode_odd)

    def decode(self, data: bytes | memoryview) -> T:
        """The value. Raises Malformed, saying what does not fit and where."""
        try:
            return self._decoder.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError) as why:
            raise Malformed(f"not a message: {why}") from why
