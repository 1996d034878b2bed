"""What single results tell too little of is summed by provider and template, bounded, and decides when it is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from zope.interface import implementer

from golem.core import sums
from golem.core.node import Core
from golem.core.reputation import Role
from golem.core.state import NodeState
from golem.core.subtask import Phase
from golem.interfaces import MAX_SUMS, ISumming
from golem.model.evidence import Evidence
from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Delivery, Rejection
from golem.model.spec import Chunk, Job, Judgement, Verdict
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from golem.verification.evidence import verdict
from golem.wire.codec import Decoder, encode
from tests.core.requesting import SPEC, TASK, assigned, at_work, delivery

BOB = FixedKeyring("bob").node_id
LIMIT = 3.0


@implementer(ISumming)
class Suspicious(Toy):
    """Each result adds `step` to the sums it keeps; above the limit the result is wrong."""

    step = 1.0
    names: Sequence[str] = ("noise",)

    def weigh(
        self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes], before: Mapping[str, float]
    ) -> tuple[Verdict, Mapping[str, float]]:
        after = {name: before.get(name, 0.0) + self.step for name in self.names}
        is_wrong = max(after.values(), default=0.0) > LIMIT
        return Verdict(judgement=Judgement.WRONG if is_wrong else Judgement.ACCEPT, reason="summed"), after


def deliver(me: Solo, *names: str) -> None:
    for name in names:
        me.hear(name, delivery(assigned(me, name)[0]), 1_000)


def gathered(me: Solo, name: str) -> Mapping[str, float]:
    return me.state.dealings.sums.get(f"toy/{FixedKeyring(name).node_id}", {})


def test_sums_grow_with_each_result_of_a_provider_and_of_nobody_else() -> None:
    me = at_work("bob", "carol", template=Suspicious(chunks=8))
    deliver(me, "bob", "carol", "bob")
    assert (gathered(me, "bob"), gathered(me, "carol")) == ({"noise": 2.0}, {"noise": 1.0})
    assert me.trust("bob", Role.PROVIDER) > 0.5


def test_the_result_that_is_enough_is_wrong_and_keeps_what_there_was_before_it() -> None:
    me = at_work("bob", template=Suspicious(chunks=8))
    deliver(me, "bob", "bob", "bob")
    assert me.state.boards[TASK].task.accepted == 3
    last = assigned(me, "bob")[0]
    deliver(me, "bob")
    assert me.one_said(Rejection).subtask_id == last
    assert me.state.subtasks[last].phase is Phase.REJECTED
    assert me.state.subtasks[last].sums == {"noise": 3.0}
    assert gathered(me, "bob") == {}, "it begins anew, and is out for a week"
    assert me.trust("bob", Role.PROVIDER) < 0.5


def test_whoever_repeats_the_verdict_begins_with_the_sums_that_the_evidence_tells() -> None:
    def repeated(before: Mapping[str, float]) -> Judgement:
        evidence = Evidence(
            requestor=BOB,
            provider=BOB,
            subtask_id=SubtaskId("5" * 32),
            spec=SPEC,
            chunk=0,
            delivery=delivery(SubtaskId("5" * 32)),
            step=0,
            salt=b"",
            sums=dict(before),
            judgement=Judgement.WRONG,
            reason="summed",
        )
        return verdict(Suspicious(chunks=8), evidence, ()).judgement

    assert repeated({"noise": 3.0}) is Judgement.WRONG
    assert repeated({}) is Judgement.ACCEPT


def test_sums_outlive_a_restart() -> None:
    me = at_work("bob", template=Suspicious(chunks=8))
    deliver(me, "bob", "bob")
    again = Decoder(NodeState).decode(encode(me.state))
    me.core = Core(again, Suspicious(chunks=8).policies())
    me.state = again
    deliver(me, "bob", "bob")
    assert me.one_said(Rejection)


def test_a_template_that_keeps_too_many_sums_is_named_and_blames_nobody() -> None:
    template = Suspicious(chunks=1)
    template.names = [f"sum {number}" for number in range(MAX_SUMS + 1)]
    me = at_work("bob", template=template)
    (subtask,) = assigned(me, "bob")
    deliver(me, "bob")
    assert me.state.subtasks[subtask].phase is Phase.UNSURE
    assert "the template toy: its judgement failed: ValueError('it keeps 65 sums" in me.state.subtasks[subtask].reason
    assert me.trust("bob", Role.PROVIDER) == 0.5


def test_nothing_to_keep_is_not_kept() -> None:
    template = Suspicious(chunks=2)
    template.names = ()
    me = at_work("bob", template=template)
    deliver(me, "bob")
    assert me.state.dealings.sums == {}


def test_who_was_judged_last_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "MOST_SUMMED", 2)
    me = at_work("bob", template=Suspicious(chunks=2))
    old, new = (f"toy/{NodeId('03' + letter * 64)}" for letter in "ab")
    me.state.dealings.sums |= {old: {"noise": 1.0}, new: {"noise": 1.0}}
    deliver(me, "bob")
    assert list(me.state.dealings.sums) == [new, f"toy/{BOB}"]
    assert TASK in me.state.boards
