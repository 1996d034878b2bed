"""Every list, text and number that a peer can send has a bound in its type, so that no frame builds more than it is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from golem.model.messages import Message
from golem.wire.session import Frame
from msgspec import inspect

SCALARS = (inspect.BoolType, inspect.NoneType, inspect.EnumType, inspect.LiteralType)


def unbounded(kind: inspect.Type, at: str, seen: set[type]) -> Iterator[str]:
    match kind:
        case inspect.Metadata():
            yield from unbounded(kind.type, at, seen)
        case inspect.UnionType():
            for one in kind.types:
                yield from unbounded(one, at, seen)
        case inspect.StructType():
            if kind.cls not in seen:
                seen.add(kind.cls)
                for field in kind.fields:
                    yield from unbounded(field.type, f"{kind.cls.__name__}.{field.name}", seen)
        case inspect.VarTupleType() | inspect.ListType():
            if kind.max_length is None:
                yield at
            yield from unbounded(kind.item_type, at, seen)
        case inspect.TupleType():
            for one in kind.item_types:
                yield from unbounded(one, at, seen)
        case inspect.StrType():
            if kind.max_length is None and not bounds(kind.pattern or ""):
                yield at
        case inspect.BytesType() | inspect.ByteArrayType():
            if kind.max_length is None:
                yield at
        case inspect.IntType():
            if kind.le is None and kind.lt is None:
                yield at
        case inspect.CustomType():
            if kind.cls.__name__ != "Wei":  # the codec refuses more than 12 bytes
                yield at
        case _ if not isinstance(kind, SCALARS):
            yield at


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
