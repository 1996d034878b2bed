"""The whole node as one machine."""

from __future__ import annotations

from golem.core.routes import route
from golem.core.state import NodeState
from golem.core.turn import Policies, Turn
from golem.model.effects import Effect
from golem.model.events import Event, Stamp


class Core:
    """A node's state, and `step`, which alone changes it. Deterministic: the same events make the same state."""

    def __init__(self, state: NodeState, policies: Policies) -> None:
        self.state = state
        self._policies = policies

    def step(self, event: Event, stamp: Stamp) -> list[Effect]:
        """Take one event and say what to do. Raises IllegalTransition where no table allows the event."""
        turn = Turn(self.state, stamp, self._policies)
        route(turn, event)
        return turn.effects
