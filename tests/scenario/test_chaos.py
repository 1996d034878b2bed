"""Whole markets under drawn faults: some seeds hold, runs replay exactly, and planted bugs are found."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from golem.testing.chaos import Plan, main, run, shrunk, told
from tests.scenario.planted import BUGS

pytestmark = pytest.mark.scenario
SMALL = Plan(nodes=6, length_ms=12 * 60_000)
WITHIN = 16  # seeds; benchmarks.simulation says how many each takes
RARE = {"straggler_stretches"}  # takes more seeds than a test may: benchmarks.simulation tries it


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_market_holds_under_all_the_faults_of_a_seed(seed: int) -> None:
    done = run(seed, SMALL)
    assert not done.failure, told(shrunk(done, SMALL), SMALL)


def test_a_run_is_the_same_again_and_under_another_hash_seed_and_another_seed_is_not() -> None:
    script = "from golem.testing.chaos import Plan, run; print(run(2, Plan(6, 720_000)).trace)"
    traces = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert traces == {run(2, SMALL).trace} != {run(3, SMALL).trace}


@pytest.mark.parametrize("name", sorted(BUGS.keys() - RARE))
def test_a_planted_bug_is_found(name: str) -> None:
    for seed in range(1, WITHIN + 1):
        with BUGS[name]():
            failure = run(seed, SMALL).failure
        assert "nobody foresaw" not in failure, "it broke a part, not a law"
        if failure:
            return
    pytest.fail(f"{name} is not found within {WITHIN} seeds")


def test_a_failure_is_told_by_the_fewest_faults_and_replays_exactly() -> None:
    with BUGS["unconfirmed_counts"]():
        failed = next(done for seed in range(1, WITHIN) if (done := run(seed, SMALL)).failure)
        least = shrunk(failed, SMALL)
        assert len(least.faults) <= len(failed.faults)
        assert run(least.seed, SMALL, least.faults) == least
    text = told(least, SMALL)
    assert f"seed {least.seed} fails at step {least.steps}" in text and "again: python -m golem.testing.chaos" in text


def test_the_command_says_that_seeds_hold_or_replays_one() -> None:
    out = io.StringIO()
    assert main(["--seeds", "1", "--nodes", "3", "--minutes", "6", "--workers", "1"], out) == 0
    assert main(["--seed", "1", "--nodes", "3", "--minutes", "6", "--faults", "[]"], out) == 0
    assert "1 seeds hold: 3 nodes, 6 simulated minutes each" in out.getvalue() and "trace" in out.getvalue()
