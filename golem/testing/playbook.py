"""A machine's story as a script: what it hears, what it asks for, what it refuses."""

from __future__ import annotations

from typing import Generic, TypeVar

from golem.core.machine import HasPhase, Step, Table, advance
from golem.errors import IllegalTransition
from golem.model.effects import Effect

S = TypeVar("S", bound=HasPhase)


class Play(Generic[S]):
    """Drives one machine. Effects that nobody asked about fail the next line of the play."""

    def __init__(self, table: Table[S], state: S) -> None:
        self._table = table
        self.state = state
        self._asked: tuple[Effect, ...] = ()

    def hears(self, event: object) -> Play[S]:
        """An event comes in."""
        assert not self._asked, f"nobody spoke of {self._asked}"
        step: Step[S] = advance(self._table, self.state, event)
        self.state, self._asked = step.state, tuple(step.effects)
        return self

    def asks(self, *effects: Effect) -> Play[S]:
        """Just these effects were asked for, in this order."""
        assert self._asked == effects, f"asked for {self._asked}, not {effects}"
        self._asked = ()
        return self

    def is_now(self, phase: object) -> Play[S]:
        """The machine stands here."""
        assert self.state.phase is phase, f"{self.state.phase} is not {phase}"
        return self

    def refuses(self, event: object) -> Play[S]:
        """No row of the table takes this event, and it changes nothing."""
        before = self.state
        try:
            advance(self._table, self.state, event)
        except IllegalTransition:
            assert self.state is before
            return self
        raise AssertionError(f"{before} takes {event}")
