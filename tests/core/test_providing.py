"""A provider's core: what it offers for, works on, refuses, and is paid."""

from __future__ import annotations

import pytest

from golem.core import provider
from golem.core.reputation import DAY_MS, Role
from golem.errors import UnknownTemplate
from golem.model import events as e
from golem.model.effects import ClearTimer, Dial, Execute, Fetch, Release, SetTimer, Stop
from golem.model.ids import JobId, SubtaskId, TaskId
from golem.model.messages import (
    Cancellation,
    Delivery,
    Demand,
    Failure,
    Offer,
    Progress,
    Reason,
    Refusal,
    Rejection,
    Withdrawal,
)
from golem.model.money import Wei
from golem.model.spec import Input, Limits, Status, TaskSpec
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo
from golem.testing.toy import RESULT
from tests.core.providing import (
    DONE,
    PRICE,
    TASK,
    TERMS,
    acceptance,
    assignment,
    demand,
    hired,
    provider_near,
    sees,
    works,
)

# demands


def test_a_demand_is_answered_by_an_offer_once() -> None:
    me = hired()
    assert me.one_said(Offer).price == PRICE
    me.hear("alice", demand())
    assert not me.said(Offer)


def test_the_requestor_of_a_demand_that_came_by_others_is_dialled() -> None:
    me = provider_near()
    me.hear("alice", demand("zoe"))
    assert me.one(Dial).address == "zoe:1"


def test_a_requestor_that_is_gone_is_dialled_with_each_announcement_where_our_offer_stands() -> None:
    me = hired()
    bob = me.meet("bob")
    me.post(e.Lost(peer=demand().requestor))
    me.hear("bob", demand(address=f"relay:1/{demand().requestor}", expires_ms=BEGIN_MS + 630_000), 30_000)
    assert me.one(Dial).address == f"relay:1/{demand().requestor}"
    assert not me.said(Offer) and bob in me.state.peers
    me.meet("alice")
    me.hear("bob", demand(expires_ms=BEGIN_MS + 660_000), 30_000)
    assert not [asked for asked in me.asked if isinstance(asked, Dial)]


@pytest.mark.parametrize("ours", (demand("me"), demand(expires_ms=BEGIN_MS - 1)), ids=("own", "expired"))
def test_own_and_expired_demands_are_nothing_to_answer(ours: Demand) -> None:
    me = provider_near()
    me.hear("alice", ours)
    assert not me.said(Offer) and me.state.demands == {}


@pytest.mark.parametrize(
    ("terms", "wanted", "why"),
    (
        ({"provide": False}, {}, Reason.NOT_PROVIDING),
        ({"templates": ()}, {}, Reason.TEMPLATE),
        ({}, {"environment": "toy-2"}, Reason.ENVIRONMENT),
        ({}, {"tiers": ("docker",)}, Reason.TIER),
        ({}, {"limits": Limits(cores=64)}, Reason.RESOURCES),
        ({}, {"max_price": Wei(PRICE - 1)}, Reason.PRICE_TOO_LOW),
        ({"min_requestor_trust": 0.6}, {}, Reason.REPUTATION),
        ({"max_exposure": Wei(0)}, {}, Reason.EXPOSURE),
    ),
    ids=lambda value: value.name if isinstance(value, Reason) else None,
)
def test_a_demand_that_does_not_suit_is_passed_over_by_its_reason(
    terms: dict[str, object], wanted: dict[str, object], why: Reason
) -> None:
    me = provider_near(evolve(TERMS, **terms))
    me.hear("alice", demand(**wanted))
    assert not me.said(Offer)
    assert me.state.notes == {TASK: {why.value: 1}}


def test_demands_are_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "MAX_DEMANDS", 2)
    me = provider_near()
    for number in "123":
        me.hear("alice", demand(task_id=TaskId(number * 32)))
    assert list(me.state.demands) == [TaskId("2" * 32), TaskId("3" * 32)] == list(me.state.offered)


def test_a_busy_provider_offers_once_it_is_free_unless_the_demand_has_expired() -> None:
    me = hired()
    me.hear("alice", assignment())
    later, never = demand(task_id=TaskId("8" * 32)), demand(task_id=TaskId("9" * 32), expires_ms=BEGIN_MS + 1)
    me.hear("alice", later)
    me.hear("alice", never)
    assert not me.said(Offer) and me.state.notes[later.task_id] == {Reason.BUSY.value: 1}
    me.post(e.TimerFired(name="overlay"))
    assert not me.said(Offer)
    me.post(e.Executed(key=assignment().subtask_id, outcome=DONE), after_ms=1_000)
    assert [offer.task_id for offer in me.said(Offer)] == [later.task_id]
    assert never.task_id not in me.state.demands


def test_a_node_does_not_offer_for_its_own_task() -> None:
    me = provider_near()
    me.state.demands[TASK] = demand("me")
    me.post(e.TimerFired(name="overlay"))
    assert not me.said(Offer)


def test_after_a_refusal_the_next_announcement_is_answered_again() -> None:
    me = hired()
    me.hear("alice", Refusal(task_id=TASK, reason=Reason.LATE))
    me.hear("alice", demand(expires_ms=BEGIN_MS + 630_000))
    assert me.said(Offer)


# work


def test_work_is_done_delivered_and_released_when_the_task_is_over() -> None:
    me = hired()
    me.hear("alice", assignment())
    assert me.one(Execute).job == assignment().job
    me.hear("alice", assignment())
    assert me.asked == [], "the same assignment again is nothing new"
    me.post(e.Executed(key=assignment().subtask_id, outcome=DONE))
    assert me.one_said(Delivery).used_ms == 1_000
    me.hear("alice", acceptance(0, 1_000, BEGIN_MS + DAY_MS))
    me.hear("alice", Withdrawal(task_id=TASK))
    assert me.one(Release).task_id == TASK


def test_content_stays_while_anything_of_its_task_is_computed() -> None:
    me = hired(evolve(TERMS, slots=2))
    me.hear("alice", assignment())
    me.hear("alice", Withdrawal(task_id=TASK))
    assert not any(isinstance(effect, Release) for effect in me.asked)
    me.hear("alice", Cancellation(subtask_id=assignment().subtask_id))
    assert me.one(Stop).job_id == assignment().job.job_id and me.one(Release).task_id == TASK


def test_an_input_that_can_not_be_had_is_told_in_time() -> None:
    me = hired()
    inputs = (Input(name="scene", cid=RESULT, size_bytes=9),)
    me.hear("alice", assignment(job=evolve(assignment().job, inputs=inputs)))
    fetch = me.one(Fetch)
    assert fetch.sources == ("alice:2",)
    me.post(e.Failed(key=fetch.key, fault="ContentMissing", detail="nobody has it"))
    assert "nobody has it" in me.one_said(Failure).detail
    assert me.state.busy == {}


def test_a_computer_that_breaks_down_is_a_failure_told_in_time() -> None:
    me = hired()
    me.hear("alice", assignment())
    me.post(e.Failed(key=assignment().subtask_id, fault="RuntimeError", detail="broken"))
    assert me.one_said(Failure).detail == "fault: broken"


@pytest.mark.parametrize(
    ("changes", "why"),
    (
        ({"price": Wei(PRICE - 1)}, Reason.PRICE_TOO_LOW),
        ({"cap": Wei(999)}, Reason.PRICE_TOO_LOW),
        ({"job": evolve(assignment().job, template="other")}, Reason.TEMPLATE),
        ({"job": evolve(assignment().job, limits=Limits(cores=64))}, Reason.RESOURCES),
        ({"job": evolve(assignment().job, job_id=JobId("0" * 32))}, Reason.UNKNOWN),
        ({"job": evolve(assignment().job, task_id=TaskId("0" * 32))}, Reason.UNKNOWN),
    ),
)
def test_an_assignment_on_other_terms_than_offered_is_refused(changes: dict[str, object], why: Reason) -> None:
    me = hired()
    me.hear("alice", assignment(**changes))
    assert me.one_said(Refusal).reason is why
    assert me.state.works == {}


def test_nobody_else_can_use_an_offer() -> None:
    me = hired()
    me.meet("mallory")
    me.hear("mallory", assignment())
    assert me.one_said(Refusal).reason is Reason.UNKNOWN


def test_more_work_than_was_ever_agreed_on_is_refused() -> None:
    me = hired()
    for number in range(64):
        me.hear("alice", assignment(number))
    me.hear("alice", assignment(64))
    assert me.one_said(Refusal).reason is Reason.BUSY


def test_who_owes_too_much_gets_nothing_more() -> None:
    me = hired()
    for number in range(5):
        works(me, number, cumulative=1_000 * (number + 1))
    me.hear("alice", assignment(9))
    assert me.one_said(Refusal).reason is Reason.EXPOSURE


def test_only_its_requestor_decides_about_work() -> None:
    me = hired()
    me.hear("alice", assignment())
    me.meet("mallory")
    me.hear("mallory", Cancellation(subtask_id=assignment().subtask_id))
    me.hear("mallory", Cancellation(subtask_id=SubtaskId("0" * 32)))
    assert me.state.busy


def test_for_a_requestor_that_is_gone_nobody_computes_for_ever() -> None:
    me = hired(evolve(TERMS, slots=2))
    me.hear("alice", assignment())
    alice = FixedKeyring("alice").node_id
    for _ in range(2):
        me.post(e.Lost(peer=alice))
        me.post(e.TimerFired(name=f"vanished/{alice}"), TERMS.lease_grace_ms)
        wait = me.one(SetTimer)
        assert (wait.name, wait.at_ms) == (f"forsaken/{alice}", me.now_ms + TERMS.forsaken_ms)
        assert me.state.busy, "it may come back"
        me.meet("alice")
        assert ClearTimer(name=wait.name) in me.asked
    me.post(e.Lost(peer=alice))
    me.post(e.TimerFired(name=f"forsaken/{alice}"), TERMS.forsaken_ms)
    assert me.one(Stop).job_id == assignment().job.job_id
    assert me.one_said(Failure).detail == "the requestor was gone for 600 s"
    assert me.state.busy == {}
    me.post(e.Executed(key=assignment().subtask_id, outcome=evolve(DONE, status=Status.STOPPED)))
    me.hear("alice", Cancellation(subtask_id=assignment().subtask_id))
    assert not me.said(Failure) and me.state.works[assignment().subtask_id].reason.endswith("600 s")


def test_what_is_still_fetched_for_a_requestor_that_is_gone_is_given_up_too() -> None:
    me = hired()
    inputs = (Input(name="scene", cid=RESULT, size_bytes=9),)
    me.hear("alice", assignment(job=evolve(assignment().job, inputs=inputs)))
    me.post(e.TimerFired(name=f"forsaken/{FixedKeyring('alice').node_id}"))
    assert me.state.busy == {} and me.one_said(Failure)


def test_for_a_peer_that_wants_nothing_of_us_nobody_waits() -> None:
    me = hired()
    me.post(e.TimerFired(name=f"vanished/{FixedKeyring('alice').node_id}"))
    assert me.asked == []


def test_who_may_withdraw_a_task_is_known_by_its_work_where_the_demand_is_forgotten() -> None:
    me = hired()
    me.hear("alice", assignment())
    me.state.demands.clear()
    me.meet("mallory")
    me.hear("mallory", Withdrawal(task_id=TASK))
    assert TASK in me.state.offered
    me.hear("alice", Withdrawal(task_id=TASK))
    assert TASK not in me.state.offered


def test_progress_is_for_people_and_changes_nothing() -> None:
    me = hired()
    me.hear("alice", Progress(subtask_id=assignment().subtask_id, percent=99, log="done"))
    assert me.asked == []


def test_a_verdict_about_work_that_was_forgotten_is_nothing() -> None:
    me = hired()
    me.post(e.Fetched(key=f"input/{SubtaskId('0' * 32)}/0", size_bytes=1))
    assert me.asked == []


def test_records_of_work_that_is_over_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "MAX_WORKS", 2)
    me = hired()
    works(me, 0)
    for number in (1, 2, 3):
        me.hear("alice", assignment(number))
        me.post(e.Executed(key=assignment(number).subtask_id, outcome=DONE))
        me.hear("alice", Rejection(subtask_id=assignment(number).subtask_id, reason=None, evidence="wrong"))
    assert assignment(0).subtask_id in me.state.works, "what is owed is kept"
    assert len(me.state.works) == 2
    monkeypatch.setattr(provider, "MAX_WORKS", 0)
    works(me, 9, cumulative=2_000)
    assert len(me.state.works) == 2, "the one that is owed nothing went"
    works(me, 10, cumulative=3_000)
    assert len(me.state.works) == 3, "all that is left is owed"


# income


def test_payments_are_matched_by_what_they_reach_and_raise_trust() -> None:
    me = hired()
    works(me, 0, cumulative=1_000)
    works(me, 1, cumulative=2_000)
    sees(me, paid=1_999)
    assert [work.phase.value for work in me.state.works.values()] == ["paid", "accepted"]
    assert me.trust("alice", Role.REQUESTOR) > 0.5
    sees(me, paid=2_000)
    assert not any(me.state.dues.values()) and not me.state.is_watching


def test_a_chain_that_can_not_be_seen_is_looked_at_again() -> None:
    me = hired()
    works(me)
    me.post(e.TimerFired(name="observe"))
    me.post(e.Failed(key="income", fault="ChainFault", detail="down"))
    assert me.state.is_watching and me.trust("alice", Role.REQUESTOR) == 0.5


def test_days_of_lateness_count_up_to_three() -> None:
    trusts = []
    for days in (0, 1, 2, 3):
        me = hired()
        works(me)
        sees(me, paid=1_000, after_ms=DAY_MS + days * DAY_MS + 1)
        trusts.append(me.trust("alice", Role.REQUESTOR))
    assert 0.5 > trusts[0] > trusts[1] > trusts[2] > trusts[3]


def test_what_is_not_paid_after_the_grace_is_held_against_the_requestor_once_even_if_paid_at_last() -> None:
    me = hired()
    works(me)
    sees(me, paid=0, after_ms=2 * DAY_MS)
    assert me.trust("alice", Role.REQUESTOR) == 0.5, "late is not missing yet"
    sees(me, paid=0, after_ms=3 * DAY_MS)
    deeds = me.state.standings[f"requestor/{FixedKeyring('alice').node_id}"].deeds
    sees(me, paid=0, after_ms=DAY_MS)
    sees(me, paid=1_000, after_ms=DAY_MS)
    assert me.state.standings[f"requestor/{FixedKeyring('alice').node_id}"].deeds == deeds == 1
    assert me.trust("alice", Role.REQUESTOR) < 0.3


# whatever else


def test_refusals_are_remembered_for_so_many_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("golem.core.turn.MAX_TOPICS", 2)
    me = provider_near(evolve(TERMS, templates=()))
    for number in "123":
        me.hear("alice", demand(task_id=TaskId(number * 32)))
    assert list(me.state.notes) == [TaskId("2" * 32), TaskId("3" * 32)]


def test_a_template_that_is_not_enabled_is_named_with_those_that_are() -> None:
    spec = TaskSpec(template="other", params=b"{}", budget=Wei(1), max_price=Wei(1), output="/out")
    with pytest.raises(UnknownTemplate, match=r"no template 'other' is enabled; there are: toy"):
        Solo().post(e.TaskSubmitted(task_id=TASK, spec=spec))
