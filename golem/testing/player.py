"""Plays a scenario and says what held. What can't be done is skipped, and then nothing has passed."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from typing import NamedTuple

from twisted.logger import globalLogPublisher

from golem.errors import ConfigError, Refused
from golem.testing.conditions import Watch
from golem.testing.faults import Fault
from golem.testing.record import Record
from golem.testing.scenario import Scenario, Step
from golem.testing.shrink import shrink
from golem.testing.stage import SimStage

HELD, BROKEN, SKIPPED = "held", "broken", "skipped"
PASSED, FAILED = "passed", "failed"


class Verdict(NamedTuple):
    """What became of one line of the scenario."""

    line: int
    what: str
    outcome: str
    detail: str = ""


class Played(NamedTuple):
    """One run. `trace`: equal where two runs took the same turns. `story`: the last turns, where it failed."""

    scenario: Scenario
    verdicts: tuple[Verdict, ...]
    record: Record
    ended_ms: int
    trace: str
    story: str

    @property
    def outcome(self) -> str:
        """Broken wins over skipped, and skipped over held."""
        found = {verdict.outcome for verdict in self.verdicts}
        return FAILED if BROKEN in found else SKIPPED if SKIPPED in found else PASSED

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """What did not hold."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome == BROKEN)


def play(scenario: Scenario, kinds: frozenset[str] | None = None) -> Played:
    """Run it once, in memory. `kinds`: the faults that may be used, in lower case, if not all."""
    with tempfile.TemporaryDirectory() as folder:
        stage = SimStage(Path(folder), scenario)
        globalLogPublisher.addObserver(stage.record)
        try:
            return _Player(scenario, stage, kinds).play()
        finally:
            globalLogPublisher.removeObserver(stage.record)
            stage.close()


class _Player:
    def __init__(self, scenario: Scenario, stage: SimStage, kinds: frozenset[str] | None) -> None:
        self._scenario = scenario
        self._stage = stage
        self._kinds = kinds
        self._watches = [Watch(expectation) for expectation in scenario.expect]
        self._steps = -1

    def play(self) -> Played:
        """To the end, whatever comes."""
        able = [fault for fault in self._scenario.faults if self._is_able(fault)]
        unable = [fault for fault in self._scenario.faults if not self._is_able(fault)]
        failure = ""
        try:
            self._stage.storm(tuple(able))
            for step in self._scenario.steps:
                self._take(step)
            self._stage.run_until(self._is_over, self._limit_s())
        except AssertionError as why:
            failure = str(why).partition("\n")[0] or "an assertion"
        except Refused as why:
            failure = str(why)
        settled = self._settle() if self._scenario.is_quiet and not failure else ""
        gc.collect()  # a Deferred says that nobody heard of its failure when it is garbage
        return self._judge(unable, failure or settled)

    def _is_able(self, fault: Fault) -> bool:
        return self._kinds is None or type(fault).__name__.lower() in self._kinds

    def _take(self, step: Step) -> None:
        if step.submit:
            self._stage.submit(step)
        elif step.until is not None:
            until = step.until
            self._stage.run_until(lambda: self._saw() and bool(until.holds(self._stage.look)), step.within_ms / 1000)
        else:
            end_ms = self._stage.now_ms + step.wait_ms
            self._stage.run_until(lambda: self._saw() and self._stage.now_ms >= end_ms, step.wait_ms / 1000 + 1)

    def _saw(self) -> bool:
        """Look at everything that is expected, once for each turn of any node."""
        world = self._stage.net.world
        if world.steps != self._steps:
            self._steps = world.steps
            for watch in self._watches:
                watch.look(self._stage.now_ms, self._stage.look)
        return True

    def _is_over(self) -> bool:
        self._saw()
        last_ms = max((fault.at_ms + fault.for_ms for fault in self._scenario.faults), default=0)
        return self._stage.now_ms >= last_ms and not any(watch.is_pending for watch in self._watches)

    def _limit_s(self) -> float:
        """Past it nothing can be met any more: each expectation breaks at its own limit."""
        limits = [expectation.within_ms for expectation in self._scenario.expect]
        ends = [fault.at_ms + fault.for_ms for fault in self._scenario.faults]
        return (sum([*limits, *ends, 60_000])) / 1000

    def _settle(self) -> str:
        try:
            self._stage.settle(self._saw)
        except AssertionError as why:
            return str(why).partition("\n")[0] or "the books do not agree"
        finally:
            self._saw()
        return ""

    def _judge(self, unable: list[Fault], failure: str) -> Played:
        verdicts = [
            Verdict(self._scenario.lines[fault], str(fault), SKIPPED, "this level has no such fault")
            for fault in unable
        ]
        for watch in self._watches:
            watch.end()
            outcome = BROKEN if watch.broken else HELD
            verdicts.append(Verdict(watch.expectation.line, str(watch.expectation), outcome, watch.broken))
        troubles = self._stage.net.world.troubles
        loud = [line for line in self._stage.record.lines if line.is_loud]
        for what, found in (
            ("every step and every invariant", failure),
            ("no failure, and no Deferred whose failure nobody heard of", troubles[0] if troubles else ""),
            ("no ERROR line", f"{loud[0].who}: {loud[0].text}" if loud else ""),
        ):
            verdicts.append(Verdict(0, what, BROKEN if found else HELD, found))
        world = self._stage.net.world
        is_broken = any(verdict.outcome == BROKEN for verdict in verdicts)
        return Played(
            scenario=self._scenario,
            verdicts=tuple(sorted(verdicts)),
            record=self._stage.record,
            ended_ms=self._stage.now_ms,
            trace=world.trace.hexdigest(),
            story=self._stage.net.story() if is_broken else "",
        )


def shrunk(failed: Played) -> Played:
    """The same failure with the fewest faults that it needs. Raises ConfigError where nothing failed."""
    if failed.outcome != FAILED:
        raise ConfigError(f"{failed.scenario.name}: it did not fail, so there is nothing to shrink")
    what = failed.broken[0].what

    def fails(faults: tuple[Fault, ...]) -> bool:
        return any(verdict.what == what for verdict in play(failed.scenario._replace(faults=faults)).broken)

    return play(failed.scenario._replace(faults=shrink(failed.scenario.faults, fails)))
