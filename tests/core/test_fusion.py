"""One trust from three sources, and what liars can make of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.core.fusion import (
    GLOBAL_WEIGHT,
    MOST_HEARD,
    Hearsay,
    Opinion,
    Voice,
    belief,
    credibility,
    fuse,
    voice_weight,
)
from golem.core.reputation import PRIOR_WEIGHT, STRANGER, Standing, trust

counts = st.floats(0, 200)
standings = st.builds(Standing, good=counts, bad=counts)
voices = st.builds(Voice, st.builds(Opinion, good=counts, bad=counts), st.floats(0, 1), counts)
hearsays = st.builds(Hearsay, mean=st.floats(0, 1), raters=st.floats(0, 1e6), epoch=st.just(1))


@given(standings)
def test_with_nothing_heard_trust_is_what_we_saw(own: Standing) -> None:
    assert fuse(own, [], None).trust == pytest.approx(trust(own, 0))


def test_a_stranger_nobody_speaks_of_has_half() -> None:
    assert fuse(STRANGER, [], None).trust == 0.5


@given(standings, st.lists(voices, max_size=20), hearsays)
def test_the_network_moves_trust_by_no_more_than_its_weight(own: Standing, said: list[Voice], hearsay: Hearsay) -> None:
    without, fused = fuse(own, said, None), fuse(own, said, hearsay)
    evidence = sum(without.own) + sum(without.heard) + PRIOR_WEIGHT
    assert 0 < fused.trust < 1
    assert abs(fused.trust - without.trust) <= GLOBAL_WEIGHT / (GLOBAL_WEIGHT + evidence) + 1e-9


@given(standings, st.lists(voices, max_size=40))
def test_all_recommendations_together_weigh_twenty_deeds(own: Standing, said: list[Voice]) -> None:
    assert sum(fuse(own, said, None).heard) <= MOST_HEARD + 1e-6


@given(st.integers(1, 50), st.floats(0, 20))
def test_a_recommender_that_splits_into_many_has_no_more_to_say(parts: int, earned: float) -> None:
    whole = fuse(STRANGER, [Voice(Opinion(good=50.0, bad=0.0), 1.0, earned)], None)
    split = [Voice(Opinion(good=50.0, bad=0.0), 1.0, earned / parts)] * parts
    assert sum(fuse(STRANGER, split, None).heard) <= max(sum(whole.heard), min(earned, MOST_HEARD)) + 1e-6


def test_who_never_did_anything_for_us_has_no_voice() -> None:
    assert fuse(STRANGER, [Voice(Opinion(good=100.0, bad=0.0), 1.0, 0.0)] * 100, None).trust == 0.5


def test_who_is_not_believed_or_says_nothing_has_no_voice() -> None:
    said = [Voice(Opinion(good=9.0, bad=0.0), 0.3, 10.0), Voice(Opinion(good=0.0, bad=0.0), 1.0, 10.0)]
    assert fuse(STRANGER, said, None).trust == 0.5


def test_a_neighbour_is_believed_as_far_as_it_agrees_with_us() -> None:
    good, bad = Standing(good=20.0), Standing(bad=20.0)
    agreeing = [(good, Opinion(good=15.0, bad=0.0)), (bad, Opinion(good=0.0, bad=15.0))] * 4
    lying = [(good, Opinion(good=0.0, bad=15.0)), (bad, Opinion(good=15.0, bad=0.0))] * 4
    between = [(good, Opinion(good=10.0, bad=4.0))]
    assert credibility(agreeing, 0.9) > 0.8
    assert credibility(lying, 0.9) < 0.1
    assert credibility(agreeing, 0.3) == pytest.approx(credibility(agreeing, 0.9) / 10)
    assert credibility([], 0.9) == 0.0
    assert credibility(between, 0.9) == 0.0, "neither close nor far says nothing"


def test_a_voice_in_the_gossip_never_weighs_more_than_one() -> None:
    assert voice_weight(STRANGER) == 0.0
    assert voice_weight(Standing(good=5.0)) == 0.5
    assert voice_weight(Standing(good=1e9)) < 1.0


def test_the_network_is_believed_as_far_as_nothing_contradicts_it() -> None:
    good, bad = Standing(good=20.0), Standing(bad=20.0)
    praised = Hearsay(mean=0.95, raters=50.0, epoch=1)
    assert belief([]) == 1.0
    assert belief([(good, praised)] * 9) == 1.0
    assert belief([(bad, praised)] * 9) < 0.05
    assert fuse(STRANGER, [], praised, 0.0).trust == 0.5
