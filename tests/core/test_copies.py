"""Chunks that several providers do: who agrees is paid, who contradicts meets the referee, nobody waits for ever."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from golem.core.copies import LOOK_MS
from golem.core.reputation import Deed, Role, Standing, note
from golem.core.subtask import Phase as Attempt
from golem.core.task import Phase
from golem.interfaces import Answer, IVerifier, Ruling
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Execute, Export
from golem.model.ids import Cid, SubtaskId, TaskId
from golem.model.messages import Acceptance, Assignment, Delivery, Failure, Offer, Rejection
from golem.model.money import Wei
from golem.model.spec import Chunk, Job, Limits, Outcome, Status, TaskSpec
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, RESULT, Toy
from golem.verification import Redundancy

TASK = TaskId("7" * 32)
BUDGET = Wei(10**9)
NAMES = {FixedKeyring(name).node_id: name for name in ("bob", "carol", "dave", "erin")}


class Twice(Toy):
    """Each chunk is done by two, and maybe a third."""

    def __init__(self, chunks: int = 1, verifier: IVerifier | None = None) -> None:
        super().__init__(chunks)
        self.redundancy = verifier or Redundancy(spot=0.0)

    def verifier(self, spec: TaskSpec) -> IVerifier:
        return self.redundancy


class Breaks(Redundancy):
    """It can't compare."""

    def compare(self, chunk: Chunk, answers: Sequence[Answer], salt: bytes) -> Ruling:
        raise ZeroDivisionError("no answers")


def hiring(template: Toy, *names: str, good: int = 300, slots: int = 1) -> Solo:
    """A requestor for whose task these work, each with so many good deeds."""
    me = Solo(template=template)
    for name in names:
        standing = Standing(at_ms=me.now_ms)
        for _ in range(good):
            standing = note(standing, Deed.VERIFIED, 10**15, me.now_ms)
        if good:
            me.state.standings[f"provider/{FixedKeyring(name).node_id}"] = standing
    spec = TaskSpec(
        template="toy",
        params=b"{}",
        budget=BUDGET,
        max_price=Wei(3_600),
        output="/out",
        limits=Limits(timeout_ms=10_000),
    )
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    funds = Funds(free=BUDGET, wallet=Wei(10**17))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=Sighting(block=1, block_ms=0, funds=funds)))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    for name in names:
        offer(me, name, slots)
    return me


def offer(me: Solo, name: str, slots: int = 1) -> None:
    me.meet(name)
    me.hear(name, Offer(task_id=TASK, price=Wei(3_600), slots=slots, capability=CAPABILITY))


def at_hand(me: Solo, name: str) -> SubtaskId:
    node = FixedKeyring(name).node_id
    return [s for s, one in me.state.subtasks.items() if (one.provider, one.phase) == (node, Attempt.ASSIGNED)][-1]


def answer(me: Solo, name: str, report: bytes = b"1") -> None:
    subtask = at_hand(me, name)
    me.hear(name, Delivery(subtask_id=subtask, result=Cid(""), size_bytes=0, report=report, used_ms=1_000), 1_000)


def referee(me: Solo, report: bytes, status: Status = Status.DONE) -> None:
    me.post(e.Executed(key=me.one(Execute).key, outcome=Outcome(status=status, report=report)))


def phases(me: Solo) -> dict[str, str]:
    return {NAMES[one.provider]: one.phase.value for one in me.state.subtasks.values()}


def test_a_chunk_is_done_by_two_at_once_and_both_are_paid_where_they_agree() -> None:
    me = hiring(Twice(), "bob", "carol", "dave")
    answer(me, "bob")
    assert not me.said(Acceptance)
    answer(me, "carol")
    assert len(me.said(Acceptance)) == 2 and phases(me) == {"bob": "accepted", "carol": "accepted"}
    board = me.state.boards[TASK]
    assert board.task.accepted == 1 and board.spent == 2 and me.one(Execute).job.program == "merge"
    assert me.state.subtasks[board.history[0]].reason == "agreement: 2 providers answer the same"


def test_no_provider_has_two_copies_of_a_chunk_however_many_slots_it_has() -> None:
    me = hiring(Twice(chunks=3), "bob", slots=8)
    assert sorted(subtask.chunk for subtask in me.state.subtasks.values()) == [0, 1, 2]
    assert sorted(me.state.boards[TASK].pending) == [0, 1, 2], "they wait for another provider"
    offer(me, "carol", slots=8)
    assert not me.state.boards[TASK].pending


def test_two_strangers_who_agree_are_not_believed_nor_are_three() -> None:
    me = hiring(Twice(), "bob", "carol", "dave", good=0)
    for name in ("bob", "carol", "dave"):
        answer(me, name, b"666")
    assert not me.said(Acceptance)
    referee(me, b"1")
    assert set(phases(me).values()) == {"rejected"} and len(me.said(Rejection)) == 3
    assert me.state.boards[TASK].pending == [0, 0], "it begins anew, with as many as at first"
    assert all(me.trust(name, Role.PROVIDER) < 0.5 for name in ("bob", "carol", "dave"))


def test_who_contradicts_meets_the_referee_and_who_was_right_is_paid() -> None:
    me = hiring(Twice(), "bob", "carol")
    answer(me, "bob", b"2")
    answer(me, "carol", b"1")
    referee(me, b"1")
    assert phases(me) == {"bob": "rejected", "carol": "accepted"}
    board = me.state.boards[TASK]
    assert board.task.accepted == 1 and not board.pending, "one that is right is enough"
    assert board.accepted[0].report == b"1"


def test_a_referee_that_fails_blames_nobody_and_the_chunk_is_done_again() -> None:
    me = hiring(Twice(), "bob", "carol")
    answer(me, "bob", b"2")
    answer(me, "carol", b"1")
    before = dict(me.state.standings)
    referee(me, b"", Status.FAULT)
    assert me.state.standings == before and len(me.said(Rejection)) == 2 and len(me.said(Assignment)) == 2
    answer(me, "bob")
    answer(me, "carol")
    assert me.state.boards[TASK].task.accepted == 1


def test_what_the_referee_kept_is_written_for_each_that_it_refused() -> None:
    me = hiring(Twice(), "bob", "carol")
    answer(me, "bob", b"1")
    answer(me, "carol", b"2")
    me.post(e.Executed(key=me.one(Execute).key, outcome=Outcome(status=Status.DONE, report=b"1", result=RESULT)))
    (refused,) = (one for one in me.state.subtasks.values() if one.phase is Attempt.REJECTED)
    assert NAMES[refused.provider] == "carol"
    folders = [effect.folder for effect in me.asked if isinstance(effect, Export)]
    assert folders == [f"/out/refused/{refused.subtask_id}"] and refused.reason.endswith(folders[0])


class Hears(Redundancy):
    """It keeps what the referee was told."""

    def referee(self, chunk: Chunk, work: Job, answers: Sequence[Answer], salt: bytes) -> Sequence[Job]:
        self.heard = [answer.delivery.report for answer in answers]
        return super().referee(chunk, work, answers, salt)


def test_the_referee_is_told_all_answers() -> None:
    verifier = Hears(spot=0.0)
    me = hiring(Twice(verifier=verifier), "bob", "carol")
    answer(me, "bob", b"2")
    answer(me, "carol", b"1")
    assert verifier.heard == [b"2", b"1"]


def test_a_comparison_that_breaks_is_named() -> None:
    me = hiring(Twice(verifier=Breaks()), "bob", "carol")
    answer(me, "bob")
    answer(me, "carol")
    why = "the template toy: its comparison failed: ZeroDivisionError('no answers')"
    assert [no.evidence for no in me.said(Rejection)] == [why, why]


def test_where_nobody_else_comes_the_referee_is_enough() -> None:
    me = hiring(Twice(), "bob")
    answer(me, "bob")
    (waiting,) = me.state.boards[TASK].answers[0]
    me.post(e.TimerFired(name=f"lease/{waiting}"), after_ms=LOOK_MS)
    referee(me, b"1")
    assert me.state.boards[TASK].task.accepted == 1 and not me.state.boards[TASK].pending


def test_a_copy_that_fails_is_done_by_another_while_its_sibling_waits() -> None:
    me = hiring(Twice(), "bob", "carol", "dave")
    answer(me, "bob")
    me.hear("carol", Failure(subtask_id=at_hand(me, "carol"), detail="no memory"))
    retry = next(name for name in ("carol", "dave") if me.said(Assignment) and at_hand_or_none(me, name))
    answer(me, retry)
    assert me.state.boards[TASK].task.accepted == 1


def at_hand_or_none(me: Solo, name: str) -> bool:
    node = FixedKeyring(name).node_id
    return any((s.provider, s.phase) == (node, Attempt.ASSIGNED) for s in me.state.subtasks.values())


def test_an_answer_of_a_cancelled_task_that_waits_for_nobody_is_judged_by_the_referee_and_paid() -> None:
    me = hiring(Twice(), "bob", "carol")
    answer(me, "bob")
    (waiting,) = me.state.boards[TASK].answers[0]
    me.post(e.TimerFired(name=f"lease/{waiting}"), after_ms=LOOK_MS)
    assert phases(me)["bob"] == "verifying" and not me.said(Acceptance), "carol may still come"
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.TimerFired(name=f"lease/{waiting}"), after_ms=LOOK_MS)
    referee(me, b"1")
    assert phases(me) == {"bob": "accepted", "carol": "cancelled"} and me.said(Acceptance)
    assert me.state.boards[TASK].task.phase is Phase.CANCELLED and not me.state.boards[TASK].open


def test_of_several_answers_that_wait_in_an_ended_task_one_calls_the_referee() -> None:
    me = hiring(Twice(verifier=Redundancy(copies=3, most=3)), "bob", "carol", "dave")
    answer(me, "bob")
    answer(me, "carol")
    first, second = me.state.boards[TASK].answers[0]
    me.post(e.TaskCancelled(task_id=TASK))
    assert me.post(e.TimerFired(name=f"lease/{second}"), after_ms=LOOK_MS) == []
    me.post(e.TimerFired(name=f"lease/{first}"))
    referee(me, b"1")
    assert len(me.said(Acceptance)) == 2


@pytest.mark.parametrize("budget", [1, 2])
def test_a_budget_must_suffice_for_all_copies(budget: int) -> None:
    me = Solo(template=Twice())
    spec = TaskSpec(template="toy", params=b"{}", budget=Wei(budget), max_price=Wei(3_600), output="/out")
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    assert (me.state.boards[TASK].task.phase is Phase.FAILED) == (budget == 1)
