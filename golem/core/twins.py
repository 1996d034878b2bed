"""A result that equals one that was accepted before, where its template says that right ones never do: a copy.

    of another chunk      WRONG: what is right there can't be right here
    of the same chunk     UNSURE: it is not paid twice, and who copied from whom nobody can tell

Only what was accepted counts, so that nobody can be made a copyist by one who was first with what others will answer.
"""

from __future__ import annotations

from golem.core.subtask import Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.model.ids import SubtaskId, derive
from golem.model.spec import Judgement, Verdict


def weigh(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> Verdict:
    """What becomes of a result that is to be accepted by this verdict, and that no right one equals."""
    first = board.twins.setdefault(_key(subtask), subtask.subtask_id)
    if first == subtask.subtask_id:
        return verdict
    original = turn.state.subtasks[first]
    is_elsewhere = original.chunk != subtask.chunk
    reason = f"copy: the very result of {first}, chunk {original.chunk}, which was accepted; two right ones differ"
    return Verdict(judgement=Judgement.WRONG if is_elsewhere else Judgement.UNSURE, reason=reason)


def twin(board: Board, subtask: Subtask) -> SubtaskId | None:
    """The attempt whose equal result was accepted before, if that is known."""
    first = board.twins.get(_key(subtask))
    return None if first == subtask.subtask_id else first


def _key(subtask: Subtask) -> str:
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is compared without a delivery")
    return subtask.delivery.result or derive("report", subtask.delivery.report.hex())
