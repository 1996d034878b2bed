"""Asks a verifier as a requestor's node does: plans, runs the checks, judges, goes on to the next step where unsure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.interfaces import Answer, IComparing, IEscalating, ISampled, IVerifier, Ruling
from golem.model.ids import NodeId, check_id
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Status, Verdict
from golem.model.value import evolve
from golem.testing.bench import Bench

MAX_CHECKS = 64  # as in the core
TRUST = 0.5  # a stranger's


def judged(bench: Bench, verifier: IVerifier, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Verdict:
    """What becomes of one delivery of a stranger's, of whom all is checked that can be."""
    steps, first = (verifier,), 0
    if IEscalating.providedBy(verifier):
        steps = tuple(IEscalating(verifier).steps)
        first = int(ISampled(verifier).strict) if ISampled.providedBy(verifier) else 0
    verdict = Verdict(judgement=Judgement.UNSURE, reason="no step was asked")
    for number in range(first, len(steps)):
        verdict = _step(bench, steps[number], chunk, work, delivery, salt)
        if verdict.judgement is not Judgement.UNSURE:
            break
    return verdict


def ruled(
    bench: Bench, verifier: IVerifier, chunk: Chunk, answers: Mapping[NodeId, tuple[Job, Delivery]], salt: bytes
) -> dict[NodeId, Verdict]:
    """What becomes of several strangers' deliveries for one chunk, where they are compared."""
    told = [Answer(provider=node, trust=TRUST, delivery=made) for node, (_, made) in answers.items()]
    if IComparing(verifier).compare(chunk, told, salt) is Ruling.AGREED:
        return {node: Verdict(judgement=Judgement.ACCEPT, reason="they agree") for node in answers}
    work, made = next(iter(answers.values()))
    jobs = IComparing(verifier).referee(chunk, work, told, salt)
    reports = _reports(bench, jobs, work, made)
    return {
        node: verifier.judge(chunk, work, made, reports) if isinstance(reports, list) else reports
        for node, (work, made) in answers.items()
    }


def _step(bench: Bench, verifier: IVerifier, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Verdict:
    reports = _reports(bench, verifier.plan(chunk, work, delivery, salt), work, delivery)
    return verifier.judge(chunk, work, delivery, reports) if isinstance(reports, list) else reports


def _reports(bench: Bench, jobs: Sequence[Job], work: Job, delivery: Delivery) -> list[bytes] | Verdict:
    """What the planned checks report, or the verdict where one of them fails."""
    if len(jobs) > MAX_CHECKS:
        return Verdict(judgement=Judgement.UNSURE, reason=f"{len(jobs)} checks were planned, at most {MAX_CHECKS}")
    reports = []
    for index, job in enumerate(jobs):
        outcome = bench.run(evolve(job, job_id=check_id(delivery.subtask_id, index), task_id=work.task_id))
        if outcome.status is not Status.DONE:
            return Verdict(judgement=Judgement.UNSURE, reason=f"check {index + 1}: {outcome.detail}"[:4096])
        reports.append(outcome.report)
    return reports
