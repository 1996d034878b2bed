"""Where a provider could work for more than it ever can, it offers for the best first."""

from __future__ import annotations

import pytest

from golem.core.knowledge import rated
from golem.core.offers import ANSWER_MS, FRESH_PER_SLOT
from golem.core.reputation import Deed, Role
from golem.model import events as e
from golem.model.ids import TaskId
from golem.model.messages import Demand, Offer, Reason, Refusal
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Limits
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo

PRICE = Wei(3_600_000)
PROVIDING = Settings(provide=True, templates=("toy",), min_price=PRICE)


def demand(number: int, requestor: str = "alice", cores: int = 1) -> Demand:
    return Demand(
        task_id=TaskId(f"{number:032x}"),
        requestor=FixedKeyring(requestor).node_id,
        address=f"{requestor}:1",
        template="toy",
        environment="toy-1",
        max_price=Wei(10**18),
        limits=Limits(cores=cores),
        chunks=4,
        expires_ms=BEGIN_MS + 600_000,
    )


def full() -> Solo:
    """A provider with as many fresh offers as it makes."""
    me = Solo(PROVIDING)
    me.meet("alice")
    for number in range(FRESH_PER_SLOT):
        me.hear("alice", demand(number))
        assert me.said(Offer)
    return me


def test_beyond_so_many_fresh_offers_only_better_work_gets_one() -> None:
    me = full()
    me.hear("alice", demand(90))
    assert me.one_said(Refusal).reason is Reason.BETTER
    me.hear("alice", demand(91, cores=2))
    assert me.one_said(Offer).price == 2 * PRICE, "two cores pay double"


def test_a_requestor_that_pays_is_preferred_to_a_stranger() -> None:
    me = full()
    carol = me.meet("carol")
    me.turn().note(carol, Deed.PAID, 10**16)
    assert rated(carol, Role.REQUESTOR) in me.state.dealings.deeds
    me.hear("carol", demand(90, "carol"))
    assert me.said(Offer)


def test_offers_that_nobody_answers_make_room_for_others_in_time() -> None:
    me = full()
    me.hear("alice", demand(90))
    assert not me.said(Offer)
    me.post(e.TimerFired(name="overlay"), after_ms=ANSWER_MS)
    assert [offer.task_id for offer in me.said(Offer)] == [TaskId(f"{90:032x}")]


@pytest.mark.parametrize(("waiting", "offered"), [(3, 3), (9, FRESH_PER_SLOT)])
def test_when_a_machine_works_again_it_offers_for_the_best_it_has_heard_of(waiting: int, offered: int) -> None:
    me = Solo(PROVIDING)
    me.meet("alice")
    me.post(e.Rested(reason=Reason.HOURS))
    for number in range(waiting):
        me.hear("alice", demand(number, cores=1 + number % 3))
    me.post(e.Rested(reason=None))
    made = me.said(Offer)
    assert len(made) == offered
    assert [offer.price for offer in made] == sorted((offer.price for offer in made), reverse=True)


def test_a_requestor_whose_prefix_was_just_dialled_gets_no_offer_yet() -> None:
    me = Solo(PROVIDING)
    me.post(evolve(me.state.started, address="9.9.9.9:1"))
    me.meet("bob")
    for number in (1, 2):
        me.hear("bob", evolve(demand(number), address=f"8.8.8.{number}:1"))
    assert list(me.state.offered) == [TaskId(f"{1:032x}")]
    assert me.state.notes[TaskId(f"{2:032x}")] == {Reason.UNREACHABLE.value: 1}


def test_an_offer_tells_how_fast_the_machine_was_when_it_was_tried() -> None:
    me = Solo(PROVIDING)
    me.meet("alice")
    me.hear("alice", demand(1))
    assert me.one_said(Offer).speed == 0
    me.post(e.Gauged(template="other", machine="here", percent=50))
    me.post(e.Gauged(template="toy", machine="here", percent=150))
    me.hear("alice", demand(2))
    assert me.one_said(Offer).speed == 150
