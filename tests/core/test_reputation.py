"""Deeds to trust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.core.reputation import (
    DAY_MS,
    QUARANTINE_MS,
    REFERENCE_PRICE_WEI,
    STRANGER,
    Deed,
    Role,
    Standing,
    faded,
    is_quarantined,
    note,
    trust,
    weight,
)

evidence = st.builds(Standing, good=st.floats(0, 100), bad=st.floats(0, 100))
SEVERITY = (Deed.ERROR, Deed.TIMEOUT, Deed.MALFORMED, Deed.WRONG)


def test_a_stranger_is_trusted_by_half() -> None:
    assert trust(STRANGER, 0) == 0.5


@given(evidence)
def test_a_worse_deed_costs_more_whatever_the_history(standing: Standing) -> None:
    left = [trust(note(standing, deed, REFERENCE_PRICE_WEI, 0), 0) for deed in SEVERITY]
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == len(left)


@given(evidence, st.sampled_from(list(Deed)))
def test_trust_stays_between_nothing_and_all_and_moves_the_right_way(standing: Standing, deed: Deed) -> None:
    before, after = trust(standing, 0), trust(note(standing, deed, REFERENCE_PRICE_WEI, 0), 0)
    assert 0 < after < 1
    if deed.bad == 0:
        assert after >= before
    if deed.good == 0:
        assert after < before


def test_a_late_payment_weighs_three_time_outs() -> None:
    late = note(STRANGER, Deed.PAID_LATE, REFERENCE_PRICE_WEI, 0)
    timeout = note(STRANGER, Deed.TIMEOUT, REFERENCE_PRICE_WEI, 0)
    assert late.bad == 3 * timeout.bad
    assert Deed.PAID_LATE.role is Role.REQUESTOR
    assert Deed.TIMEOUT.role is Role.PROVIDER


@pytest.mark.parametrize(("good", "after_wrong"), [(20.0, 0.656), (50.0, 0.823)])
def test_one_wrong_result_undoes_what_the_table_says(good: float, after_wrong: float) -> None:
    standing = note(Standing(good=good), Deed.WRONG, REFERENCE_PRICE_WEI, 1)
    assert trust(standing, 1) == pytest.approx(after_wrong, abs=0.001)


@given(evidence, st.integers(0, 10**10), st.integers(0, 10**10))
def test_fading_twice_is_fading_once_by_the_sum(standing: Standing, first: int, second: int) -> None:
    twice = faded(faded(standing, first), first + second)
    once = faded(standing, first + second)
    assert twice.good == pytest.approx(once.good)
    assert twice.bad == pytest.approx(once.bad)


def test_the_bad_is_forgotten_slower_than_the_good() -> None:
    old = faded(Standing(good=1.0, bad=1.0), 90 * DAY_MS)
    assert old.bad == pytest.approx(0.5)
    assert old.good == pytest.approx(0.125)


def test_a_clock_that_goes_back_does_not_freshen_evidence() -> None:
    assert faded(Standing(good=1.0, at_ms=100), 50) == Standing(good=1.0, at_ms=100)


def test_what_is_at_stake_counts_within_bounds() -> None:
    assert weight(0) == 0.25
    assert weight(REFERENCE_PRICE_WEI) == 1.0
    assert weight(10**30) == 4.0


def test_a_wrong_result_is_followed_by_a_quarantine() -> None:
    caught = note(STRANGER, Deed.WRONG, 0, 1_000)
    assert is_quarantined(caught, 1_000 + QUARANTINE_MS - 1)
    assert not is_quarantined(caught, 1_000 + QUARANTINE_MS)
    assert not is_quarantined(STRANGER, 0)
