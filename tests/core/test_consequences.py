"""What follows from a fault, played through: the earlier and the more honestly it is owned up to, the less."""

from __future__ import annotations

import pytest

from golem.core.reputation import STRANGER, Deed, Role, Standing, is_quarantined, note, trust
from golem.model import events as e
from golem.model.ids import Cid, SubtaskId
from golem.model.messages import Acceptance, Assignment, Delivery, Failure, Rejection
from golem.model.spec import Judgement
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import RESULT, Toy
from tests.core.test_checking import hiring

BOB = f"provider/{FixedKeyring('bob').node_id}"
DEED = 10**15


def after(good: int, *deeds: Deed) -> float:
    known = STRANGER
    for deed in (*[Deed.VERIFIED] * good, *deeds):
        known = note(known, deed, DEED, 1_000)
    return trust(known, 1_000)


@pytest.mark.parametrize(
    ("deed", "from_20", "from_50"),
    [
        (Deed.VERIFIED, 0.957, 0.981),
        (Deed.ERROR, 0.944, 0.976),
        (Deed.TIMEOUT, 0.913, 0.962),
        (Deed.MALFORMED, 0.875, 0.944),
        (Deed.WRONG, 0.656, 0.823),
    ],
)
def test_worked_examples(deed: Deed, from_20: float, from_50: float) -> None:
    assert after(20, deed) == pytest.approx(from_20, abs=6e-4)
    assert after(50, deed) == pytest.approx(from_50, abs=6e-4)


def hired(judgement: Judgement = Judgement.ACCEPT) -> Solo:
    """A requestor for whom bob does one chunk, known for fifty good results."""
    me = hiring(Toy(chunks=1, judgement=judgement))
    me.state.standings[BOB] = Standing(good=50.0, deeds=50, at_ms=me.now_ms)
    return me


def at_hand(me: Solo) -> SubtaskId:
    return next(iter(me.state.subtasks))


def delivered(me: Solo, content: bool = False) -> None:
    result = RESULT if content else Cid("")
    me.hear("bob", Delivery(subtask_id=at_hand(me), result=result, size_bytes=0, report=b"{}", used_ms=1_000), 1_000)


def owns_up() -> Solo:
    me = hired()
    me.hear("bob", Failure(subtask_id=at_hand(me), detail="no memory"), 1_000)
    return me


def lets_time_run_out() -> Solo:
    me = hired()
    me.post(e.TimerFired(name=f"lease/{at_hand(me)}"), after_ms=200_000)
    return me


def withholds() -> Solo:
    me = hired()
    delivered(me, content=True)
    me.post(e.Failed(key=f"result/{at_hand(me)}", fault="ContentMissing", detail="nobody has it"), 200_000)
    return me


def sends_rubbish() -> Solo:
    me = hired(Judgement.MALFORMED)
    delivered(me)
    return me


def lies() -> Solo:
    me = hired(Judgement.WRONG)
    delivered(me)
    return me


def test_each_fault_weighs_more_than_the_one_before_and_none_is_paid() -> None:
    played = [owns_up(), lets_time_run_out(), sends_rubbish(), lies()]
    trusts = [me.trust("bob", Role.PROVIDER) for me in played]
    assert trusts == sorted(trusts, reverse=True) and len(set(trusts)) == 4 and trusts[0] < 51 / 52
    for me in played:
        assert not me.said(Acceptance) and not me.state.ledger.owing


def test_to_withhold_is_as_bad_as_to_let_time_run_out() -> None:
    assert withholds().trust("bob", Role.PROVIDER) == pytest.approx(
        lets_time_run_out().trust("bob", Role.PROVIDER), abs=1e-6
    )


def test_only_a_lie_ends_an_agreement_and_keeps_its_provider_out() -> None:
    for fault in (owns_up, lets_time_run_out, withholds, sends_rubbish):
        assert fault().said(Assignment), f"{fault.__name__}: it may try again"
    me = lies()
    assert me.said(Rejection) and not me.said(Assignment)
    (board,) = me.state.boards.values()
    assert not board.agreements and is_quarantined(me.state.standings[BOB], me.now_ms)


def test_what_we_can_not_tell_changes_nothing() -> None:
    me = hired(Judgement.UNSURE)
    before = me.state.standings[BOB]
    delivered(me)
    assert me.state.standings[BOB] == before and me.said(Assignment)
