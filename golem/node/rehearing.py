"""Comes to another node's verdict anew, from its evidence alone: docs/verification.md, Evidence.

    signed word -> whose it is -> the checks, by our own template -> their contents, fetched -> run here -> the verdict

What the evidence says is a stranger's word: only its own contents are fetched, within the sizes that it names, and
checks run in the sandbox, for a while at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from twisted.internet.defer import Deferred

from golem.core.asking import asking, enabled
from golem.core.checking import MAX_CHECKS
from golem.interfaces import IResourceStore, ITaskTemplate
from golem.model.evidence import Evidence
from golem.model.ids import JobId, NodeId, TaskId, derive
from golem.model.messages import Place
from golem.model.spec import Job, Judgement, Outcome, Status, Verdict
from golem.model.value import evolve
from golem.node.cases import Case, read_evidence
from golem.node.computer import Computer
from golem.verification.evidence import checks, verdict

MAX_CHECK_MS = 4 * 60_000  # a check takes seconds; whoever asks waits no longer than five minutes

Record = Mapping[str, object]


class Rehearing:
    """Needs what a node has: its network's name, its templates, a store and a computer.

    `gateway`: a node's, as far as it is known, or empty.
    """

    def __init__(
        self,
        network: str,
        templates: Mapping[str, ITaskTemplate],
        store: IResourceStore,
        computer: Computer,
        gateway: Callable[[NodeId], Place],
    ) -> None:
        self._network = network
        self._templates = templates
        self._store = store
        self._computer = computer
        self._gateway = gateway

    def hear(self, case: Case) -> Deferred[Record]:
        """A `views.Rehearing`. Raises BadParameters, UnknownTemplate, TemplateFailed, StoreFault."""
        return Deferred.fromCoroutine(self._hear(case))

    async def _hear(self, case: Case) -> Record:
        evidence = read_evidence(self._network, case)
        name = evidence.spec.template
        template = enabled(self._templates, name)
        with asking(name, "the checks of this evidence"):
            jobs = [*islice(checks(template, evidence), MAX_CHECKS)]
        sources = [place for place in (self._gateway(evidence.requestor), *case.sources) if place]
        reports = await self._reports(evidence, jobs, sources)
        if isinstance(reports, Verdict):
            found = reports
        else:
            with asking(name, "its judgement"):
                found = verdict(template, evidence, reports)
        return {
            "requestor": evidence.requestor,
            "provider": evidence.provider,
            "subtask_id": evidence.subtask_id,
            "template": name,
            "checks": len(jobs),
            "said": evidence.judgement.value,
            "said_why": evidence.reason,
            "found": found.judgement.value,
            "found_why": found.reason,
        }

    async def _reports(
        self, evidence: Evidence, jobs: Sequence[Job], sources: Sequence[Place]
    ) -> Sequence[bytes] | Verdict:
        """What the checks report; or the verdict, where one of them fails here."""
        owner = TaskId(derive("rehearing", evidence.subtask_id))
        found = []
        try:
            for one in {one.cid: one for job in jobs for one in job.inputs}.values():
                await self._store.get(one.cid, sources, one.size_bytes, owner)
            for number, job in enumerate(jobs, start=1):
                outcome = await self._run(evolve(job, job_id=JobId(derive(owner, str(number))), task_id=owner))
                if outcome.status is not Status.DONE:
                    why = f"check {number} of {len(jobs)} failed here: {outcome.status.value}: {outcome.detail}"
                    return Verdict(judgement=Judgement.UNSURE, reason=why)
                found.append(outcome.report)
        finally:
            await self._store.unpin(owner)
        return found

    async def _run(self, job: Job) -> Outcome:
        limits = evolve(job.limits, timeout_ms=min(job.limits.timeout_ms, MAX_CHECK_MS))
        try:
            return await self._computer.run(evolve(job, limits=limits))
        finally:
            await self._computer.stop(job.job_id)  # whoever asked may have hung up
