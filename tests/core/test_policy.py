"""How likely a result is checked: worked examples, and what no history can change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.core.policy import FLOOR, MARGIN, NEWCOMER, PROBATION, SAFETY, chance
from golem.core.reputation import REFERENCE_PRICE_WEI, STRANGER, Deed, Standing, note, trust

DEED = REFERENCE_PRICE_WEI  # what a deed is worth that counts once
NOW = 1_000


def after(*deeds: Deed) -> Standing:
    known = STRANGER
    for deed in deeds:
        known = note(known, deed, DEED, NOW)
    return known


def likely(known: Standing, stake: int = DEED, least: float = 0.0) -> float:
    return chance(known, trust(known, NOW), stake, least, NOW)


def test_a_stranger_and_a_newcomer_are_always_checked() -> None:
    assert likely(STRANGER) == likely(after(*[Deed.VERIFIED] * int(NEWCOMER - 1))) == 1.0


def test_a_good_name_lowers_the_chance_by_what_it_has_to_lose() -> None:
    assert likely(after(*[Deed.VERIFIED] * 50)) == pytest.approx(SAFETY / (1 + MARGIN + 5))
    assert likely(after(*[Deed.VERIFIED] * 1000)) == pytest.approx(SAFETY / (1 + MARGIN + 20))


def test_a_name_made_on_small_subtasks_is_worth_less_on_a_large_one() -> None:
    known = after(*[Deed.VERIFIED] * 50)
    assert likely(known, stake=15 * DEED) == pytest.approx(SAFETY / (1 + MARGIN + 5 / 4))


def test_history_stops_helping_right_after_a_wrong_result() -> None:
    known = after(*[Deed.VERIFIED] * 1000, Deed.WRONG)
    assert trust(known, NOW) > 0.8 and likely(known) == 1.0
    for _ in range(PROBATION - 1):
        known = note(known, Deed.VERIFIED, DEED, NOW)
    assert likely(known) == 1.0
    assert likely(note(known, Deed.VERIFIED, DEED, NOW)) < 0.2


def test_who_is_trusted_little_by_whatever_source_is_always_checked() -> None:
    known = after(*[Deed.VERIFIED] * 50)
    assert chance(known, 0.79, DEED, 0.0, NOW) == 1.0


@given(
    st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1), st.integers(0, 2**200), st.floats(0, 1), st.integers(0, 99)
)
def test_the_chance_is_one_and_never_below_the_floor_or_what_is_asked_for(
    good: float, bad: float, trusted: float, stake: int, least: float, deeds: int
) -> None:
    known = Standing(good=good, bad=bad, at_ms=NOW, wrong_ms=deeds % 2, deeds=deeds)
    assert max(FLOOR, least) <= chance(known, trusted, stake, least, NOW) <= 1.0
