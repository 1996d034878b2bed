"""One result for two subtasks: a copy, where the template says that right ones differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from golem.core.reputation import Role
from golem.core.subtask import Phase as Attempt
from golem.core.twins import twin
from golem.interfaces import IBeside, IDistinct, IVerifier
from golem.model import events as e
from golem.model.effects import Execute
from golem.model.evidence import Evidence
from golem.model.ids import SubtaskId
from golem.model.messages import Delivery, Rejection
from golem.model.spec import Chunk, Job, Judgement, Outcome, Status, TaskSpec
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from golem.verification import Distinct
from golem.verification.evidence import verdict
from tests.core.requesting import SPEC, TASK, assigned, at_work, delivery

BOB = FixedKeyring("bob").node_id


class Dice(Toy):
    """No two of its results are the same."""

    def verifier(self, spec: TaskSpec) -> IVerifier:
        return Distinct(self)


@implementer(IDistinct)
class Breaks(Toy):
    """It can't tell."""

    def are_distinct(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> bool:
        raise ZeroDivisionError(f"{len(reports)} dice")


def deliver(me: Solo, name: str, report: bytes = b"{}", result: str = "") -> SubtaskId:
    subtask = assigned(me, name)[0]
    me.hear(name, evolve(delivery(subtask), report=report, result=result), 1_000)
    return subtask


def test_it_keeps_the_interfaces() -> None:
    assert verifyObject(IVerifier, Distinct(Toy())) and verifyObject(IDistinct, Distinct(Toy()))


@pytest.mark.parametrize("copier", ["bob", "carol"])
def test_one_result_for_two_chunks_is_wrong_whoever_made_the_first(copier: str) -> None:
    me = at_work("bob", "carol", template=Dice(chunks=8))
    first = deliver(me, "bob", b"[6]")
    second = deliver(me, copier, b"[6]")
    assert [me.state.subtasks[one].phase for one in (first, second)] == [Attempt.ACCEPTED, Attempt.REJECTED]
    said = me.one_said(Rejection).evidence
    assert said.startswith(f"copy: the very result of {first}, chunk ")
    assert me.trust(copier, Role.PROVIDER) < 0.5
    board = me.state.boards[TASK]
    assert [twin(board, me.state.subtasks[one]) for one in (first, second)] == [None, first]


def test_other_results_are_not_and_where_results_may_be_the_same_nor_are_those() -> None:
    for template, reports in ((Dice(chunks=8), (b"[6]", b"[5]")), (Toy(chunks=8), (b"[6]", b"[6]"))):
        me = at_work("bob", template=template)
        for report in reports:
            assert me.state.subtasks[deliver(me, "bob", report)].phase is Attempt.ACCEPTED
        assert len(me.state.boards[TASK].twins) == (2 if isinstance(template, Dice) else 0)


def test_what_was_refused_makes_nobody_a_copier() -> None:
    me = at_work("bob", "carol", template=Dice(chunks=8, judgement=Judgement.MALFORMED))
    deliver(me, "bob", b"[6]")
    me.template.judgement = Judgement.ACCEPT
    assert me.state.subtasks[deliver(me, "carol", b"[6]")].phase is Attempt.ACCEPTED


def test_two_equal_results_of_one_chunk_are_not_paid_twice_and_nobody_is_blamed() -> None:
    spec = evolve(SPEC, limits=evolve(SPEC.limits, timeout_ms=600_000))
    me = at_work("bob", "carol", template=Dice(chunks=2, checks=1), spec=spec)
    deliver(me, "bob", b"[1]")
    done = Outcome(status=Status.DONE)
    me.post(e.Executed(key=me.one(Execute).key, outcome=done))
    (slow,) = assigned(me, "carol")
    me.post(e.TimerFired(name=f"demand/{TASK}"), after_ms=30_000)
    copy = deliver(me, "bob", b"[6]")
    of_copy = me.one(Execute).key
    deliver(me, "carol", b"[6]")
    of_slow = me.one(Execute).key
    for key in (of_copy, of_slow):
        me.post(e.Executed(key=key, outcome=done))
    assert [me.state.subtasks[one].phase for one in (copy, slow)] == [Attempt.ACCEPTED, Attempt.UNSURE]
    assert me.trust("carol", Role.PROVIDER) == 0.5 and me.state.boards[TASK].task.accepted == 2


@implementer(IBeside)
class Looks(Toy):
    """It looks at what was accepted before."""

    seen: ClassVar[list[tuple[set[int], set[int]]]] = []

    def beside(self, chunk: Chunk, own: Mapping[int, Delivery], accepted: Mapping[int, Delivery], salt: bytes) -> Toy:
        self.seen.append((set(own), set(accepted)))
        return self


def test_a_verifier_may_look_at_what_was_accepted_before_of_all_and_of_the_same_provider() -> None:
    me = at_work("bob", "carol", template=Looks(chunks=8))
    Looks.seen.clear()
    chunks = [me.state.subtasks[deliver(me, name)].chunk for name in ("bob", "carol", "bob")]
    assert Looks.seen == [(set(), set()), (set(), {chunks[0]}), ({chunks[0]}, {*chunks[:2]})]


def test_a_template_that_cannot_tell_is_named() -> None:
    me = at_work("bob", template=Breaks(chunks=1))
    subtask = deliver(me, "bob")
    assert me.state.subtasks[subtask].phase is Attempt.UNSURE
    said = "the template toy: it can't tell whether results differ: ZeroDivisionError('0 dice')"
    assert me.state.subtasks[subtask].reason == said


def test_who_repeats_the_verdict_comes_to_the_same() -> None:
    evidence = Evidence(
        requestor=BOB,
        provider=BOB,
        subtask_id=SubtaskId("5" * 32),
        spec=SPEC,
        chunk=0,
        delivery=delivery(SubtaskId("5" * 32)),
        step=0,
        salt=b"",
        twin=SubtaskId("4" * 32),
        judgement=Judgement.WRONG,
        reason="copy: the very result of that one",
    )
    assert verdict(Dice(), evidence, ()).judgement is Judgement.WRONG
    assert verdict(Dice(), evolve(evidence, twin=None), ()).judgement is Judgement.ACCEPT
    assert verdict(Toy(), evidence, ()).judgement is Judgement.ACCEPT
