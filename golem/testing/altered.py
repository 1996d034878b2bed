"""A value with each of its fields altered, one at a time: for what must be refused then."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import msgspec

from golem.model.messages import Reason
from golem.model.value import Value, evolve

EMPTY: dict[str, object] = {
    "sources": ("192.0.2.9:7300",),
    "reason": Reason.BUSY,
    "sums": {"a": 1.0},
    "twin": "0" * 32,
    "tiers": ("docker",),
}
"""What a field is altered to whose value says nothing of its kind, by its name."""


def paths(value: Value) -> Iterator[str]:
    """The fields that a value has; of a field that is a value, its own fields."""
    for field in msgspec.structs.fields(value):
        inner = getattr(value, field.name)
        first = inner[0] if isinstance(inner, tuple) and inner else inner
        if not isinstance(inner, Value):
            yield field.name
        if isinstance(first, Value):
            yield from (f"{field.name}.{path}" for path in paths(first))


def changes(value: Value) -> Iterator[tuple[str, Value]]:
    """Where it is altered, and what it is then."""
    for field in msgspec.structs.fields(value):
        inner = getattr(value, field.name)
        if inner in (None, (), {}):
            yield field.name, evolve(value, **{field.name: EMPTY[field.name]})
        for path, change in _altered(inner):
            yield f"{field.name}{path}", evolve(value, **{field.name: change})


def _altered(value: object) -> Iterator[tuple[str, object]]:
    match value:
        case Enum():
            yield "", next(other for other in type(value) if other is not value)
        case int():
            yield "", type(value)(value // 2 if value > 1 else 1 - value)
        case float():
            yield "", value + 0.5
        case str() | bytes():
            yield "", _other(value)
        case tuple() if value:
            yield "", ()
            yield from ((path, (change, *value[1:])) for path, change in _altered(value[0]))
        case Value():
            yield from ((f".{path}", change) for path, change in changes(value))


def _other(text: str | bytes) -> str | bytes:
    if isinstance(text, bytes):
        return bytes([text[0] ^ 1]) + text[1:] if text else b"\0"
    return text[:-1] + ("1" if text[-1:] == "0" else "0")
