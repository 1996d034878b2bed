"""Repeats a verdict from its evidence alone, on any node that has the template and can get at the contents."""

from __future__ import annotations

from collections.abc import Sequence

from golem.interfaces import IDistinct, IEscalating, ISumming, ITaskTemplate, IVerifier, scaled
from golem.model.evidence import Evidence
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict
from golem.verification.cheap import wrong


def checks(template: ITaskTemplate, evidence: Evidence) -> Sequence[Job]:
    """The jobs that were run for the verdict: run them, and give `verdict` their reports in this order."""
    verifier, case = _case(template, evidence)
    return verifier.plan(*case, evidence.salt)


def verdict(template: ITaskTemplate, evidence: Evidence, reports: Sequence[bytes]) -> Verdict:
    """What they mean. It should say what the evidence says."""
    verifier, case = _case(template, evidence)
    if evidence.twin and IDistinct.providedBy(verifier) and IDistinct(verifier).are_distinct(*case, reports):
        return wrong(evidence.reason)
    if ISumming.providedBy(verifier):
        return ISumming(verifier).weigh(*case, reports, evidence.sums)[0]
    return verifier.judge(*case, reports)


def _case(template: ITaskTemplate, evidence: Evidence) -> tuple[IVerifier, tuple[Chunk, Job, Delivery]]:
    spec = evidence.spec
    chunk = template.split(spec)[evidence.chunk]
    work = template.job(spec, chunk, evidence.subtask_id, evidence.provider)
    verifier = template.verifier(spec)
    steps = IEscalating(verifier).steps if IEscalating.providedBy(verifier) else (verifier,)
    return scaled(steps[evidence.step], evidence.care), (chunk, work, evidence.delivery)
