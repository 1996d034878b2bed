"""The executor that follows a script keeps the contract, where it claims to do what real ones do."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import msgspec
import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from golem.model.spec import Capability, Job, Outcome, Status
from golem.testing.clock import Clock
from golem.testing.contract_executor import Bench, ExecutorContract
from golem.testing.executor import ScriptedExecutor


class TestScriptedExecutor(ExecutorContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        clock = Clock()

        def script(job: Job, output: Path) -> Outcome:
            run = run_path(str(bench.programs / f"{job.program}.py"))["run"]
            try:
                report = run(msgspec.json.decode(job.params), "", str(output))
            except ValueError as why:
                return Outcome(status=Status.ERROR, detail=f"ValueError: {why}")
            return Outcome(status=Status.DONE, report=msgspec.json.encode(report))

        executor = ScriptedExecutor(clock, script, Capability(tier="scripted", cores=1, memory_bytes=1 << 30))
        bench = Bench(executor, clock, tmp_path)
        return bench

    def wait(self, test: Deferred[None], bench: Bench) -> None:
        assert isinstance(bench.clock, Clock)
        ended: list[Failure | None] = []
        test.addBoth(ended.append)
        bench.clock.advance(30)
        for failure in ended:
            if failure is not None:
                failure.raiseException()
        assert ended
