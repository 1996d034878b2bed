"""Tries how fast this machine is at each template's work, once; offers tell it, and requestors take it for a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from golem.core.state import NodeState
from golem.interfaces import Gauge, IGauged, ITaskTemplate
from golem.model.events import Gauged
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Job, Limits, Outcome, Status

TRIES = 3  # in one worker: the first may load a renderer, which a task pays for once
MOST_MS = 60_000  # of one try: a machine that takes longer says nothing of itself
CPUINFO = Path("/proc/cpuinfo")

log = Logger()


def processor(cpuinfo: Path = CPUINFO) -> str:
    """What this machine's processor calls itself, or nothing."""
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


class Gauger(Service):
    """Runs the templates' gauges as jobs, one after the other, and posts what came of them.

    The node's state remembers: nothing is tried again before environment, tier or processor change.
    """

    def __init__(
        self,
        templates: Mapping[str, ITaskTemplate],
        run: Callable[[Job], Deferred[Outcome]],
        state: Callable[[], NodeState],
        post: Callable[[Gauged], None],
    ) -> None:
        self._templates = templates
        self._run = run
        self._state = state
        self._post = post

    def startService(self) -> None:
        """Begin, beside everything else."""
        super().startService()
        done: Deferred[None] = Deferred.fromCoroutine(self._try_all())
        done.addErrback(lambda trouble: log.failure("this machine's speed can't be tried", failure=trouble))

    async def _try_all(self) -> None:
        started = self._state().started
        capability = started.capability if started else None
        for name, template in self._templates.items():
            environment = template.environment.name
            if capability is None or environment not in capability.environments or not IGauged.providedBy(template):
                continue
            machine = f"{environment}, {capability.tier}, {processor()}"
            known = self._state().gauges.get(name)
            if known is not None and known.machine == machine:
                continue
            percent = await self._try(name, IGauged(template).gauge)
            if not self.running:
                return
            if percent:
                self._post(Gauged(template=name, machine=machine, percent=percent))

    async def _try(self, template: str, gauge: Gauge) -> int:
        """This machine's speed in percent; 0 where it can't be told."""
        took_ms = MOST_MS
        for number in range(TRIES):
            outcome = await self._run(
                Job(
                    job_id=JobId(derive("gauge", template, number)),
                    task_id=TaskId(derive("gauge", template)),
                    template=template,
                    program=gauge.program,
                    params=gauge.params,
                    limits=Limits(timeout_ms=MOST_MS),
                    warm=True,
                )
            )
            if outcome.status is not Status.DONE:
                log.warn(
                    "this machine's speed at {template} can't be tried: {status}: {detail}",
                    template=template,
                    status=outcome.status.value,
                    detail=outcome.detail,
                )
                return 0
            took_ms = min(took_ms, outcome.used_ms)
        return round(100 * gauge.takes_ms / max(1, took_ms))
