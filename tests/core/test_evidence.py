"""Deeds are kept one by one, as far as there is room, and add up to the sums that trust is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.core.evidence import MOST_DEEDS, MOST_RATED, Noted, keep
from golem.core.knowledge import rated
from golem.core.reputation import DAY_MS, STRANGER, Deed, Role, faded, note
from golem.model.messages import Rated
from golem.testing.solo import BEGIN_MS, Solo

BOB = Rated("provider/" + "02" + "b" * 64)
deeds = st.lists(
    st.tuples(st.sampled_from(list(Deed)), st.integers(0, 10**18), st.integers(0, 100 * DAY_MS)), max_size=MOST_DEEDS
)


@given(deeds, st.integers(0, 100 * DAY_MS))
def test_kept_deeds_add_up_to_the_evidence_whenever_they_were_done(
    done: list[tuple[Deed, int, int]], later_ms: int
) -> None:
    standing, now_ms = STRANGER, 0
    kept: dict[Rated, list[Noted]] = {}
    for deed, price_wei, passed_ms in done:
        now_ms += passed_ms
        standing = note(standing, deed, price_wei, now_ms)
        keep(kept, BOB, Noted(at_ms=now_ms, deed=deed.name, price_wei=price_wei))
    now_ms += later_ms
    worths = [noted.worth(now_ms) for noted in kept.get(BOB, [])]
    own = faded(standing, now_ms)
    assert sum(good for good, _ in worths) == pytest.approx(own.good)
    assert sum(bad for _, bad in worths) == pytest.approx(own.bad)


def test_of_one_node_the_latest_are_kept_and_of_nodes_those_heard_of_last() -> None:
    kept: dict[Rated, list[Noted]] = {}
    for number in range(MOST_DEEDS + 3):
        keep(kept, BOB, Noted(at_ms=number, deed="PAID", price_wei=0))
    assert [noted.at_ms for noted in kept[BOB]] == list(range(3, MOST_DEEDS + 3))
    for number in range(MOST_RATED):
        keep(kept, Rated(f"provider/02{number:064x}"), Noted(at_ms=0, deed="PAID", price_wei=0))
        if number == 0:
            keep(kept, BOB, Noted(at_ms=99, deed="PAID", price_wei=0))
    assert len(kept) == MOST_RATED
    assert BOB in kept
    assert Rated(f"provider/02{0:064x}") not in kept


def test_a_deed_is_kept_with_the_subtask_it_is_about_and_what_was_found() -> None:
    me = Solo()
    bob = me.meet("bob")
    turn = me.turn()
    turn.note(bob, Deed.WRONG, 10**15, "5" * 32, "x" * 300)
    (noted,) = me.state.dealings.deeds[rated(bob, Role.PROVIDER)]
    assert (noted.at_ms, noted.deed, noted.price_wei, noted.about) == (BEGIN_MS, "WRONG", 10**15, "5" * 32)
    assert noted.why == "x" * 200
