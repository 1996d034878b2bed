"""What the throws of coins say against honest providers, and that it is little."""

from __future__ import annotations

import pytest

from golem.verification.coins import Coin, evidence


def test_evidence_against_a_fair_coin_grows_with_its_bias() -> None:
    assert evidence(Coin()) == 0
    assert evidence(Coin(50, 100)) < 0 < evidence(Coin(70, 100)) < evidence(Coin(90, 100))
    assert evidence(Coin(30, 100)) == pytest.approx(evidence(Coin(70, 100)))
