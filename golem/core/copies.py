"""Chunks that several providers do, each its own copy, and whose answers are compared.

    begun --delivered--> waiting --the last of them--> compared: all accepted, or one more begun, or the referee

A provider never has two copies of one chunk. What the referee finds right makes the chunk's result; who is paid for
it is every provider that was right.
"""

from __future__ import annotations

from collections.abc import Sequence

from golem.core.board import fill
from golem.core.checking import give_time
from golem.core.reputation import Role
from golem.core.subtask import Subtask
from golem.core.task import LIVE, Board
from golem.core.turn import Turn
from golem.interfaces import Answer

LOOK_MS = 2 * 60_000  # so often it is seen whether others still do the chunk: four announcements of the task


def gather(turn: Turn, board: Board, subtask: Subtask) -> bool:
    """An answer is in; says whether it was the last that is out."""
    waiting = board.answers.setdefault(subtask.chunk, [])
    waiting.append(subtask.subtask_id)
    give_time(turn, subtask, LOOK_MS)
    return len(waiting) == board.begun.setdefault(subtask.chunk, board.copies)


def answers(turn: Turn, board: Board, chunk: int) -> list[Answer]:
    """Those that are in, with the trust in who gave them."""
    found: list[Answer] = []
    for subtask in _waiting(turn, board, chunk):
        if subtask.delivery is None:
            raise AssertionError(f"{subtask.subtask_id} is compared without a delivery")
        trust = turn.trust(subtask.provider, Role.PROVIDER)
        found.append(Answer(provider=subtask.provider, trust=trust, delivery=subtask.delivery))
    return found


def begin_another(turn: Turn, board: Board, chunk: int) -> None:
    """One more provider is to do a chunk."""
    board.begun[chunk] += 1
    board.pending.append(chunk)
    fill(turn, board)


def others_come(board: Board, chunk: int) -> bool:
    """Whether anybody does a chunk whose answer is not in yet."""
    return board.task.phase in LIVE and len(board.doers[chunk]) > len(board.answers[chunk])


def call_off(board: Board, chunk: int) -> None:
    """Nobody is there to do one more copy of a chunk."""
    board.pending = [one for one in board.pending if one != chunk]


def together(turn: Turn, board: Board, subtask: Subtask) -> Sequence[Subtask]:
    """Who is judged with an attempt: all that answered the same, or it alone. They wait no more."""
    if subtask.chunk not in board.answers:
        return (turn.state.subtasks[subtask.subtask_id],)
    found = _waiting(turn, board, subtask.chunk)
    del board.answers[subtask.chunk]
    board.begun[subtask.chunk] = board.copies  # where none of them is right, it begins anew
    return found


def _waiting(turn: Turn, board: Board, chunk: int) -> list[Subtask]:
    return [turn.state.subtasks[subtask_id] for subtask_id in board.answers[chunk]]
