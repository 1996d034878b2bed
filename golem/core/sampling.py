"""Results that are not drawn for a check wait for one that is: accepted or looked at with it.

    held --a check of its provider's is right--> accepted, unchecked
      |--one is wrong or malformed--> all that is held of this provider, in all tasks, is checked
      '--nothing more comes, or MAX_HELD, or HOLD_MS--> one of those held, drawn by chance, is checked

An acceptance is a promise that the contract enforces, so nothing is promised that may have to be taken back: a
provider that cheats stakes all that it has not been paid for, and an honest one loses no more than a wrong result.
"""

from __future__ import annotations

from golem.core.checking import give_time
from golem.core.policy import FLOOR, chance
from golem.core.reputation import Role
from golem.core.subtask import Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.interfaces import ISampled, IVerifier
from golem.model.drawing import happens, one_of
from golem.model.ids import NodeId, SubtaskId
from golem.model.value import evolve

MAX_HELD = 32  # results of one provider and task; one check in so many is not dear
HOLD_MS = 10 * 60_000  # no provider waits longer for its acceptance, unless its check does


def may_wait(turn: Turn, board: Board, subtask: Subtask, verifier: IVerifier) -> bool:
    """Whether a result need not be checked by itself: the template allows it, and the draw passed it over."""
    if not ISampled.providedBy(verifier):
        return False
    least = max(ISampled(verifier).least, _wished(turn, board))
    return not happens(_chance(turn, subtask, least), turn.salt, subtask.subtask_id)


def closely(turn: Turn, board: Board, subtask: Subtask, verifier: IVerifier) -> Subtask:
    """The result, to be checked as closely as its provider has made necessary.

    Where results are sampled, by the stricter step of two; where all are checked, with more care.
    """
    if ISampled.providedBy(verifier):
        strict = ISampled(verifier).strict
        is_strict = subtask.step < strict and _chance(turn, subtask, 0.0) >= 1.0
        return evolve(subtask, step=strict) if is_strict else subtask
    is_drawn = happens(FLOOR, turn.salt, f"closely/{subtask.subtask_id}")
    return evolve(subtask, care=1.0 if is_drawn else _chance(turn, subtask, _wished(turn, board)))


def _wished(turn: Turn, board: Board) -> float:
    return max(board.task.spec.check_share, turn.settings.check_share)


def _chance(turn: Turn, subtask: Subtask, least: float) -> float:
    trust = turn.trust(subtask.provider, Role.PROVIDER)
    return chance(turn.standing(subtask.provider, Role.PROVIDER), trust, subtask.cap, least, turn.now_ms)


def hold(turn: Turn, board: Board, subtask: Subtask) -> None:
    """Keep a result until it is known what another of its provider's is worth."""
    board.held.setdefault(subtask.provider, []).append(subtask.subtask_id)
    give_time(turn, subtask, HOLD_MS)


def is_held(board: Board, subtask: Subtask) -> bool:
    """Whether a result waits so."""
    return subtask.subtask_id in board.held.get(subtask.provider, ())


def take_one(turn: Turn, board: Board, provider: NodeId) -> SubtaskId:
    """One of a provider's results that wait, by chance; it waits no more."""
    held = board.held[provider]
    return held.pop(one_of(len(held), turn.salt, provider))


def is_time(turn: Turn, board: Board, provider: NodeId) -> bool:
    """Whether those that wait can't go on waiting for others."""
    held = len(board.held.get(provider, ()))
    if not held or _is_looked_at(turn, provider):
        return False
    agreement = board.agreements.get(provider)
    return held >= MAX_HELD or agreement is None or not agreement.live


def _is_looked_at(turn: Turn, provider: NodeId) -> bool:
    queued = (*turn.state.checking, *turn.state.to_check)
    return any(turn.state.subtasks[subtask_id].provider == provider for subtask_id in queued)


def suspect(turn: Turn, subtask_id: SubtaskId, caught: Subtask) -> Subtask:
    """A result that waited, now to be checked for what another of its provider's was; it says so."""
    subtask = turn.state.subtasks[subtask_id]
    return evolve(subtask, reason=f"checked because {caught.subtask_id}, by the same provider, was refused")


def let_go(board: Board, provider: NodeId) -> list[SubtaskId]:
    """All of a provider's results that waited."""
    return board.held.pop(provider, [])
