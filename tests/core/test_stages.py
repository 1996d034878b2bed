"""A requestor's own jobs beside the work: preparing, rounds, previews, the last result."""

from __future__ import annotations

from golem.core.market import LEAST_WORK_MS
from golem.core.showing import PREVIEW_MS
from golem.core.task import Phase
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Execute, Export, Publish, Release, Tell
from golem.model.ids import TaskId, merge_id, stage_id
from golem.model.messages import Assignment, Delivery, Offer
from golem.model.money import Wei, cost
from golem.model.spec import Limits, Outcome, Resource, Status, TaskSpec
from golem.model.value import evolve
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY, RESULT, ToyInStages

TASK = TaskId("7" * 32)
BUDGET = Wei(10**9)
SPEC = TaskSpec(
    template="toy",
    params=b"{}",
    budget=BUDGET,
    max_price=Wei(3_600_000),
    output="/out",
    limits=Limits(timeout_ms=10_000),
)
PREPARE = stage_id(TASK, "prepare")


def done(report: bytes = b"{}", *, with_file: bool = True) -> Outcome:
    return Outcome(status=Status.DONE, report=report, result=RESULT if with_file else "", size_bytes=1)  # type: ignore[arg-type]  # both are Cids


def funded(template: ToyInStages | None = None, resources: tuple[Resource, ...] = (), budget: Wei = BUDGET) -> Solo:
    me = Solo(template=template or ToyInStages())
    me.post(e.TaskSubmitted(task_id=TASK, spec=evolve(SPEC, budget=budget), resources=resources))
    me.post(
        e.Observed(
            key=f"funds/{TASK}", sighting=Sighting(block=1, block_ms=0, funds=Funds(free=BUDGET, wallet=Wei(10**17)))
        )
    )
    return me


def at_work(template: ToyInStages | None = None, chunks: int = 2, budget: Wei = BUDGET) -> Solo:
    me = funded(template, budget=budget)
    me.post(e.Executed(key=PREPARE, outcome=done(str(chunks).encode())))
    me.meet("alice")
    me.hear("alice", Offer(task_id=TASK, price=Wei(3_600_000), slots=1, capability=CAPABILITY))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    return me


def deliver(me: Solo, after_ms: int = 0) -> None:
    """Alice delivers what she was given last."""
    subtask = next(iter(me.state.boards[TASK].open))
    me.hear("alice", Delivery(subtask_id=subtask, result="", size_bytes=0, report=b"{}", used_ms=1_000), after_ms)  # type: ignore[arg-type]  # a Cid


def merged(me: Solo, name: str, pieces: int) -> None:
    me.post(e.Executed(key=merge_id(TASK, name, pieces), outcome=done()))


def exported(me: Solo, name: str) -> None:
    me.post(e.Exported(key=f"export/{TASK}/{name}", path=f"/out/{name}"))


def told(me: Solo, name: str) -> Tell:
    (found,) = [effect for effect in me.asked if isinstance(effect, Tell) and effect.name == name]
    return found


def programs(me: Solo) -> list[str]:
    return [effect.job.program for effect in me.asked if isinstance(effect, Execute)]


def phase(me: Solo) -> Phase:
    return me.state.boards[TASK].task.phase


# preparing


def test_nobody_is_hired_before_the_inputs_were_looked_at() -> None:
    me = funded()
    assert phase(me) is Phase.PREPARING
    assert programs(me) == ["prepare"]
    assert not me.state.tree.news
    me.post(e.Executed(key=PREPARE, outcome=done(b"2")))
    assert phase(me) is Phase.OPEN
    assert me.state.tree.news
    assert told(me, "prepared").fields == {"chunks": 2, "least_ms": 1_000, "most_ms": 2_000}
    assert me.state.boards[TASK].task.chunks == 2


def test_the_inputs_are_there_when_they_are_looked_at() -> None:
    me = funded(resources=(Resource(name="scene", path="/scene"),))
    me.post(e.Published(key=me.one(Publish).key, cid=RESULT, size_bytes=1))
    assert [one.name for one in me.one(Execute).job.inputs] == ["scene"]


def test_inputs_that_cannot_be_used_end_the_task_with_their_fault() -> None:
    for outcome, reason in (
        (Outcome(status=Status.ERROR, detail="no camera"), "the inputs can't be used: no camera"),
        (Outcome(status=Status.TIMEOUT), "the inputs can't be used: timeout"),
        (done(b"0"), "scene: there is nothing in it"),
    ):
        me = funded()
        me.post(e.Executed(key=PREPARE, outcome=outcome))
        assert (phase(me), me.state.boards[TASK].task.reason) == (Phase.FAILED, reason)
        assert me.one(Release)


def test_more_chunks_than_the_budget_allows_are_found_out_after_preparing() -> None:
    me = funded(budget=Wei(1_000))
    me.post(e.Executed(key=PREPARE, outcome=done(b"1000")))
    assert phase(me) is Phase.FAILED
    assert "1000 chunks need at least" in me.state.boards[TASK].task.reason


def test_what_is_prepared_for_a_cancelled_task_changes_nothing() -> None:
    me = funded()
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.Executed(key=PREPARE, outcome=done(b"2")))
    assert phase(me) is Phase.CANCELLED
    assert me.asked == []


# rounds


def test_a_merge_may_call_for_more_chunks_and_is_made_again_of_all() -> None:
    me = at_work(chunks=1)
    deliver(me)
    assert programs(me) == ["merge", "merge"]
    merged(me, "all", 1)
    assert told(me, "grown").fields == {"chunks": 2}
    assert me.state.boards[TASK].laid_out == 2
    merged(me, "first", 1)
    exported(me, "all")
    exported(me, "first")
    me.post(e.TimerFired(name=f"demand/{TASK}"))
    assert phase(me) is Phase.OPEN


def test_new_chunks_go_to_whoever_has_room_at_once_and_the_task_ends_after_the_last_round() -> None:
    me = at_work(ToyInStages(most=2, finishes=False), chunks=1)
    deliver(me)
    merged(me, "first", 1)
    exported(me, "first")
    merged(me, "all", 1)
    assert me.one_said(Assignment)
    exported(me, "all")
    deliver(me)
    assert programs(me)[0] == "merge"
    merged(me, "all", 2)
    assert phase(me) is Phase.OPEN
    exported(me, "all")
    assert phase(me) is Phase.DONE


def test_without_the_money_for_another_round_the_task_ends_with_what_it_has() -> None:
    me = at_work(ToyInStages(most=2, finishes=False), chunks=1, budget=cost(Wei(3_600_000), LEAST_WORK_MS))
    deliver(me, after_ms=1_000)
    merged(me, "all", 1)
    assert "budget" in str(told(me, "not grown").fields["reason"])
    merged(me, "first", 1)
    exported(me, "first")
    exported(me, "all")
    assert phase(me) is Phase.DONE


def test_a_merge_that_comes_after_its_task_ended_calls_for_nothing() -> None:
    me = at_work(chunks=1)
    deliver(me)
    me.post(e.TaskCancelled(task_id=TASK))
    merged(me, "all", 1)
    assert me.one(Release) and not [effect for effect in me.asked if isinstance(effect, Export)]
    assert me.state.boards[TASK].task.chunks == 1


# the last result


def test_a_finishing_result_is_made_of_all_merged_ones_in_order() -> None:
    me = at_work(ToyInStages(most=1), chunks=1)
    deliver(me)
    merged(me, "first", 1)
    exported(me, "first")
    merged(me, "all", 1)
    exported(me, "all")
    assert programs(me) == ["finish"]
    assert [one.name for one in me.one(Execute).job.inputs] == ["all", "first"]
    me.post(e.Executed(key=stage_id(TASK, "finish"), outcome=done()))
    assert phase(me) is Phase.OPEN
    exported(me, "finished")
    assert phase(me) is Phase.DONE


def test_a_template_that_wants_a_last_result_and_then_none_is_named() -> None:
    toy = ToyInStages(most=1)
    me = at_work(toy, chunks=1)
    deliver(me)
    for name in ("first", "all"):
        merged(me, name, 1)
    exported(me, "first")
    toy.finishes = False
    exported(me, "all")
    assert phase(me) is Phase.FAILED
    assert "the template toy failed in finish: ValueError('it wanted a last" in me.state.boards[TASK].task.reason


# previews


def test_a_preview_is_made_of_what_is_there_but_not_of_every_chunk() -> None:
    me = at_work(ToyInStages(most=5), chunks=5)
    deliver(me)
    assert "preview" not in programs(me)  # the template sees no use in one yet
    deliver(me)
    assert programs(me) == ["preview"]
    key = me.one(Execute).key
    deliver(me, after_ms=PREVIEW_MS)
    assert programs(me) == []  # one at a time
    me.post(e.Executed(key=key, outcome=done()))
    me.post(e.Exported(key=me.one(Export).key, path="/out/preview.png"))
    assert told(me, "preview").fields == {"path": "/out/preview.png"}
    deliver(me)
    assert programs(me) == ["preview"]


def test_the_task_does_not_depend_on_a_preview() -> None:
    me = at_work(ToyInStages(most=5), chunks=5)
    deliver(me)
    deliver(me)
    me.post(e.Executed(key=me.one(Execute).key, outcome=Outcome(status=Status.ERROR, detail="a bug")))
    assert told(me, "no preview").fields == {"reason": "a bug"}
    me.post(e.Failed(key=f"preview/{TASK}/2", fault="Fault", detail="disk full"))
    assert told(me, "no preview").fields == {"reason": "disk full"}
    assert phase(me) is Phase.OPEN


def test_a_preview_that_comes_too_late_is_let_go() -> None:
    me = at_work(ToyInStages(most=5), chunks=5)
    deliver(me)
    deliver(me)
    key = me.one(Execute).key
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.Executed(key=key, outcome=done()))
    assert me.one(Release)
