"""What a check kept of a refused result is there to look at, and named; but not without end."""

from __future__ import annotations

import pytest

from golem.core import exhibits
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Execute, Export, Tell
from golem.model.ids import Cid, JobId, SubtaskId, TaskId
from golem.model.messages import Assignment, Delivery, Offer, Rejection
from golem.model.money import Wei
from golem.model.spec import Judgement, Outcome, Status, TaskSpec
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, RESULT, Toy

TASK = TaskId("7" * 32)
PICTURES = Outcome(status=Status.DONE, result=RESULT, size_bytes=9)


def checking(judgement: Judgement = Judgement.WRONG) -> tuple[Solo, SubtaskId, JobId]:
    """A requestor that checks what bob delivered."""
    me = Solo(template=Toy(chunks=1, checks=1, judgement=judgement))
    budget = Wei(10**9)
    spec = TaskSpec(template="toy", params=b"{}", budget=budget, max_price=Wei(3_600), output="/out")
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    funds = Funds(free=Wei(10 * budget), wallet=Wei(10**17))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=Sighting(block=1, block_ms=0, funds=funds)))
    me.meet("bob")
    me.hear("bob", Offer(task_id=TASK, price=Wei(3_600), slots=1, capability=CAPABILITY))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    subtask = me.one_said(Assignment).subtask_id
    me.hear("bob", Delivery(subtask_id=subtask, result=Cid(""), size_bytes=0, report=b"{}", used_ms=1), 1_000)
    return me, subtask, me.one(Execute).job.job_id


def exports(me: Solo) -> list[Export]:
    return [effect for effect in me.asked if isinstance(effect, Export)]


@pytest.mark.parametrize("judgement", [Judgement.WRONG, Judgement.MALFORMED])
def test_what_a_check_kept_of_a_refused_result_is_written_beside_the_results_and_named_to_the_user_alone(
    judgement: Judgement,
) -> None:
    me, subtask, job = checking(judgement)
    me.post(e.Executed(key=job, outcome=PICTURES))
    key, folder = f"exhibit/{TASK}/{subtask}", f"/out/refused/{subtask}"
    assert exports(me) == [Export(key=key, cid=RESULT, folder=folder, name="exhibit")]
    assert me.state.subtasks[subtask].reason == f"as the test wants; to look at: {folder}"
    assert me.one_said(Rejection).evidence == "as the test wants"
    me.post(e.Exported(key=key, path=f"{folder}/at-1-2.png"))
    assert me.one(Tell) == Tell(topic=TASK, name="exhibit", fields={"path": f"{folder}/at-1-2.png"})


def test_what_can_not_be_written_ends_nothing() -> None:
    me, subtask, job = checking()
    me.post(e.Executed(key=job, outcome=PICTURES))
    me.post(e.Failed(key=f"exhibit/{TASK}/{subtask}", fault="Fault", detail="the disk is full"))
    assert me.one(Tell) == Tell(topic=TASK, name="no exhibit", fields={"reason": "the disk is full"})


@pytest.mark.parametrize("judgement", [Judgement.ACCEPT, Judgement.UNSURE])
def test_nothing_is_kept_of_what_was_not_refused(judgement: Judgement) -> None:
    me, _, job = checking(judgement)
    me.post(e.Executed(key=job, outcome=PICTURES))
    assert exports(me) == []


def test_a_check_that_kept_nothing_is_not_written() -> None:
    me, subtask, job = checking()
    me.post(e.Executed(key=job, outcome=Outcome(status=Status.DONE)))
    assert exports(me) == []
    assert me.state.subtasks[subtask].reason == "as the test wants"


def test_after_so_many_of_a_task_nothing_more_is_kept() -> None:
    me, _, job = checking()
    me.state.boards[TASK].kept = exhibits.MOST
    me.post(e.Executed(key=job, outcome=PICTURES))
    assert exports(me) == []


def test_nothing_is_kept_once_the_task_is_over() -> None:
    me, _, job = checking()
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.Executed(key=job, outcome=PICTURES))
    assert exports(me) == []
