"""An attempt goes on: whatever its provider says of it, and what follows from where it stands then."""

from __future__ import annotations

from golem.core.board import fill, leave
from golem.core.consequences import ended
from golem.core.machine import advance
from golem.core.reputation import Deed
from golem.core.subtask import TABLE, Phase, Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.core.verification import arrived, look
from golem.model.ids import SubtaskId
from golem.model.messages import Place
from golem.model.value import evolve

ENDED_BADLY = frozenset({Phase.FAILED, Phase.LOST, Phase.RETURNED})


def take(turn: Turn, subtask: Subtask, event: object) -> None:
    """Advance an attempt by an event, and see to what follows."""
    board = turn.state.boards[subtask.task_id]
    new, effects = advance(TABLE, subtask, event)
    turn.state.subtasks[subtask.subtask_id] = new
    turn.ask(*effects)
    if new.phase is subtask.phase:
        return
    if subtask.phase is Phase.ASSIGNED and new.phase in (Phase.FETCHING, Phase.VERIFYING):
        new = _delivered(turn, board, new)
    if new.phase is Phase.VERIFYING:
        arrived(turn, board, new)
    elif new.phase in ENDED_BADLY:
        ended(turn, board, new)
    look(turn, board, new.provider)


def deceived(turn: Turn, subtask_id: SubtaskId, source: Place) -> None:
    """A gateway sent other bytes than a result's id names: that is its provider's deed."""
    subtask = turn.state.subtasks.get(subtask_id)
    if subtask is not None and subtask.gateway == source:
        why = "its gateway sent other bytes than its result's id names"
        turn.note(subtask.provider, Deed.FALSE_BYTES, subtask.cap, subtask_id, why)


def _delivered(turn: Turn, board: Board, subtask: Subtask) -> Subtask:
    """The provider's clock stops; it is free for its next subtask, which goes out in this same turn."""
    new = evolve(subtask, delivered_ms=turn.now_ms)
    turn.state.subtasks[new.subtask_id] = new
    if agreement := board.agreements.get(new.provider):
        took = (turn.now_ms - new.assigned_ms) / max(1, len(agreement.live))
        agreement.pace_ms = took if not agreement.pace_ms else 0.8 * agreement.pace_ms + 0.2 * took
    leave(board, new)
    fill(turn, board)
    return new
