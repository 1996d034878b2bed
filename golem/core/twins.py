"""A result that equals one that was accepted before, where its template says that right ones never do: a copy.

    of another chunk      WRONG: what is right there can't be right here
    of the same chunk     UNSURE: it is not paid twice, and who copied from whom nobody can tell

Only what was accepted counts, so that nobody can be made a copyist by one who was first with what others will answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from golem.core.subtask import Phase, Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.model.ids import NodeId, SubtaskId, derive
from golem.model.messages import Delivery
from golem.model.spec import Judgement, Verdict

LATELY = 256  # attempts, of all providers: whoever hands in one render again and again has some of its own among them


def weigh(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> Verdict:
    """What becomes of a result that is to be accepted by this verdict, and that no right one equals."""
    first = board.twins.setdefault(_key(subtask), subtask.subtask_id)
    if first == subtask.subtask_id:
        return verdict
    original = turn.state.subtasks[first]
    is_elsewhere = original.chunk != subtask.chunk
    reason = f"copy: the very result of {first}, chunk {original.chunk}, which was accepted; two right ones differ"
    return Verdict(judgement=Judgement.WRONG if is_elsewhere else Judgement.UNSURE, reason=reason)


def lately(turn: Turn, board: Board, provider: NodeId) -> Mapping[int, Delivery]:
    """What was accepted of a provider, by chunk, among the last attempts."""
    attempts = (turn.state.subtasks[subtask_id] for subtask_id in board.history[-LATELY:])
    accepted = (one for one in attempts if one.provider == provider and one.phase is Phase.ACCEPTED)
    return {one.chunk: one.delivery for one in accepted if one.delivery is not None}


def twin(board: Board, subtask: Subtask) -> SubtaskId | None:
    """The attempt whose equal result was accepted before, if that is known."""
    first = board.twins.get(_key(subtask))
    return None if first == subtask.subtask_id else first


def _key(subtask: Subtask) -> str:
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is compared without a delivery")
    return subtask.delivery.result or derive("report", subtask.delivery.report.hex())
