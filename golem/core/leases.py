"""How leases end on the requestor's side: by an answer, at their deadline, or with the provider gone."""

from __future__ import annotations

from golem.core.attempts import take
from golem.core.board import dismiss
from golem.core.reports import overdue
from golem.core.reputation import Deed
from golem.core.subtask import Lapsed, Phase, held
from golem.core.task import Phase as TaskPhase
from golem.core.turn import Turn
from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Delivery, Failure, Reason, Refusal


def on_answer(turn: Turn, peer: NodeId, message: Delivery | Failure | Refusal) -> None:
    """A provider answers an assignment: with the result, a failure, or a no."""
    subtask = turn.state.subtasks.get(message.subtask_id) if message.subtask_id else None
    if subtask is None or subtask.provider != peer:
        return  # forgotten long ago, or never ours: nothing to hold against anybody
    take(turn, subtask, message)


def lapse(turn: Turn, subtask_id: SubtaskId) -> None:
    """A lease is over: nothing came in time, or what came could not be checked in time."""
    subtask = turn.state.subtasks.get(subtask_id)
    if subtask and subtask.phase is Phase.VERIFYING and turn.now_ms >= subtask.deadline_ms:
        overdue(turn, subtask)
    elif subtask and subtask.phase is Phase.ASSIGNED:
        turn.note(subtask.provider, Deed.TIMEOUT, held(subtask, turn.now_ms), subtask_id, "the deadline passed")
        take(turn, subtask, Lapsed(reason="the deadline passed"))


def vanished(turn: Turn, peer: NodeId) -> None:
    """A provider is gone and did not come back in time: what it had goes to others. That is one offence, not many."""
    for board in list(turn.state.boards.values()):
        if board.task.phase is not TaskPhase.OPEN or peer not in board.offers:
            continue
        agreement = board.agreements.get(peer)
        dismiss(turn, board, peer, Reason.LATE)
        live = [turn.state.subtasks[subtask_id] for subtask_id in agreement.live] if agreement else []
        if live:
            most = max(live, key=lambda subtask: held(subtask, turn.now_ms))
            turn.note(peer, Deed.TIMEOUT, held(most, turn.now_ms), most.subtask_id, "the provider vanished")
        for subtask_id in [subtask.subtask_id for subtask in live]:
            subtask = turn.state.subtasks[subtask_id]
            if subtask.phase is Phase.ASSIGNED:  # the one before may have ended the task, and all with it
                take(turn, subtask, Lapsed(reason="the provider vanished"))
