"""A verifier in steps: the next is asked where one is UNSURE, and only then."""

from __future__ import annotations

from golem.core.checking import MAX_CHECKS
from golem.core.reputation import Role
from golem.core.subtask import Phase as Attempt
from golem.interfaces import IVerifier
from golem.model import events as e
from golem.model.effects import Execute
from golem.model.ids import check_id
from golem.model.messages import Acceptance
from golem.model.spec import Judgement, Outcome, Status, TaskSpec
from golem.testing.toy import Toy
from golem.verification import Escalate, Sampled
from tests.core.test_checking import DONE, LIMIT_MS, assigned, deliver, hiring


class Steps(Toy):
    """Its result is looked at in two ways."""

    def __init__(self, first: Toy, second: Toy) -> None:
        super().__init__(chunks=1)
        self._verifier = Sampled(Escalate(first, second), 1.0)

    def verifier(self, spec: TaskSpec) -> IVerifier:
        return self._verifier


def test_the_next_step_is_asked_where_the_first_is_unsure_and_its_verdict_holds() -> None:
    first, second = Toy(checks=1, judgement=Judgement.UNSURE), Toy(checks=2)
    me = hiring(Steps(first, second))
    (subtask,) = assigned(me)
    (job,) = deliver(me, subtask)
    me.post(e.Executed(key=job, outcome=DONE))
    jobs = [effect.key for effect in me.asked if isinstance(effect, Execute)]
    assert jobs == [check_id(subtask, MAX_CHECKS), check_id(subtask, MAX_CHECKS + 1)], "none has the first one's id"
    for key in jobs:
        me.post(e.Executed(key=key, outcome=DONE))
    assert me.said(Acceptance) and len(first.judged) == len(second.judged) == 1


def test_a_check_that_hangs_escalates_too_and_a_late_report_of_it_is_nobodys() -> None:
    me = hiring(Steps(Toy(checks=1), Toy(checks=1)))
    (subtask,) = assigned(me)
    (job,) = deliver(me, subtask)
    me.post(e.TimerFired(name=f"lease/{subtask}"), after_ms=LIMIT_MS)
    follows = me.one(Execute).key
    assert me.post(e.Executed(key=job, outcome=Outcome(status=Status.STOPPED))) == []
    me.post(e.Executed(key=follows, outcome=DONE))
    assert me.said(Acceptance)


def test_after_the_last_step_it_is_unsure_and_blames_nobody() -> None:
    me = hiring(Steps(Toy(judgement=Judgement.UNSURE), Toy(judgement=Judgement.UNSURE)))
    (subtask,) = assigned(me)
    deliver(me, subtask)
    assert me.state.subtasks[subtask].phase is Attempt.UNSURE and me.trust("bob", Role.PROVIDER) == 0.5


def test_a_first_step_that_is_sure_has_the_last_word() -> None:
    second = Toy()
    me = hiring(Steps(Toy(judgement=Judgement.WRONG), second))
    deliver(me, assigned(me)[0])
    assert second.judged == [] and me.trust("bob", Role.PROVIDER) < 0.5
