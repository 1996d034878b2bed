"""Tries how fast this machine is at each template's work, once; offers tell it, and requestors take it for a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from golem.core.state import NodeState
from golem.interfaces import Gauge, IGauged, ITaskTemplate
from golem.model.events import Gauged
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Job, Limits, Outcome, Status

TRIES = 3  # in one worker: the first may load a renderer, which a task pays for once
MOST_MS = 60_000  # of one try: a machine that takes longer says nothing of itself
QUIET_S = 20.0  # after the start, and from one look at whether there is no other work to the next
CPUINFO = Path("/proc/cpuinfo")

log = Logger()


def processor(cpuinfo: Path = CPUINFO) -> str:
    """What this machine's processor calls itself, or nothing."""
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


class Machine(Protocol):
    """What is tried."""

    @property
    def is_idle(self) -> bool:
        """Whether there is no other work, which would be kept waiting, and make the machine look slow."""

    def run(self, job: Job) -> Deferred[Outcome]:
        """Run a job. Never fails."""


class Gauger(Service):
    """Runs the templates' gauges as jobs, one by one, while there is nothing else to do, and posts what came of them.

    The node's state remembers: nothing is tried again before environment, tier or processor change.
    """

    def __init__(
        self,
        templates: Mapping[str, ITaskTemplate],
        clock: IReactorTime,
        machine: Machine,
        state: Callable[[], NodeState],
        post: Callable[[Gauged], None],
    ) -> None:
        self._templates = templates
        self._clock = clock
        self._machine = machine
        self._state = state
        self._post = post
        self._pause: Deferred[None] | None = None

    def startService(self) -> None:
        """Begin, beside everything else."""
        super().startService()
        done: Deferred[None] = Deferred.fromCoroutine(self._try_all())
        done.addErrback(lambda trouble: trouble.trap(CancelledError))
        done.addErrback(lambda trouble: log.failure("this machine's speed can't be tried", failure=trouble))

    def stopService(self) -> None:
        """Begin no more."""
        super().stopService()
        if self._pause is not None:
            self._pause.cancel()

    async def _try_all(self) -> None:
        for name, template in self._templates.items():
            if self.running and IGauged.providedBy(template):
                await self._quiet()
                await self._try_one(name, template.environment.name, IGauged(template).gauge)

    async def _try_one(self, template: str, environment: str, gauge: Gauge) -> None:
        state = self._state()
        if state.started is None or environment not in state.started.capability.environments:
            return
        machine = f"{environment}, {state.started.capability.tier}, {processor()}"
        known = state.gauges.get(template)
        if known is None or known.machine != machine:
            percent = await self._try(template, gauge)
            if percent and self.running:
                self._post(Gauged(template=template, machine=machine, percent=percent))

    async def _quiet(self) -> None:
        """Done when there is no other work, and the owner would have some done."""
        is_quiet = False
        while not is_quiet:
            self._pause = deferLater(self._clock, QUIET_S)
            await self._pause
            is_quiet = self._machine.is_idle and self._state().resting is None

    async def _try(self, template: str, gauge: Gauge) -> int:
        """This machine's speed in percent; 0 where it can't be told."""
        took_ms = MOST_MS
        for number in range(TRIES):
            outcome = await self._machine.run(
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
