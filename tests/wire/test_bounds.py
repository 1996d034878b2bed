"""Every list, text and number that a peer can send has a bound in its type, so that no frame builds more than it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import msgspec
import pytest
from msgspec import inspect

from golem.errors import Malformed
from golem.model.messages import MAX_ALONG_BYTES, Assignment, Delivery, Message
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.samples import messages
from golem.wire.codec import Decoder, encode
from golem.wire.session import Frame

decoder: Decoder[Message] = Decoder(Message)

SCALARS = (
    inspect.BoolType,
    inspect.NoneType,
    inspect.EnumType,
    inspect.LiteralType,
    inspect.UnionType,
    inspect.StructType,
    inspect.TupleType,
)


def inner(kind: inspect.Type) -> list[tuple[str, inspect.Type]]:
    """The types within a type."""
    match kind:
        case inspect.UnionType():
            return [("", one) for one in kind.types]
        case inspect.StructType():
            return [(f"{kind.cls.__name__}.{field.name}", field.type) for field in kind.fields]
        case inspect.VarTupleType() | inspect.ListType():
            return [("", kind.item_type)]
        case inspect.TupleType():
            return [("", one) for one in kind.item_types]
    return []


def has_bound(kind: inspect.Type) -> bool:
    """Whether one value of this type, without what is within it, has a largest size."""
    match kind:
        case inspect.VarTupleType() | inspect.ListType() | inspect.BytesType():
            return kind.max_length is not None
        case inspect.StrType():
            return kind.max_length is not None or bounds(kind.pattern or "")
        case inspect.IntType():
            return kind.le is not None
        case inspect.CustomType():
            return kind.cls is Wei  # the codec refuses more than 12 bytes
    return isinstance(kind, SCALARS)


def unbounded(kind: inspect.Type, at: str, seen: set[type]) -> Iterator[str]:
    """Where, within a type, something has no largest size."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if not has_bound(kind):
        yield at
    if isinstance(kind, inspect.StructType):
        if kind.cls in seen:
            return
        seen.add(kind.cls)
    for name, one in inner(kind):
        yield from unbounded(one, name or at, seen)


def bounds(pattern: str) -> bool:
    """Whether a pattern matches whole texts and repeats nothing without an end."""
    return pattern.startswith(r"\A") and pattern.endswith(r"\Z") and "*" not in pattern and "+" not in pattern


def test_every_field_of_every_frame_and_message_has_a_bound() -> None:
    for kind in (Frame, Message):
        assert list(unbounded(inspect.type_info(kind), "", set())) == []


def test_the_search_finds_what_has_none() -> None:
    class Loose(msgspec.Struct):
        names: tuple[str, ...]
        count: int

    found = list(unbounded(inspect.type_info(Loose), "", set()))
    assert found == ["Loose.names", "Loose.names", "Loose.count"]


@pytest.mark.parametrize("kind", [Assignment, Delivery])
def test_a_message_brings_so_much_content_along_and_no_more(kind: type[Message]) -> None:
    message = next(message for message in messages() if type(message) is kind)
    for more, is_taken in ((0, True), (1, False)):
        data = encode(evolve(message, along=bytes(MAX_ALONG_BYTES + more)))
        with nullcontext() if is_taken else pytest.raises(Malformed):
            decoder.decode(data)
