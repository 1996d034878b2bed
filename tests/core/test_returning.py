"""A provider that offers, and refuses the work when it comes: it harms itself alone, and not the task."""

from __future__ import annotations

from golem.core.hiring import DEMAND_MS, MAX_RETURNED
from golem.core.subtask import Phase as Attempt
from golem.core.task import Phase
from golem.model import events as e
from golem.model.ids import SubtaskId
from golem.model.messages import Assignment, Reason, Refusal
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.requesting import PRICE, SPEC, TASK, assigned, at_work, delivery, offer, opened, phase


def refuse(me: Solo, name: str, subtask: SubtaskId) -> None:
    me.hear(name, Refusal(task_id=TASK, reason=Reason.BUSY, subtask_id=subtask))


def test_who_refuses_some_of_the_work_gets_no_more_and_is_let_go_once_it_has_done_the_rest() -> None:
    me = at_work("bob", template=Toy(chunks=9))
    first, second = assigned(me, "bob")
    refuse(me, "bob", second)
    assert not me.said(Assignment) and assigned(me, "bob") == [first]
    me.hear("bob", delivery(first))
    assert me.one_said(Refusal).reason is Reason.BUSY and not me.state.boards[TASK].agreements
    me.hear("bob", offer())
    assert len(assigned(me, "bob")) == 2, "it offers anew, and is taken"


def test_refusals_never_use_up_a_chunks_attempts() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    for _ in range(MAX_RETURNED - 1):
        refuse(me, "bob", assigned(me, "bob")[0])
        me.hear("bob", offer())
    (subtask,) = assigned(me, "bob")
    me.hear("bob", delivery(subtask))
    assert phase(me) is not Phase.FAILED and me.state.subtasks[subtask].phase is Attempt.ACCEPTED
    assert not me.state.boards[TASK].returned, "who works is forgiven"


def test_who_refuses_again_and_again_is_taken_no_more() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    for _ in range(MAX_RETURNED):
        refuse(me, "bob", assigned(me, "bob")[0])
        me.hear("bob", offer())
    assert me.one_said(Refusal).reason is Reason.REPUTATION and not assigned(me, "bob")


def test_a_refusal_is_forgiven_with_each_announcement_so_that_no_task_waits_for_ever() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    for _ in range(MAX_RETURNED):
        refuse(me, "bob", assigned(me, "bob")[0])
        me.hear("bob", offer())
    me.post(e.TimerFired(name=f"demand/{TASK}"), after_ms=DEMAND_MS)
    me.hear("bob", offer())
    assert len(assigned(me, "bob")) == 1
    refuse(me, "bob", assigned(me, "bob")[0])
    me.hear("bob", offer())
    assert not assigned(me, "bob"), "one, and not all"


def test_who_asks_for_next_to_nothing_and_refuses_leaves_others_enough_of_the_budget() -> None:
    me = opened(Toy(chunks=3), evolve(SPEC, budget=Wei(6_000)))
    for name, price, slots in (("mallory", 1, 1), ("bob", PRICE, 2), ("carol", PRICE, 1)):
        me.meet(name)
        me.hear(name, offer(price, slots))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    caps = sorted(subtask.cap for subtask in me.state.subtasks.values())
    assert caps == [1, 2_000, 2_000]
    (cheap,) = assigned(me, "mallory")
    refuse(me, "mallory", cheap)
    assert sorted(s.cap for s in me.state.subtasks.values() if s.subtask_id != cheap) == [2_000] * 3


def test_a_refusal_by_who_was_dismissed_meanwhile_has_the_chunk_done_by_another() -> None:
    me = at_work("bob", "carol", template=Toy(chunks=2))
    (held,) = assigned(me, "bob")
    del me.state.boards[TASK].agreements[me.state.subtasks[held].provider]
    refuse(me, "bob", held)
    (other,) = me.said(Assignment)
    assert other.subtask_id in assigned(me, "carol")
