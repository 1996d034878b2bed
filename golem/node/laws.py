"""The last look before money leaves: where the books break their own laws nothing is paid, and the log says why.

Cheap enough for production; `golem.testing.invariants` holds simulated nodes to these and more after every turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.logger import Logger

from golem.core import ledger
from golem.core.state import NodeState
from golem.core.task import Board
from golem.model.effects import Deposit, Effect, Pay
from golem.node.engine import Performer, Saved

log = Logger()


def check(saved: Saved) -> None:
    """The ledger sums to zero, messages are numbered without a gap, and every board keeps its own laws.

    Raises AssertionError, with the law that is broken.
    """
    ledger.check(saved.state.ledger)
    saved.mail.check()
    for board in saved.state.boards.values():
        budget_holds(board)
        chunks_are_leased_once(saved.state, board)


def budget_holds(board: Board) -> None:
    """A task never spends and promises more than its budget."""
    committed, budget = board.spent + board.outstanding, board.task.spec.budget
    if committed > budget:
        raise AssertionError(f"task {board.task.task_id} spent and promised {committed} wei, of {budget}")


def chunks_are_leased_once(state: NodeState, board: Board) -> None:
    """A chunk is with one provider, a slow one with two, or with as many as do each; never twice with the same."""
    held: dict[int, list[str]] = {}
    for subtask_id in board.open:
        subtask = state.subtasks[subtask_id]
        held.setdefault(subtask.chunk, []).append(subtask.provider)
    for chunk, providers in held.items():
        most = board.begun.get(chunk, board.copies) if board.copies > 1 else 1 + (chunk in board.doubled)
        if len(providers) > most or len(set(providers)) < len(providers):
            raise AssertionError(f"chunk {chunk} of task {board.task.task_id} is leased to {', '.join(providers)}")


class Treasurer:
    """Implements `engine.Performer`: passes all effects on to `performer`, but for payments under broken books.

    What it withholds stays pending in the journal: a node whose books were mended pays after its next start.
    """

    def __init__(self, performer: Performer, saved: Callable[[], Saved]) -> None:
        self._performer = performer
        self._saved = saved

    def perform(self, effect: Effect, number: int) -> None:
        """Begin to carry out an effect, or refuse to spend."""
        why = broken(self._saved()) if isinstance(effect, Pay | Deposit) else ""
        if why:
            log.error("nothing is spent, since the books are broken: {why}", why=why)
        else:
            self._performer.perform(effect, number)

    def committed(self, heard: Mapping[str, int]) -> None:
        """These numbers, by peer, are on disk."""
        self._performer.committed(heard)


def broken(saved: Saved) -> str:
    """Which law is broken, or nothing."""
    try:
        check(saved)
    except AssertionError as why:
        return str(why)
    return ""
