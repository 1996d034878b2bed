"""The one idiom for messages, events, effects and state: frozen, keyword-only, tagged by class name.

Built on msgspec.Struct (docs/adr/0002-values.md: a quarter of the cost of frozen attrs on the engine's turn, and the
same class is what the wire and the journal read and write). Types are checked where bytes are decoded.
"""

from __future__ import annotations

from typing import dataclass_transform

import msgspec

evolve = msgspec.structs.replace


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _ValueMeta(msgspec.StructMeta):
    """Makes every subclass keyword-only, and tells type checkers that it is that and frozen."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, object], **config: bool) -> _ValueMeta:
        """Set what msgspec does not inherit."""
        return super().__new__(mcls, name, bases, namespace, **{"kw_only": True, **config})  # type: ignore[arg-type]  # one mapping for keywords of several types


class Value(msgspec.Struct, metaclass=_ValueMeta, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Base of every value. Change one with `evolve(value, field=...)`."""
