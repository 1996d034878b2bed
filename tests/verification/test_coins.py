"""What the throws of coins say against honest providers, and that it is little."""

from __future__ import annotations

import math
from random import Random

import pytest

from golem.verification.coins import Coin, evidence, summed


def test_evidence_against_a_fair_coin_grows_with_its_bias() -> None:
    assert evidence(Coin()) == 0
    assert evidence(Coin(50, 100)) < 0 < evidence(Coin(70, 100)) < evidence(Coin(90, 100))
    assert evidence(Coin(30, 100)) == pytest.approx(evidence(Coin(70, 100)))


def test_a_slight_bias_gathers_and_a_fair_coin_gathers_nothing() -> None:
    fair: dict[str, float] = {}
    biased: dict[str, float] = {}
    for _ in range(20):
        fair = summed(fair, {"noise": Coin(500, 1000)})
        biased = summed(biased, {"noise": Coin(535, 1000)})
    assert max(fair.values()) == 0
    assert evidence(Coin(535, 1000)) < 0, "one result says nothing"
    assert max(biased, key=lambda name: biased[name]) == "noise +4%"
    assert max(biased.values()) == pytest.approx(20 * (535 * math.log(1.08) + 465 * math.log(0.92)))


def test_who_was_honest_for_long_has_no_credit_by_it() -> None:
    late: dict[str, float] = {}
    for _ in range(1000):
        late = summed(late, {"noise": Coin(500, 1000)})
    assert summed(late, {"noise": Coin(350, 1000)}) == summed({}, {"noise": Coin(350, 1000)})
    assert summed({}, {"noise": Coin(350, 1000)})["noise -12%"] > 40


def test_a_fair_coin_seldom_gathers_much() -> None:
    chance, sums, most = Random(5), dict[str, float](), 0.0
    for _ in range(3_000):
        sums = summed(sums, {"noise": Coin(chance.getrandbits(300).bit_count(), 300)})
        most = max(most, *sums.values())
    assert most < math.log(3_000 * len(sums))
