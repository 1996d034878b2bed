"""What nobody can judge the requestor computes itself: once, for nothing, and as a task's last way to its result."""

from __future__ import annotations

import pytest

from golem.core import substitute
from golem.core.reputation import Role
from golem.core.subtask import Phase, Subtask
from golem.core.task import Phase as TaskPhase
from golem.errors import TemplateFailed
from golem.model import events as e
from golem.model.effects import Execute, Send, Stop
from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Acceptance, Assignment
from golem.model.spec import Chunk, Job, Judgement, Outcome, Status, TaskSpec
from golem.model.value import evolve
from golem.testing.solo import Solo
from golem.testing.toy import RESULT, Toy
from tests.core.requesting import SPEC, TASK, assigned, at_work, delivery, phase, reason

DONE = Outcome(status=Status.DONE, result=RESULT, size_bytes=7, report=b"{}", used_ms=5)
CRASHED = Outcome(status=Status.CRASHED, detail="no memory left")

ME = Solo().turn().started.node_id


class Vague(Toy):
    """Nobody can tell what its results are worth."""

    def __init__(self, chunks: int = 1) -> None:
        super().__init__(chunks=chunks, judgement=Judgement.UNSURE)


def doubtful(me: Solo, name: str) -> None:
    """One more of its results comes, and can't be judged."""
    me.hear(name, delivery(assigned(me, name)[0]), 1_000)


def own(me: Solo) -> list[Subtask]:
    """What this node took over."""
    return [one for one in me.state.subtasks.values() if one.provider == ME]


def taken_over(template: Toy | None = None, spec: TaskSpec = SPEC) -> Solo:
    me = at_work("bob", template=template or Vague(), spec=spec)
    doubtful(me, "bob")
    assert not own(me) and me.said(Assignment), "the first time, it is given out once more"
    doubtful(me, "bob")
    return me


def test_after_two_results_that_nobody_could_judge_the_node_computes_the_chunk_and_the_task_is_done() -> None:
    me = taken_over()
    (mine,) = own(me)
    assert me.one(Execute).job.job_id == mine.subtask_id and not me.said(Assignment)
    me.post(e.Executed(key=mine.subtask_id, outcome=DONE))
    (mine,) = own(me)
    assert (mine.phase, mine.amount) == (Phase.ACCEPTED, 0)
    assert mine.reason == "done by this node itself, as results could not be judged"
    assert me.state.boards[TASK].accepted[0].result == RESULT
    assert [effect.job.program for effect in me.asked if isinstance(effect, Execute)] == ["merge"]
    assert me.trust("bob", Role.PROVIDER) == 0.5 and not me.said(Acceptance)


def test_it_does_so_at_once_where_the_provider_is_gone() -> None:
    me = at_work("bob", template=Vague())
    board = me.state.boards[TASK]
    (subtask,) = assigned(me, "bob")
    board.agreements.clear()
    me.hear("bob", delivery(subtask), 1_000)
    assert len(own(me)) == 1


def test_it_does_so_rather_than_give_the_task_up() -> None:
    me = at_work("bob", template=Vague(), spec=evolve(SPEC, max_attempts=1))
    doubtful(me, "bob")
    assert len(own(me)) == 1 and phase(me) is TaskPhase.OPEN


def test_where_it_fails_here_others_go_on_and_it_is_not_tried_again() -> None:
    me = taken_over(spec=evolve(SPEC, max_attempts=4))
    (mine,) = own(me)
    me.post(e.Executed(key=mine.subtask_id, outcome=CRASHED))
    assert own(me)[0].phase is Phase.FAILED and assigned(me, "bob")
    doubtful(me, "bob")
    assert len(own(me)) == 1
    assert phase(me) is TaskPhase.FAILED and "failed 4 times" in reason(me)


def test_it_computes_as_many_chunks_at_once_as_it_has_slots() -> None:
    me = at_work("bob", template=Vague(chunks=2), slots=2)
    assert me.turn().settings.slots == 1
    for _ in range(2):
        for subtask in assigned(me, "bob"):
            me.hear("bob", delivery(subtask), 1_000)
    assert len(own(me)) == 1 and len(assigned(me, "bob")) == 1, "the other is given out once more"


def test_a_task_that_ends_stops_it_and_what_comes_later_changes_nothing() -> None:
    me = taken_over()
    (mine,) = own(me)
    me.post(e.TaskCancelled(task_id=TASK))
    assert me.one(Stop).job_id == mine.subtask_id
    assert not [effect for effect in me.asked if isinstance(effect, Send) and effect.to == mine.provider]
    me.post(e.Executed(key=mine.subtask_id, outcome=DONE))
    assert own(me)[0].phase is Phase.CANCELLED and not me.state.boards[TASK].accepted


def test_a_result_that_comes_after_the_task_has_ended_is_not_computed_anew() -> None:
    me = at_work("bob", template=Vague())
    subtask = SubtaskId(assigned(me, "bob")[0])
    me.hear("bob", delivery(subtask, with_content=True))
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.Fetched(key=f"result/{subtask}", size_bytes=1))
    assert me.state.subtasks[subtask].phase is Phase.UNSURE and not own(me)


def test_a_template_that_makes_no_job_for_it_leaves_the_chunk_to_others() -> None:
    class Picky(Vague):
        def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
            if provider == ME:
                raise TemplateFailed("not here")
            return super().job(spec, chunk, subtask, provider)

    me = at_work("bob", template=Picky())
    doubtful(me, "bob")
    doubtful(me, "bob")
    assert not own(me) and assigned(me, "bob")


@pytest.mark.parametrize("is_open", [True, False])
def test_a_chunk_that_is_done_or_still_with_another_is_not_taken_over(is_open: bool) -> None:
    me = at_work("bob", template=Vague(), spec=evolve(SPEC, max_attempts=1))
    board = me.state.boards[TASK]
    (first,) = assigned(me, "bob")
    if is_open:
        board.doubled[0] = (first, SubtaskId("9" * 32))  # of the two, bob's still runs
    else:
        board.accepted[0] = delivery(first)
    unsure = evolve(me.state.subtasks[first], phase=Phase.UNSURE)
    assert not substitute.takes_over(me.turn(), board, unsure)
    board.doubled.clear()
    board.accepted.clear()
    assert substitute.takes_over(me.turn(), board, unsure)
