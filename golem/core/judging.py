"""What a template's verifier says. Where it breaks or asks too much, the verdict is UNSURE and names the template.

Its answers are read as if they came from outside: what is no job and no verdict is a fault of its, and no crash later.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from golem.core import copies, sums, twins
from golem.core.checking import MAX_CHECKS, job_ids
from golem.core.subtask import Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.interfaces import Answer, IBeside, IComparing, IDistinct, IEscalating, ISumming, IVerifier, Ruling, scaled
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Verdict

MAX_REASON = 200  # characters of a template's failure that are kept

_verdicts = msgspec.msgpack.Decoder(Verdict)


def unsure(board: Board, fault: str) -> Verdict:
    """The verdict where the template, or a check of it, is at fault."""
    return Verdict(judgement=Judgement.UNSURE, reason=f"the template {board.task.spec.template}: {fault}"[:MAX_REASON])


def verifier_of(turn: Turn, board: Board) -> IVerifier:
    """Who verifies a task's results."""
    return turn.plan(board.task.task_id, board.task.spec).verifier


def has_next(turn: Turn, board: Board, subtask: Subtask) -> bool:
    """Whether there is somebody else to ask about a result."""
    return subtask.step + 1 < len(_steps(verifier_of(turn, board)))


def plan(turn: Turn, board: Board, subtask: Subtask) -> Sequence[Job] | Verdict:
    """The checks that a result wants."""
    try:
        planned = _planned(turn, board, subtask)
        jobs = tuple(islice(planned, MAX_CHECKS + 1))
        if strange := [job for job in jobs if not isinstance(job, Job)]:
            raise TypeError(f"{strange[0]!r} is no job")
    except Exception as why:  # noqa: BLE001 - a template's fault is named, and blamed on nobody else
        return unsure(board, f"its plan failed: {why!r}")
    if len(jobs) > MAX_CHECKS:
        return unsure(board, f"it plans {len(jobs)} checks of one result or more, at most {MAX_CHECKS}")
    return jobs


def _planned(turn: Turn, board: Board, subtask: Subtask) -> Sequence[Job]:
    step, (chunk, work, delivery) = _step(turn, board, subtask), _case(turn, board, subtask)
    if IComparing.providedBy(step):
        found = copies.answers(turn, board, subtask.chunk)
        return IComparing(step).referee(chunk, work, found, turn.salt)
    if IBeside.providedBy(step):
        step = IBeside(step).beside(chunk, twins.lately(turn, board, subtask.provider), board.accepted, turn.salt)
    return step.plan(chunk, work, delivery, turn.salt)


def judge(turn: Turn, board: Board, subtask: Subtask, reports: Sequence[bytes]) -> Verdict:
    """What the checks of a result mean for it."""
    try:
        step, case = _step(turn, board, subtask), _case(turn, board, subtask)
        if ISumming.providedBy(step):
            found = sums.weigh(turn, board, subtask, lambda before: ISumming(step).weigh(*case, reports, before))
        else:
            found = step.judge(*case, reports)
        return _verdicts.decode(msgspec.msgpack.encode(found))
    except Exception as why:  # noqa: BLE001 - a template's fault is named, and blamed on nobody else
        return unsure(board, f"its judgement failed: {why!r}")


def unless_copied(turn: Turn, board: Board, subtask: Subtask, verdict: Verdict) -> Verdict:
    """What becomes of a result that is to be accepted: by this verdict, or by another where it is a copy."""
    step = _step(turn, board, subtask)
    if not IDistinct.providedBy(step):
        return verdict
    reports = tuple(subtask.reports[job_id] for job_id in job_ids(subtask))
    try:
        are_distinct = bool(IDistinct(step).are_distinct(*_case(turn, board, subtask), reports))
    except Exception as why:  # noqa: BLE001 - a template's fault is named, and blamed on nobody else
        return unsure(board, f"it can't tell whether results differ: {why!r}")
    return twins.weigh(turn, board, subtask, verdict) if are_distinct else verdict


def compare(turn: Turn, board: Board, answers: Sequence[Answer], chunk: int) -> Ruling | Verdict:
    """What several providers' answers mean together."""
    found = turn.plan(board.task.task_id, board.task.spec)
    try:
        return Ruling(IComparing(found.verifier).compare(found.chunks[chunk], answers, turn.salt))
    except Exception as why:  # noqa: BLE001 - a template's fault is named, and blamed on nobody else
        return unsure(board, f"its comparison failed: {why!r}")


def _steps(verifier: IVerifier) -> Sequence[IVerifier]:
    return IEscalating(verifier).steps if IEscalating.providedBy(verifier) else (verifier,)


def _step(turn: Turn, board: Board, subtask: Subtask) -> IVerifier:
    return scaled(_steps(verifier_of(turn, board))[subtask.step], subtask.care)


def _case(turn: Turn, board: Board, subtask: Subtask) -> tuple[Chunk, Job, Delivery]:
    """What there is to judge: the piece of work, the job as its provider was given it, and what came."""
    spec = board.task.spec
    if subtask.delivery is None:
        raise AssertionError(f"{subtask.subtask_id} is verified without a delivery")
    chunk = turn.plan(board.task.task_id, spec).chunks[subtask.chunk]
    work = turn.template(spec.template).job(spec, chunk, subtask.subtask_id, subtask.provider)
    return chunk, work, subtask.delivery
