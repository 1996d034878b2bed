"""Content that a node still holds when a task is over, and lets go of in the end."""

from __future__ import annotations

from golem.core.keeping import is_needed
from golem.model import events as e
from golem.model.effects import Release
from golem.model.ids import TaskId
from golem.model.messages import Withdrawal
from golem.testing.solo import BEGIN_MS, Solo
from tests.core import requesting
from tests.core.providing import DAY_MS, DONE, TASK, acceptance, assignment, hired


def releases(me: Solo) -> list[TaskId]:
    return [effect.task_id for effect in me.asked if isinstance(effect, Release)]


def test_a_result_that_waits_for_its_verdict_can_still_be_fetched_though_the_task_is_over() -> None:
    me = hired()
    me.hear("alice", assignment())
    assert is_needed(me.state, TASK), "its inputs are"
    me.post(e.Executed(key=assignment().subtask_id, outcome=DONE))
    me.hear("alice", Withdrawal(task_id=TASK))
    assert not releases(me) and is_needed(me.state, TASK), "or an honest provider would have withheld it"
    me.hear("alice", acceptance(0, 1_000, BEGIN_MS + DAY_MS))
    assert set(releases(me)) == {TASK} and not is_needed(me.state, TASK)


def test_a_requestor_needs_content_until_its_last_attempt_is_judged() -> None:
    me = requesting.at_work("bob")
    (first, *_) = requesting.assigned(me, "bob")
    assert is_needed(me.state, TASK) and not is_needed(me.state, TaskId("8" * 32))
    me.hear("bob", requesting.delivery(first, with_content=True))
    me.post(e.TaskCancelled(task_id=TASK))
    assert is_needed(me.state, TASK) and not releases(me), "what was delivered is still verified and paid"
    me.post(e.Failed(key=f"result/{first}", fault="ContentMissing", detail="nobody has it"))
    assert set(releases(me)) == {TASK} and not is_needed(me.state, TASK)
