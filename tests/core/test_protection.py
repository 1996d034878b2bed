"""What a provider keeps away from its machine: by its owner's word, and by what happened on it."""

from __future__ import annotations

import pytest

from golem.core import protection
from golem.core.protection import CRASHED_MS, FAULTY_MS
from golem.model import events as e
from golem.model.ids import TaskId
from golem.model.messages import Assignment, Offer, Reason, Refusal
from golem.model.money import Wei
from golem.model.spec import Limits, Outcome, Status
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.providing import TASK, TERMS, assignment, demand, hired, provider_near
from tests.core.requesting import PRICE, assigned, at_work, delivery, offer


def ends(me: Solo, number: int, status: Status, name: str = "alice") -> None:
    """A job of somebody's ends so."""
    me.hear(name, assignment(number))
    me.post(e.Executed(key=assignment(number).subtask_id, outcome=Outcome(status=status)))


@pytest.mark.parametrize(
    ("terms", "wanted", "why"),
    [
        ({"requestors": (FixedKeyring("bob").node_id,)}, {}, Reason.UNLISTED),
        ({"requestors": (FixedKeyring("alice").node_id,)}, {}, None),
        ({"max_job_ms": 59_999}, {"limits": Limits(timeout_ms=60_000)}, Reason.TOO_LONG),
        ({"max_job_ms": 60_000}, {"limits": Limits(timeout_ms=60_000)}, None),
        ({"max_output_bytes": 99}, {"limits": Limits(output_bytes=100)}, Reason.RESOURCES),
        ({"max_output_bytes": 100}, {"limits": Limits(output_bytes=100)}, None),
    ],
)
def test_the_owner_says_whose_jobs_and_how_large(
    terms: dict[str, object], wanted: dict[str, object], why: Reason | None
) -> None:
    me = provider_near(evolve(TERMS, **terms))
    me.hear("alice", demand(**wanted))
    assert bool(me.said(Offer)) is (why is None)
    assert [refusal.reason for refusal in me.said(Refusal)] == ([why] if why else [])


def test_a_larger_job_than_was_announced_is_refused_too() -> None:
    me = hired(evolve(TERMS, max_job_ms=3_600_000))
    me.hear("alice", assignment(job=evolve(assignment().job, limits=Limits(timeout_ms=3_600_001))))
    assert me.one_said(Refusal).reason is Reason.TOO_LONG


def test_a_machine_that_rests_takes_its_offers_back_and_offers_again_when_it_works_again() -> None:
    me = hired(evolve(TERMS, slots=2))
    me.hear("alice", assignment())
    me.post(e.Rested(reason=Reason.HOURS))
    assert me.one_said(Refusal) == Refusal(task_id=TASK, reason=Reason.HOURS, price=TERMS.min_price)
    assert me.state.busy, "what runs goes on"
    me.hear("alice", assignment(1))
    assert (me.one_said(Refusal).reason, me.one_said(Refusal).subtask_id) == (Reason.HOURS, assignment(1).subtask_id)
    me.hear("alice", demand(task_id=TaskId("8" * 32)))
    assert not me.said(Offer)
    me.post(e.Rested(reason=None))
    assert {said.task_id for said in me.said(Offer)} == {TASK, TaskId("8" * 32)}


def test_an_offer_for_a_task_that_was_forgotten_is_taken_back_without_a_word() -> None:
    me = hired()
    me.state.demands.clear()
    me.post(e.Rested(reason=Reason.DISK))
    assert not me.said(Refusal) and me.state.offered == {}


def test_who_takes_an_offer_back_finishes_what_it_has_and_gets_no_more_until_it_offers_again() -> None:
    me = at_work("bob", "carol", template=Toy(chunks=9))
    held = assigned(me, "bob")
    me.hear("bob", Refusal(task_id=TASK, reason=Reason.IN_USE, price=PRICE))
    assert assigned(me, "bob") == held
    me.hear("bob", delivery(held[0]))
    assert assigned(me, "bob") == held[1:], "the one that was waiting there is all it has left"
    me.hear("bob", offer())
    assert len(assigned(me, "bob")) > len(held[1:])


def test_a_chunk_does_not_wait_for_who_has_taken_its_offer_back() -> None:
    me = at_work("bob", "carol", template=Toy(chunks=2))
    (held,) = assigned(me, "bob")
    me.hear("carol", Refusal(task_id=TASK, reason=Reason.IN_USE, price=PRICE))
    board = me.state.boards[TASK]
    board.tried[me.state.subtasks[held].chunk] = [FixedKeyring("bob").node_id]
    me.post(e.TimerFired(name=f"lease/{held}"))
    assert me.said(Assignment), "bob failed it once, but there is nobody else now"


def test_a_template_that_crashed_twice_in_a_row_is_skipped_for_a_while_for_whoever_sent_it() -> None:
    me = hired(evolve(TERMS, slots=4))
    ends(me, 0, Status.CRASHED)
    ends(me, 1, Status.DONE)
    ends(me, 2, Status.CRASHED)
    me.hear("alice", assignment(3))
    assert not me.said(Refusal), "not twice in a row"
    me.post(e.Executed(key=assignment(3).subtask_id, outcome=Outcome(status=Status.CRASHED)))
    me.hear("alice", assignment(4))
    assert me.one_said(Refusal).reason is Reason.CRASHED
    me.meet("bob")
    me.hear("bob", demand("bob", task_id=TaskId("8" * 32)))
    assert me.said(Offer), "it crashes for alice"
    me.hear("alice", assignment(5), after_ms=CRASHED_MS)
    assert not me.said(Refusal)


def test_errors_of_the_program_itself_are_no_crashes() -> None:
    me = hired(evolve(TERMS, slots=4))
    for number, status in enumerate((Status.ERROR, Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.STUCK)):
        ends(me, number, status)
    assert me.state.crashes == {}


def test_a_machine_that_fails_its_jobs_twice_offers_nothing_for_a_minute() -> None:
    me = hired(evolve(TERMS, slots=4))
    for number in (0, 1):
        ends(me, number, Status.FAULT)
    me.hear("alice", demand(task_id=TaskId("8" * 32)))
    assert me.one_said(Refusal).reason is Reason.FAULTY
    me.hear("alice", demand(task_id=TaskId("9" * 32)), after_ms=FAULTY_MS)
    assert me.said(Offer)


def test_what_is_remembered_of_crashes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "MAX_CRASHES", 1)
    me = hired(evolve(TERMS, slots=4))
    ends(me, 0, Status.FAULT)
    ends(me, 1, Status.CRASHED)
    assert len(me.state.crashes) == 1


def test_offers_are_for_as_many_jobs_as_have_room() -> None:
    for limits, slots in (
        (Limits(), 4),
        (Limits(cores=2), 2),
        (Limits(memory_bytes=3 << 30), 2),
        (Limits(memory_bytes=0), 4),
    ):
        me = provider_near(evolve(TERMS, slots=4))
        me.hear("alice", demand(limits=limits, max_price=Wei(4 * PRICE)))
        assert me.one_said(Offer).slots == slots
    me = hired(evolve(TERMS, slots=4))
    me.hear("alice", assignment(job=evolve(assignment().job, limits=Limits(cores=3))))
    me.hear("alice", demand(task_id=TaskId("8" * 32)))
    assert me.one_said(Offer).slots == 1
    me.hear("alice", demand(task_id=TaskId("9" * 32), limits=Limits(cores=2), max_price=Wei(2 * PRICE)))
    assert me.one_said(Refusal).reason is Reason.BUSY
