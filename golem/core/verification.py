"""From a delivery to its verdict: drawn or held, compared or checked, judged.

It always ends: fetching and every check are bounded by their own limits, and all checks of a result by a time
(`core.checking`, `core.reports`). A check that fails or hangs, or a template that breaks, makes the verdict UNSURE,
which harms nobody and has the chunk done again.
"""

from __future__ import annotations

from golem.core import checking, copies, judging, sampling
from golem.core.consequences import accept, reject
from golem.core.machine import advance
from golem.core.subtask import TABLE, Phase, Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.interfaces import IComparing, Ruling
from golem.model.ids import NodeId
from golem.model.spec import Judgement, Verdict


def arrived(turn: Turn, board: Board, subtask: Subtask) -> None:
    """A result is here."""
    verifier = judging.verifier_of(turn, board)
    if IComparing.providedBy(verifier):
        if copies.gather(turn, board, subtask):
            _compare(turn, board, subtask, IComparing(verifier).most)
    elif sampling.may_wait(turn, board, subtask, verifier):
        sampling.hold(turn, board, subtask)
    else:
        verify(turn, board, subtask)


def look(turn: Turn, board: Board, provider: NodeId) -> None:
    """Check one of the results that wait for another of their provider's, if none comes by itself."""
    if sampling.is_time(turn, board, provider):
        verify(turn, board, turn.state.subtasks[sampling.take_one(turn, board, provider)])


def verify(turn: Turn, board: Board, subtask: Subtask) -> None:
    """Have a result checked, now or when there is room."""
    subtask = sampling.closely(turn, board, subtask, judging.verifier_of(turn, board))
    turn.state.subtasks[subtask.subtask_id] = subtask
    jobs = judging.plan(turn, board, subtask)
    if isinstance(jobs, Verdict):
        decide(turn, board, subtask, jobs)
    elif not jobs:
        judge(turn, board, subtask, ())
    elif checking.has_room(turn):
        checking.begin(turn, subtask, jobs)
    else:
        checking.queue(turn, subtask)  # its checks are planned anew then, by another chance


def _compare(turn: Turn, board: Board, subtask: Subtask, most: int) -> None:
    """All answers that are out have come."""
    answers = copies.answers(turn, board, subtask.chunk)
    ruling = judging.compare(turn, board, answers, subtask.chunk)
    if isinstance(ruling, Verdict):
        decide(turn, board, subtask, ruling)
    elif ruling is Ruling.AGREED:
        reason = f"agreement: {len(answers)} providers answer the same"
        decide(turn, board, subtask, Verdict(judgement=Judgement.ACCEPT, reason=reason, checked=False))
    elif ruling is Ruling.MORE and len(answers) < most:
        copies.begin_another(turn, board, subtask.chunk)
    else:
        verify(turn, board, turn.state.subtasks[board.answers[subtask.chunk][0]])


def judge(turn: Turn, board: Board, subtask: Subtask, reports: tuple[bytes, ...]) -> None:
    """All checks have reported; what they found holds for all that are judged together."""
    verdict = judging.judge(turn, board, subtask, reports)
    if verdict.judgement is Judgement.UNSURE and judging.has_next(turn, board, subtask):
        decide(turn, board, subtask, verdict)
        return
    subtask = turn.state.subtasks[subtask.subtask_id]
    checking.end(turn, subtask)
    group = copies.together(turn, board, subtask)
    found = [(subtask, verdict)]
    found += [(one, judging.judge(turn, board, one, reports)) for one in group if one.subtask_id != subtask.subtask_id]
    for one, what in sorted(found, key=lambda pair: pair[1].judgement is not Judgement.ACCEPT):
        _close(turn, board, one, what)


def decide(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    """One verdict for all that are judged together; where it is UNSURE, ask the next, if there is one."""
    checking.end(turn, subtask)
    if verdict.judgement is Judgement.UNSURE and judging.has_next(turn, board, subtask):
        verify(turn, board, checking.escalate(turn, subtask))
        return
    for one in copies.together(turn, board, subtask):
        _close(turn, board, one, verdict)


def _close(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> None:
    if verdict.judgement is Judgement.ACCEPT:
        verdict = judging.unless_copied(turn, board, subtask, verdict)
    new, effects = advance(TABLE, subtask, verdict)
    turn.state.subtasks[new.subtask_id] = new
    turn.ask(*effects)
    if new.phase is Phase.ACCEPTED:
        accept(turn, board, new, verdict)
    else:
        reject(turn, board, new, verdict)
    if verdict.checked:
        _follow(turn, board, new)


def _follow(turn: Turn, board: Board, judged: Subtask) -> None:
    """What a verdict means for its provider's results that waited for it."""
    if judged.phase is Phase.ACCEPTED:
        reason = f"not checked itself: {judged.subtask_id}, drawn from the same provider's, was right"
        right = Verdict(judgement=Judgement.ACCEPT, reason=reason, checked=False)
        for subtask_id in sampling.let_go(board, judged.provider):
            _close(turn, board, turn.state.subtasks[subtask_id], right)
    elif judged.phase is Phase.REJECTED:
        for other in list(turn.state.boards.values()):
            for subtask_id in sampling.let_go(other, judged.provider):
                verify(turn, other, sampling.suspect(turn, subtask_id, judged))
    look(turn, board, judged.provider)
