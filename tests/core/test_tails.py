"""Slow last subtasks are done a second time by who idles; the first that is right counts, and nobody is cheated."""

from __future__ import annotations

from golem.core.reputation import Role
from golem.core.subtask import Phase as Attempt
from golem.core.task import Phase
from golem.model import events as e
from golem.model.effects import Execute
from golem.model.ids import SubtaskId
from golem.model.messages import Acceptance, Assignment, Cancellation, Failure, Reason, Refusal, Rejection
from golem.model.money import Wei
from golem.model.spec import Judgement, Outcome, Status
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.requesting import BUDGET, SPEC, TASK, assigned, at_work, delivery, phase

LOOK = e.TimerFired(name=f"demand/{TASK}")
PATIENT = evolve(SPEC, limits=evolve(SPEC.limits, timeout_ms=600_000))


def tail(checks: int = 0, budget: int = BUDGET, judgement: Judgement = Judgement.ACCEPT, max_attempts: int = 8) -> Solo:
    """Two chunks for two providers: one has delivered after a second, the other has not."""
    spec = evolve(PATIENT, budget=Wei(budget), max_attempts=max_attempts)
    me = at_work("bob", "carol", template=Toy(chunks=2, checks=checks, judgement=judgement), spec=spec)
    me.hear("bob", delivery(assigned(me, "bob")[0]), after_ms=1_000)
    if checks:
        me.template.judgement = Judgement.ACCEPT
        me.post(e.Executed(key=me.one(Execute).key, outcome=Outcome(status=Status.DONE)))
        me.template.judgement = judgement
    return me


def copied(me: Solo) -> tuple[SubtaskId, SubtaskId]:
    """The slow attempt, and its copy, begun half a minute later."""
    slow = assigned(me, "carol")[0]
    me.post(LOOK, after_ms=30_000)
    copy = me.one_said(Assignment)
    assert me.state.subtasks[copy.subtask_id].provider == FixedKeyring("bob").node_id
    assert me.state.subtasks[copy.subtask_id].chunk == me.state.subtasks[slow].chunk
    return slow, copy.subtask_id


def test_a_subtask_that_takes_twice_what_others_took_is_copied_once() -> None:
    me = tail()
    me.post(LOOK, after_ms=500)
    assert not me.said(Assignment), "it is not slow yet"
    copied(me)
    me.meet("dave")
    me.post(LOOK, after_ms=30_000)
    assert not me.said(Assignment)


def test_the_first_result_counts_and_the_other_is_called_off_without_blame() -> None:
    me = tail()
    slow, copy = copied(me)
    me.hear("bob", delivery(copy), after_ms=1_000)
    assert me.one_said(Cancellation).subtask_id == slow
    assert me.state.subtasks[slow].phase is Attempt.CANCELLED
    assert me.state.boards[TASK].task.accepted == 2 and me.state.boards[TASK].outstanding == 0
    assert me.trust("carol", Role.PROVIDER) == 0.5
    me.hear("carol", delivery(slow), after_ms=1_000)
    assert me.one_said(Rejection).reason is Reason.LATE and me.trust("carol", Role.PROVIDER) == 0.5


def test_what_was_delivered_before_the_other_was_accepted_is_verified_and_paid_as_well() -> None:
    me = tail(checks=1)
    slow, copy = copied(me)
    me.hear("bob", delivery(copy), after_ms=1_000)
    of_copy = me.one(Execute).key
    me.hear("carol", delivery(slow), after_ms=1_000)
    of_slow = me.one(Execute).key
    me.post(e.Executed(key=of_copy, outcome=Outcome(status=Status.DONE)))
    assert me.one_said(Acceptance).subtask_id == copy and not me.said(Cancellation)
    me.post(e.Executed(key=of_slow, outcome=Outcome(status=Status.DONE)))
    assert me.one_said(Acceptance).subtask_id == slow
    board = me.state.boards[TASK]
    assert (board.task.accepted, board.spent) == (2, sum(me.state.subtasks[s].amount for s in board.history))
    assert board.spent == 3 * 1_000


def test_where_one_of_the_two_comes_to_nothing_the_other_goes_on_alone() -> None:
    me = tail()
    slow, copy = copied(me)
    me.hear("bob", Failure(subtask_id=copy, detail="no"))
    assert not me.state.boards[TASK].pending and not me.said(Assignment)
    me.hear("carol", Failure(subtask_id=slow, detail="neither"))
    assert me.said(Assignment), "now that both have failed, it is done again"


def test_a_copy_that_is_wrong_after_the_chunk_was_accepted_is_not_done_again() -> None:
    me = tail(checks=1, judgement=Judgement.WRONG)
    slow, copy = copied(me)
    me.hear("bob", delivery(copy), after_ms=1_000)
    of_copy = me.one(Execute).key
    me.hear("carol", delivery(slow), after_ms=1_000)
    of_slow = me.one(Execute).key
    me.template.judgement = Judgement.ACCEPT
    me.post(e.Executed(key=of_slow, outcome=Outcome(status=Status.DONE)))
    me.template.judgement = Judgement.WRONG
    me.post(e.Executed(key=of_copy, outcome=Outcome(status=Status.DONE)))
    assert me.said(Rejection) and not me.state.boards[TASK].pending
    assert phase(me) is Phase.OPEN and me.state.boards[TASK].task.accepted == 2


def test_no_copy_is_begun_where_the_budget_or_the_attempts_or_the_providers_do_not_suffice() -> None:
    me = tail(budget=2_500)
    me.post(LOOK, after_ms=30_000)
    assert not me.said(Assignment), "what is left pays for no second"
    me = tail(max_attempts=1)
    me.post(LOOK, after_ms=30_000)
    assert not me.said(Assignment)
    me = tail()
    me.hear("bob", Refusal(task_id=TASK, reason=Reason.IN_USE))
    me.post(LOOK, after_ms=30_000)
    assert not me.said(Assignment), "bob takes no more"


def test_before_anything_is_accepted_nothing_is_slow() -> None:
    me = at_work("bob", "carol", template=Toy(chunks=1), spec=PATIENT)
    me.post(LOOK, after_ms=300_000)
    assert not me.said(Assignment)


def test_a_copy_that_is_called_off_says_nothing_of_the_speed_of_who_made_it() -> None:
    me = tail()
    slow, _ = copied(me)
    helper = f"toy/{FixedKeyring('bob').node_id}"
    before = me.state.dealings.paces.get(helper)
    me.hear("carol", delivery(slow), after_ms=1_000)
    assert me.one_said(Cancellation)
    assert me.state.dealings.paces.get(helper) == before
