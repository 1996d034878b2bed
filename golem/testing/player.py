"""Plays a scenario and says what held. What can't be done is skipped, and then nothing has passed."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from typing import NamedTuple

from golem.errors import ConfigError, Refused
from golem.testing.conditions import Watch
from golem.testing.faults import Fault
from golem.testing.levels import SIM, Level
from golem.testing.record import Record
from golem.testing.scenario import Scenario, Step
from golem.testing.shrink import shrink
from golem.testing.stage import Stage

HELD, BROKEN, SKIPPED = "held", "broken", "skipped"
PASSED, FAILED = "passed", "failed"
NO_FAULT, NO_NODE = "this level has no such fault", "this level has no such node, so nothing was played"


class Verdict(NamedTuple):
    """What became of one line of the scenario."""

    line: int
    what: str
    outcome: str
    detail: str = ""


class Played(NamedTuple):
    """One run. `trace`: equal where two runs took the same turns. `story`: the last turns, where it failed."""

    scenario: Scenario
    level: str
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


def play(scenario: Scenario, level: Level = SIM) -> Played:
    """Run it once. Where the level has not all that the scenario asks of it, what it lacks is skipped.

    Raises Fault where its nodes do not come up.
    """
    strangers = [member for member in scenario.members if member.behave and member.behave not in level.minds]
    lack = level.lack()
    if strangers or lack:
        skipped = [Verdict(member.line, f"{member.name}: {member.behave}", SKIPPED, NO_NODE) for member in strangers]
        skipped += [Verdict(0, f"level {level.name}", SKIPPED, lack)] if lack else []
        return Played(scenario, level.name, tuple(skipped), Record({}, {}, lambda: 0), 0, "", "")
    with tempfile.TemporaryDirectory(prefix="golem-") as folder:
        stage = level.stage(Path(folder), scenario)
        try:
            player = _Player(scenario, stage, level)
            failure = player.play()
        finally:
            left = stage.close()
        gc.collect()  # a Deferred says that nobody heard of its failure when it is garbage
        return player.judge(failure, left)


class _Player:
    def __init__(self, scenario: Scenario, stage: Stage, level: Level) -> None:
        self._scenario = scenario
        self._stage = stage
        self._level = level
        self._watches = [Watch(expectation) for expectation in scenario.expect]
        self._steps = -1

    def play(self) -> str:
        """To the end, whatever comes; says what failed."""
        failure = ""
        try:
            self._stage.storm(tuple(fault for fault in self._scenario.faults if self._is_able(fault)))
            for step in self._scenario.steps:
                self._take(step)
            self._stage.run_until(self._is_over, self._limit_s())
        except AssertionError as why:
            failure = str(why).partition("\n")[0] or "an assertion"
        except Refused as why:
            failure = str(why)
        return failure or (self._settle() if self._scenario.is_quiet else "")

    def _is_able(self, fault: Fault) -> bool:
        return type(fault).__name__.lower() in self._level.kinds

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
        if self._stage.steps != self._steps:
            self._steps = self._stage.steps
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

    def judge(self, failure: str, left: list[str]) -> Played:
        """What held, once the network has ended. `left`: what it left behind."""
        stage = self._stage
        verdicts = [
            Verdict(self._scenario.lines[fault], str(fault), SKIPPED, NO_FAULT)
            for fault in self._scenario.faults
            if not self._is_able(fault)
        ]
        for watch in self._watches:
            watch.end()
            outcome = BROKEN if watch.broken else HELD
            verdicts.append(Verdict(watch.expectation.line, str(watch.expectation), outcome, watch.broken))
        loud = [f"{line.who}: {line.text}" for line in stage.record.lines if line.is_loud]
        for what, found in (
            ("every step and every invariant", [failure] if failure else []),
            ("no failure, and no Deferred whose failure nobody heard of", stage.troubles),
            ("no ERROR line", loud),
            ("nothing is left", left),
        ):
            verdicts.append(Verdict(0, what, BROKEN if found else HELD, found[0] if found else ""))
        is_broken = any(verdict.outcome == BROKEN for verdict in verdicts)
        return Played(
            scenario=self._scenario,
            level=self._level.name,
            verdicts=tuple(sorted(verdicts)),
            record=stage.record,
            ended_ms=stage.now_ms,
            trace=stage.trace,
            story=stage.story() if is_broken else "",
        )


def shrunk(failed: Played, level: Level = SIM) -> Played:
    """The same failure with the fewest faults that it needs. Raises ConfigError where nothing failed."""
    if failed.outcome != FAILED:
        raise ConfigError(f"{failed.scenario.name}: it did not fail, so there is nothing to shrink")
    what = failed.broken[0].what

    def fails(faults: tuple[Fault, ...]) -> bool:
        return any(verdict.what == what for verdict in play(failed.scenario._replace(faults=faults), level).broken)

    return play(failed.scenario._replace(faults=shrink(failed.scenario.faults, fails)), level)
