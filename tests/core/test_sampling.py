"""Results that wait for a check of another: accepted with it, checked with it, and never for ever."""

from __future__ import annotations

import pytest
from zope.interface import implementer

from golem.core import policy, sampling
from golem.core.reputation import Deed, Role, note
from golem.core.sampling import HOLD_MS
from golem.core.subtask import Phase as Attempt
from golem.core.task import Phase
from golem.interfaces import IScaled, IVerifier
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import ClearTimer, Execute
from golem.model.ids import Cid, JobId, SubtaskId, TaskId
from golem.model.messages import Acceptance, Assignment, Delivery, Failure, Offer, Rejection
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Judgement, Limits, Outcome, Status, TaskSpec
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, Toy
from golem.verification import Sampled

TASK, OTHER = TaskId("7" * 32), TaskId("8" * 32)
BUDGET = Wei(10**9)
BOB = FixedKeyring("bob").node_id
DONE = Outcome(status=Status.DONE)


class Few(Toy):
    """A toy whose results need not all be checked."""

    def verifier(self, spec: TaskSpec) -> IVerifier:
        return Sampled(self)


@pytest.fixture(autouse=True)
def unlucky(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is drawn who need not be."""
    monkeypatch.setattr(sampling, "happens", lambda chance, salt, what: chance >= 1.0)


def hiring(template: Toy, task: TaskId = TASK, slots: int = 4, *, me: Solo | None = None, share: float = 0.0) -> Solo:
    """A requestor for whose task bob works, in whom it trusts."""
    me = me or Solo(Settings(slots=8), template)
    key = f"provider/{BOB}"
    for _ in range(30):
        standing = me.state.standings.get(key, policy.Standing())
        me.state.standings[key] = note(standing, Deed.VERIFIED, 10**15, me.now_ms)
    spec = TaskSpec(
        template="toy",
        params=b"{}",
        budget=BUDGET,
        max_price=Wei(3_600),
        output="/out",
        limits=Limits(timeout_ms=10_000),
        check_share=share,
    )
    me.post(e.TaskSubmitted(task_id=task, spec=spec))
    funds = Funds(free=Wei(10 * BUDGET), wallet=Wei(10**17))
    me.post(e.Observed(key=f"funds/{task}", sighting=Sighting(block=1, block_ms=0, funds=funds)))
    me.meet("bob")
    me.hear("bob", Offer(task_id=task, price=Wei(3_600), slots=slots, capability=CAPABILITY))
    me.post(e.TimerFired(name=f"offers/{task}"))
    return me


def assigned(me: Solo) -> list[SubtaskId]:
    return [message.subtask_id for message in me.said(Assignment)]


def deliver(me: Solo, subtask: SubtaskId) -> list[JobId]:
    """The checks that its delivery begins."""
    me.hear("bob", Delivery(subtask_id=subtask, result=Cid(""), size_bytes=0, report=b"{}", used_ms=1_000), 1_000)
    return [effect.job.job_id for effect in me.asked if isinstance(effect, Execute)]


def phases(me: Solo) -> list[Attempt]:
    return [subtask.phase for subtask in me.state.subtasks.values()]


def test_results_wait_for_the_last_one_of_them_is_checked_and_all_are_accepted_with_it() -> None:
    toy = Few(chunks=4, checks=1)
    me = hiring(toy)
    given = assigned(me)
    before = me.state.standings[f"provider/{BOB}"].good
    assert [deliver(me, subtask) for subtask in given[:3]] == [[], [], []], "all wait for what bob still has"
    assert not me.said(Acceptance) and phases(me) == [Attempt.VERIFYING] * 3 + [Attempt.ASSIGNED]
    (job,) = deliver(me, given[3])
    me.post(e.Executed(key=job, outcome=DONE))
    assert len(me.said(Acceptance)) == 4 and me.state.boards[TASK].task.accepted == 4
    assert len(toy.judged) == 1, "one of them was looked at"
    reasons = sorted(subtask.reason for subtask in me.state.subtasks.values())
    assert reasons[0] == "as the test wants"
    assert all(reason.startswith("not checked itself: ") for reason in reasons[1:])
    gained = me.state.standings[f"provider/{BOB}"].good - before
    assert gained == pytest.approx((1 + 3 * 0.3) * 0.25, abs=1e-3), "what is not checked counts less"
    leases = {effect.name for effect in me.asked if isinstance(effect, ClearTimer)}
    assert {f"lease/{subtask}" for subtask in given} <= leases


@pytest.mark.parametrize("judgement", [Judgement.WRONG, Judgement.MALFORMED])
def test_who_is_caught_has_all_that_waits_checked_in_every_task(judgement: Judgement) -> None:
    toy = Few(chunks=4, checks=1)
    me = hiring(toy)
    first = assigned(me)
    hiring(toy, OTHER, me=me)
    second = assigned(me)
    for subtask in (*first[:3], *second[:2]):
        deliver(me, subtask)
    toy.judgement = judgement
    (job,) = deliver(me, first[3])
    me.post(e.Executed(key=job, outcome=DONE))
    checks = [effect.job.job_id for effect in me.asked if isinstance(effect, Execute)]
    assert len(checks) == 5, "three of this task and two of the other"
    (caught,) = [sid for sid, subtask in me.state.subtasks.items() if subtask.phase is Attempt.REJECTED]
    why = f"checked because {caught}, by the same provider, was refused"
    assert [subtask.reason for subtask in me.state.subtasks.values()].count(why) == 5
    toy.judgement = Judgement.ACCEPT
    for check in checks:
        me.post(e.Executed(key=check, outcome=DONE))
    assert phases(me).count(Attempt.REJECTED) == 1 and phases(me).count(Attempt.ACCEPTED) == 5, "right ones are paid"
    assert len(toy.judged) == 6
    assert [subtask.reason for subtask in me.state.subtasks.values()].count(f"as the test wants; {why}") == 5


def test_an_unsure_check_lets_another_be_drawn() -> None:
    toy = Few(chunks=3, checks=1)
    me = hiring(toy, slots=3)
    given = assigned(me)
    for subtask in given[:2]:
        deliver(me, subtask)
    (job,) = deliver(me, given[2])
    me.post(e.Executed(key=job, outcome=Outcome(status=Status.FAULT)))
    assert me.said(Rejection) and len(assigned(me)) == 1, "it is done again, and the others wait for it"
    me.hear("bob", Failure(subtask_id=assigned(me)[0], detail="no memory"))
    again = assigned(me)
    assert [deliver(me, subtask) and None for subtask in again] == [None], "one of all three is checked"
    me.post(e.Executed(key=me.one(Execute).job.job_id, outcome=DONE))
    assert me.state.boards[TASK].task.accepted == 3


def test_nothing_waits_longer_than_a_while() -> None:
    me = hiring(Few(chunks=4, checks=1))
    given = assigned(me)
    deliver(me, given[0])
    deliver(me, given[1])
    me.post(e.TimerFired(name=f"lease/{given[0]}"), after_ms=HOLD_MS)
    me.post(e.Executed(key=me.one(Execute).job.job_id, outcome=DONE))
    assert len(me.said(Acceptance)) == 2


def test_no_more_wait_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_HELD", 2)
    me = hiring(Few(chunks=6, checks=1))
    given = assigned(me)
    assert [len(deliver(me, subtask)) for subtask in given[:4]] == [0, 1, 0, 0], "one check at a time"
    assert len(me.state.boards[TASK].held[BOB]) == 3


def test_what_waits_when_its_task_is_cancelled_is_still_verified_and_paid() -> None:
    me = hiring(Few(chunks=3, checks=1))
    given = assigned(me)
    deliver(me, given[0])
    deliver(me, given[1])
    me.post(e.TaskCancelled(task_id=TASK))
    assert me.state.boards[TASK].task.phase is Phase.CANCELLED
    me.post(e.TimerFired(name=f"lease/{given[1]}"), after_ms=HOLD_MS)
    me.post(e.Executed(key=me.one(Execute).job.job_id, outcome=DONE))
    assert len(me.said(Acceptance)) == 2 and not me.state.boards[TASK].open


def test_a_user_who_wants_all_checked_has_all_checked() -> None:
    toy = Few(chunks=2, checks=1)
    me = hiring(toy, share=1.0)
    assert [len(deliver(me, subtask)) for subtask in assigned(me)] == [1, 1]
    me = hiring(toy, me=Solo(Settings(slots=8, check_share=1.0), toy))
    assert [len(deliver(me, subtask)) for subtask in assigned(me)] == [1, 1]


def test_who_has_earned_nothing_or_lost_it_is_checked_by_the_stricter_step() -> None:
    lax, strict = Toy(checks=1), Toy(checks=2)

    class Both(Toy):
        """A lax and a strict way."""

        def verifier(self, spec: TaskSpec) -> IVerifier:
            return Sampled(lax, strict=strict)

    me = hiring(Both(chunks=3))
    given = assigned(me)
    assert [len(deliver(me, subtask)) for subtask in given[:2]] == [0, 0]
    (job,) = deliver(me, given[2])
    lax.judgement = Judgement.WRONG
    me.post(e.Executed(key=job, outcome=DONE))
    checks = [effect.job.job_id for effect in me.asked if isinstance(effect, Execute)]
    assert len(checks) == 4, "two for each of those that waited"
    me = hiring(Both(chunks=1))
    del me.state.standings[f"provider/{BOB}"]
    assert len(deliver(me, assigned(me)[0])) == 2


@implementer(IScaled)
class Patchy(Toy):
    """A toy all of whose results are checked, and that is told how closely."""

    def __init__(self) -> None:
        super().__init__(chunks=2, checks=1)
        self.cares: list[float] = []

    def scaled(self, care: float) -> IVerifier:
        self.cares.append(care)
        return self


def cares(me: Solo, toy: Patchy) -> set[float]:
    """How closely both of bob's results are looked at, as planned and as judged."""
    for subtask in assigned(me):
        (job,) = deliver(me, subtask)
        me.post(e.Executed(key=job, outcome=DONE))
    assert me.state.boards[TASK].task.accepted == 2
    return {*toy.cares, *(subtask.care for subtask in me.state.subtasks.values())}


def test_where_all_is_checked_a_good_name_is_looked_at_less_closely() -> None:
    toy = Patchy()
    assert max(cares(hiring(toy), toy)) < 0.4


def test_a_stranger_is_looked_at_as_closely_as_can_be() -> None:
    toy = Patchy()
    me = hiring(toy)
    del me.state.standings[f"provider/{BOB}"]
    assert cares(me, toy) == {1.0}


def test_a_user_says_how_closely_at_least() -> None:
    toy = Patchy()
    assert cares(hiring(toy, share=0.75), toy) == {0.75}
    toy = Patchy()
    assert cares(hiring(toy, me=Solo(Settings(slots=8, check_share=0.8), toy)), toy) == {0.8}


def test_now_and_then_everybody_is_looked_at_as_closely_as_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []
    monkeypatch.setattr(sampling, "happens", lambda chance, salt, what: drawn.append(chance) is None)
    toy = Patchy()
    assert cares(hiring(toy), toy) == {1.0} and set(drawn) == {policy.FLOOR}


def test_a_template_that_fails_to_do_with_less_is_named() -> None:
    class Stubborn(Patchy):
        def scaled(self, care: float) -> IVerifier:
            raise ZeroDivisionError("no less")

    me = hiring(Stubborn())
    deliver(me, assigned(me)[0])
    (doubted,) = [subtask for subtask in me.state.subtasks.values() if subtask.phase is Attempt.UNSURE]
    assert doubted.reason == "the template toy: its plan failed: ZeroDivisionError('no less')"


def test_a_stranger_is_checked_each_time() -> None:
    toy = Few(chunks=2, checks=1)
    me = hiring(toy)
    del me.state.standings[f"provider/{BOB}"]
    assert [len(deliver(me, subtask)) for subtask in assigned(me)] == [1, 1]
    assert me.trust("bob", Role.PROVIDER) == 0.5
