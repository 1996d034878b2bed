"""A requestor's core: from a task to its end, whichever way."""

from __future__ import annotations

import pytest
from zope.interface import implementer

from golem.core.reputation import QUARANTINE_MS, Role
from golem.core.task import Phase
from golem.errors import IllegalTransition
from golem.interfaces import IVaried
from golem.model import events as e
from golem.model.effects import Execute, Export, Fetch, Publish, Release, SetTimer
from golem.model.ids import TaskId
from golem.model.messages import (
    Acceptance,
    Assignment,
    Cancellation,
    Demand,
    Failure,
    Reason,
    Refusal,
    Rejection,
    Withdrawal,
)
from golem.model.spec import Environment, Judgement, Outcome, Resource, Status, TaskSpec
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, RESULT, Toy
from tests.core.requesting import (
    PRICE,
    SPEC,
    TASK,
    assigned,
    at_work,
    delivery,
    offer,
    opened,
    phase,
    reason,
    sighting,
)


def test_the_market_opens_once_every_input_is_published() -> None:
    me = Solo()
    files = tuple(Resource(name=f"f{n}", path=f"/f{n}") for n in range(2))
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC, resources=files))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting()))
    keys = [effect.key for effect in me.asked if isinstance(effect, Publish)]
    assert len(keys) == 2
    me.post(e.Published(key=keys[0], cid=RESULT, size_bytes=1))
    assert phase(me) is Phase.PUBLISHING
    me.post(e.Published(key=keys[1], cid=RESULT, size_bytes=1))
    assert phase(me) is Phase.OPEN
    assert {i.name for i in me.state.boards[TASK].task.spec.inputs} == {"f0", "f1"}


def test_an_input_that_can_not_be_read_dooms_the_task_and_the_rest_is_ignored() -> None:
    me = Solo()
    files = tuple(Resource(name=f"f{n}", path=f"/f{n}") for n in range(2))
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC, resources=files))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting()))
    keys = [effect.key for effect in me.asked if isinstance(effect, Publish)]
    me.post(e.Failed(key=keys[0], fault="StoreFault", detail="/f0 is a device"))
    me.post(e.Published(key=keys[1], cid=RESULT, size_bytes=1))
    assert (phase(me), reason(me)) == (Phase.FAILED, "/f0 is a device")
    assert me.asked == [Release(task_id=TASK)], "what was published after the end is forgotten too"


@implementer(IVaried)
class Varied(Toy):
    """Some of its tasks need another environment."""

    environments = (Toy.environment, Environment(name="toy-on-cards", device="nvidia"))

    def needs(self, spec: TaskSpec) -> Environment:
        return self.environments[spec.output == "/elsewhere"]


@pytest.mark.parametrize(("output", "needed"), [("/out", "toy-1"), ("/elsewhere", "toy-on-cards")])
def test_what_a_task_itself_needs_is_demanded_of_machines(output: str, needed: str) -> None:
    me = opened(Varied(), evolve(SPEC, output=output))
    me.meet("bob")
    assert me.one_said(Demand).environment == needed
    me.hear("bob", offer())
    taken = me.state.boards[TASK].offers
    assert bool(taken) is (needed in CAPABILITY.environments)


# offers


def test_an_offer_that_does_not_fit_is_refused_by_its_reason() -> None:
    me = opened()
    me.meet("bob")
    small = evolve(CAPABILITY, memory_bytes=1)
    for wrong, why in (
        (offer(price=PRICE + 1), Reason.PRICE_TOO_HIGH),
        (offer(capability=evolve(CAPABILITY, environments=())), Reason.ENVIRONMENT),
        (offer(capability=small), Reason.RESOURCES),
    ):
        me.hear("bob", wrong)
        assert me.one_said(Refusal).reason is why
    me.hear("bob", evolve(offer(), task_id=TaskId("8" * 32)))
    assert me.one_said(Refusal).reason is Reason.CLOSED


def test_who_keeps_jobs_apart_otherwise_than_the_task_wants_gets_none_of_it() -> None:
    me = opened(spec=evolve(SPEC, tiers=("docker", "wasm")))
    (told,) = me.state.tree.news.values()
    assert isinstance(told, Demand) and told.tiers == ("docker", "wasm")
    me.meet("bob")
    me.hear("bob", offer())
    assert me.one_said(Refusal).reason is Reason.TIER
    me.hear("bob", offer(capability=evolve(CAPABILITY, tier="docker")))
    assert not me.said(Refusal)


def test_the_cheapest_trusted_provider_comes_first() -> None:
    me = at_work("dear", template=Toy(chunks=1))
    assert len(assigned(me, "dear")) == 1
    me = opened(Toy(chunks=1))
    for name, price in (("dear", PRICE), ("cheap", PRICE // 2)):
        me.meet(name)
        me.hear(name, offer(price=price))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    assert assigned(me, "cheap") and not assigned(me, "dear")


def test_a_provider_that_comes_later_gets_what_is_left() -> None:
    me = at_work("bob", template=Toy(chunks=9))
    me.meet("carol")
    assert me.said(Demand), "a newcomer hears of the task"
    me.hear("carol", offer())
    assert assigned(me, "carol")


def test_short_jobs_are_queued_deep_and_nobody_hoards_at_the_end() -> None:
    me = at_work("bob", template=Toy(chunks=100))
    assert len(assigned(me, "bob")) == 2
    for _ in range(3):
        me.hear("bob", delivery(assigned(me, "bob")[0]), after_ms=20)
    assert len(assigned(me, "bob")) > 10
    me = at_work("bob", "carol", template=Toy(chunks=3))
    assert len(assigned(me, "bob")) + len(assigned(me, "carol")) == 2, "the third goes to whoever is done first"


def test_a_task_that_was_given_out_is_announced_no_more_but_looked_after() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    me.post(e.TimerFired(name=f"demand/{TASK}"))
    assert [type(effect) for effect in me.asked] == [SetTimer]
    me.post(e.TaskCancelled(task_id=TASK))
    assert f"demand/{TASK}" in {effect.name for effect in me.asked if isinstance(effect, SetTimer)}
    me.post(e.TimerFired(name=f"demand/{TASK}"))
    assert me.one_said(Withdrawal) == Withdrawal(task_id=TASK, requestor=FixedKeyring("me").node_id)
    for late in ("demand", "offers", "deadline"):
        me.post(e.TimerFired(name=f"{late}/{TASK}"))
        assert me.asked == []
    me.post(e.TaskCancelled(task_id=TASK))
    assert me.asked == []


def test_a_provider_of_wrong_results_is_shut_out_for_a_week_and_then_judged_by_its_trust() -> None:
    me = at_work("bob", template=Toy(chunks=1, judgement=Judgement.WRONG))
    me.hear("bob", delivery(assigned(me, "bob")[0]))
    me.hear("bob", offer())
    assert me.one_said(Refusal).reason is Reason.QUARANTINE
    me.hear("bob", offer(), after_ms=QUARANTINE_MS)
    assert me.one_said(Refusal).reason is Reason.REPUTATION


def test_a_result_from_somebody_whose_agreement_is_over_still_counts() -> None:
    me = at_work("bob", template=Toy(chunks=2, judgement=Judgement.WRONG))
    first, second = assigned(me, "bob")
    me.hear("bob", delivery(first))
    me.template.judgement = Judgement.ACCEPT
    me.hear("bob", delivery(second))
    assert me.said(Acceptance)


# answers


def test_a_result_with_content_is_fetched_checked_by_every_job_accepted_and_merged() -> None:
    template = Toy(chunks=1, checks=2)
    me = at_work("bob", template=template)
    (subtask,) = assigned(me, "bob")
    me.hear("bob", delivery(subtask, with_content=True))
    assert me.one(Fetch).sources == ("bob:2",)
    me.post(e.Fetched(key=f"result/{subtask}", size_bytes=1))
    jobs = [effect.job for effect in me.asked if isinstance(effect, Execute)]
    assert len({job.job_id for job in jobs}) == 2
    for index, job in enumerate(reversed(jobs)):
        me.post(e.Executed(key=job.job_id, outcome=Outcome(status=Status.DONE, report=b"fine" if index else b"good")))
    assert template.judged == [(b"fine", b"good")], "the order is the plan's"
    assert me.one_said(Acceptance).subtask_id == subtask
    merge = me.one(Execute).job
    me.post(e.Executed(key=merge.job_id, outcome=Outcome(status=Status.DONE, result=RESULT)))
    me.post(e.Exported(key=me.one(Export).key, path="/out/all"))
    assert phase(me) is Phase.DONE
    assert me.said(Withdrawal) and me.one(Release).task_id == TASK


def test_a_malformed_result_counts_against_its_provider_who_may_try_another_chunk() -> None:
    me = at_work("bob", template=Toy(chunks=1, judgement=Judgement.MALFORMED))
    me.hear("bob", delivery(assigned(me, "bob")[0]))
    assert me.trust("bob", Role.PROVIDER) < 0.5
    assert assigned(me, "bob"), "nobody else is there to try"


def test_a_chunk_goes_to_somebody_who_has_not_failed_it() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    me.meet("carol")
    me.hear("carol", offer())
    (subtask,) = assigned(me, "bob")
    me.hear("bob", Failure(subtask_id=subtask, detail="segfault"))
    assert not assigned(me, "bob") and assigned(me, "carol")
    assert me.trust("bob", Role.PROVIDER) < 0.5


def test_who_has_failed_one_chunk_takes_another() -> None:
    me = at_work("bob", "carol", template=Toy(chunks=3), slots=1)
    me.hear("bob", Failure(subtask_id=assigned(me, "bob")[0], detail="segfault"))
    (next_one,) = assigned(me, "bob")
    assert me.state.subtasks[next_one].chunk == 2


def test_content_that_is_withheld_is_a_loss_with_evidence() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    (subtask,) = assigned(me, "bob")
    me.hear("bob", delivery(subtask, with_content=True))
    me.post(e.Failed(key=f"result/{subtask}", fault="ContentMissing", detail="nobody has it"))
    assert "nobody has it" in me.one_said(Rejection).evidence
    assert me.trust("bob", Role.PROVIDER) < 0.5


def test_too_many_failures_doom_the_task_and_name_the_last() -> None:
    me = at_work("bob", template=Toy(chunks=1), spec=evolve(SPEC, max_attempts=2))
    for _ in range(2):
        me.hear("bob", Failure(subtask_id=assigned(me, "bob")[0], detail="segfault"))
    assert (phase(me), reason(me)) == (Phase.FAILED, "chunk 0 failed 2 times, the last time: segfault")


def test_a_refused_assignment_ends_the_agreement_and_harms_nobody() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    (subtask,) = assigned(me, "bob")
    me.hear("bob", Refusal(task_id=TASK, reason=Reason.EXPOSURE, subtask_id=subtask))
    assert not me.state.boards[TASK].agreements and not me.state.boards[TASK].offers
    assert me.one_said(Refusal).reason is Reason.EXPOSURE, "it may offer anew"
    assert me.trust("bob", Role.PROVIDER) == 0.5


def test_a_refusal_of_one_of_several_leaves_the_agreement_as_it_is() -> None:
    me = at_work("bob", template=Toy(chunks=9))
    first, second = assigned(me, "bob")
    me.hear("bob", Refusal(task_id=TASK, reason=Reason.BUSY, subtask_id=second))
    assert first in assigned(me, "bob")


def test_a_deadline_takes_the_work_away_and_what_comes_after_it_is_refused_as_late() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    (subtask,) = assigned(me, "bob")
    me.post(e.TimerFired(name=f"lease/{subtask}"))
    assert me.said(Cancellation) and me.trust("bob", Role.PROVIDER) < 0.5
    me.hear("bob", delivery(subtask))
    assert me.one_said(Rejection).reason is Reason.LATE
    me.post(e.TimerFired(name=f"lease/{subtask}"))
    assert me.asked == []


def test_vanishing_with_much_work_is_one_offence() -> None:
    once = at_work("bob", template=Toy(chunks=1))
    often = at_work("bob", template=Toy(chunks=9), slots=4)
    for me in (once, often):
        me.post(e.TimerFired(name=f"vanished/{FixedKeyring('bob').node_id}"))
        assert me.said(Cancellation) and not me.state.boards[TASK].agreements
        assert me.one_said(Refusal).reason is Reason.LATE, "it may offer anew when it is back"
        assert me.state.standings[f"provider/{FixedKeyring('bob').node_id}"].deeds == 1


def test_where_vanishing_dooms_the_task_each_attempt_ends_once() -> None:
    me = at_work("bob", template=Toy(chunks=9), slots=4, spec=evolve(SPEC, max_attempts=1))
    me.post(e.TimerFired(name=f"vanished/{FixedKeyring('bob').node_id}"))
    assert phase(me) is Phase.FAILED and "failed 1 times" in reason(me)
    assert me.state.boards[TASK].outstanding == 0 and not me.state.boards[TASK].open
    *others, last = sorted(one.phase.value for one in me.state.subtasks.values())
    assert last == "lost" and set(others) == {"cancelled"}


def test_who_offered_and_vanished_before_the_pick_gets_nothing() -> None:
    me = opened()
    bob = me.meet("bob")
    me.hear("bob", offer())
    me.post(e.TimerFired(name=f"vanished/{bob}"))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    assert not me.said(Assignment) and me.state.standings == {}
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.TimerFired(name=f"vanished/{bob}"))
    assert me.asked == []


def test_only_the_provider_of_a_subtask_is_listened_to_about_it() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    me.meet("mallory")
    me.hear("mallory", delivery(assigned(me, "bob")[0]))
    assert me.asked == []


def test_what_was_delivered_before_a_cancellation_is_still_judged_and_paid() -> None:
    me = at_work("bob", template=Toy(chunks=1, checks=1))
    (subtask,) = assigned(me, "bob")
    me.hear("bob", delivery(subtask), after_ms=1_000)
    check = me.one(Execute).key
    me.post(e.TaskCancelled(task_id=TASK))
    assert not me.said(Cancellation)
    me.post(e.Executed(key=check, outcome=Outcome(status=Status.DONE)))
    assert me.one_said(Acceptance).amount == 1_000
    assert f"task/{TASK}" not in me.state.ledger.balances


def test_a_wrong_result_after_the_end_is_not_done_again() -> None:
    me = at_work("bob", template=Toy(chunks=1, checks=1, judgement=Judgement.WRONG))
    me.hear("bob", delivery(assigned(me, "bob")[0]))
    check = me.one(Execute).key
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.Executed(key=check, outcome=Outcome(status=Status.DONE)))
    assert me.said(Rejection) and not me.said(Assignment)


@pytest.mark.parametrize("outcome", (Outcome(status=Status.ERROR, detail="no"), Outcome(status=Status.DONE)))
def test_a_merge_that_fails_or_makes_nothing_dooms_the_task(outcome: Outcome) -> None:
    me = at_work("bob", template=Toy(chunks=1))
    me.hear("bob", delivery(assigned(me, "bob")[0]))
    me.post(e.Executed(key=me.one(Execute).key, outcome=outcome))
    assert phase(me) is Phase.FAILED and "merging all failed" in reason(me)


def test_what_a_merge_makes_after_the_end_is_forgotten_and_not_written() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    me.hear("bob", delivery(assigned(me, "bob")[0]))
    merge = me.one(Execute).key
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.Executed(key=merge, outcome=Outcome(status=Status.DONE, result=RESULT)))
    assert me.asked == [Release(task_id=TASK)]


def test_results_that_can_not_be_written_doom_the_task() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    me.hear("bob", delivery(assigned(me, "bob")[0]))
    me.post(e.Executed(key=me.one(Execute).key, outcome=Outcome(status=Status.DONE, result=RESULT)))
    me.post(e.Failed(key=me.one(Export).key, fault="Fault", detail="disk full"))
    assert (phase(me), reason(me)) == (Phase.FAILED, "disk full")


def test_a_task_whose_deadline_passes_fails() -> None:
    me = opened(spec=evolve(SPEC, deadline_ms=10))
    me.post(e.TimerFired(name=f"deadline/{TASK}"))
    assert (phase(me), reason(me)) == (Phase.FAILED, "the task's deadline has passed")


def test_a_second_delivery_of_what_is_accepted_is_no_transition() -> None:
    me = at_work("bob", template=Toy(chunks=1))
    (subtask,) = assigned(me, "bob")
    me.hear("bob", delivery(subtask))
    with pytest.raises(IllegalTransition):
        me.hear("bob", delivery(subtask))


def test_a_timer_that_nobody_set_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="no timer of that name"):
        Solo().post(e.TimerFired(name="tea/now"))
