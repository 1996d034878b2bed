"""What swaps say against honest providers, and that it is little."""

from __future__ import annotations

import math

import pytest

from golem.verification.swaps import Swap, evidence, likeliest, summed


def noise(*nats: float) -> dict[str, Swap]:
    return {"noise": Swap(units=1_000, nats={f"+{number}": one for number, one in enumerate(nats)})}


def test_evidence_is_the_mean_over_all_biases_and_names_the_likeliest() -> None:
    assert evidence({}) == 0 and likeliest({}) == ""
    assert evidence({"+1": 2.0, "-1": 2.0}) == pytest.approx(2.0)
    assert evidence({"+1": 20.0, "-1": -400.0}) == pytest.approx(20.0 - math.log(2))
    assert evidence({"+1": 5_000.0, "-1": -9_000.0}) == pytest.approx(5_000.0 - math.log(2)), "and never overflows"
    assert likeliest({"+1": 2.0, "-1": -2.0}) == "+1"


def test_a_slight_bias_gathers_and_what_speaks_for_somebody_is_forgotten() -> None:
    sums: dict[str, float] = {}
    for _ in range(5):
        sums = summed(sums, noise(2.0, -3.0))
    assert sums == {"noise +0": 10.0, "noise +1": 0.0}


def test_who_was_honest_for_long_has_no_credit_by_it() -> None:
    late: dict[str, float] = {}
    for _ in range(100):
        late = summed(late, noise(-1.0))
    assert summed(late, noise(8.0)) == summed({}, noise(8.0)) == {"noise +0": 8.0}
