"""The one idiom for state machines: a frozen value, a table, and a step that says what to do.

A table maps (phase, type of event) to a handler `(state, event) -> Step(state, effects)`. What no row allows raises
IllegalTransition and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from golem.errors import IllegalTransition
from golem.model.effects import Effect


class HasPhase(Protocol):
    """State that a table can be looked up by."""

    @property
    def phase(self) -> Any:
        """Where the machine stands."""


S = TypeVar("S", bound=HasPhase)


class Step(NamedTuple, Generic[S]):
    """The next state, and the effects in the order in which they must happen."""

    state: S
    effects: tuple[Effect, ...] = ()


Table = Mapping[tuple[Any, type], Callable[[S, Any], Step[S]]]


def advance(table: Table[S], state: S, event: object) -> Step[S]:
    """Take one step, or raise IllegalTransition naming machine, phase and event."""
    handler = table.get((state.phase, type(event)))
    if handler is None:
        raise IllegalTransition(f"{state!r} does not take {type(event).__name__}")
    return handler(state, event)
