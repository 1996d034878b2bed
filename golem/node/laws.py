"""The last look before money leaves: where the books break their own laws nothing is paid, and the log says why.

Cheap enough for production; `golem.testing.invariants` holds simulated nodes to these and more after every turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.logger import Logger

from golem.core import ledger
from golem.core.state import NodeState
from golem.model.effects import Deposit, Effect, Pay
from golem.node.engine import Performer

log = Logger()


def broken(state: NodeState) -> str:
    """Which law of the books is broken, or nothing: they sum to zero, and no task spends more than its budget."""
    try:
        ledger.check(state.ledger)
    except AssertionError as why:
        return str(why)
    for task_id, board in state.boards.items():
        committed, budget = board.spent + board.outstanding, board.task.spec.budget
        if committed > budget:
            return f"task {task_id} spent and promised {committed} wei, of {budget}"
    return ""


class Treasurer:
    """Implements `engine.Performer`: passes all effects on to `performer`, but for payments under broken books.

    What it withholds stays pending in the journal: a node whose books were mended pays after its next start.
    """

    def __init__(self, performer: Performer, state: Callable[[], NodeState]) -> None:
        self._performer = performer
        self._state = state

    def perform(self, effect: Effect, number: int) -> None:
        """Begin to carry out an effect, or refuse to spend."""
        why = broken(self._state()) if isinstance(effect, Pay | Deposit) else ""
        if why:
            log.error("nothing is spent, since the books are broken: {why}", why=why)
        else:
            self._performer.perform(effect, number)

    def committed(self, heard: Mapping[str, int]) -> None:
        """These numbers, by peer, are on disk."""
        self._performer.committed(heard)
