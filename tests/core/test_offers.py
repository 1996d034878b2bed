"""What becomes of a provider's offers is counted, and so are the nodes that a requestor turns down."""

from __future__ import annotations

from golem.core.board import MAX_REFUSED, turn_down
from golem.core.offers import MOST_LOST
from golem.core.task import Board
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Execute, Export
from golem.model.ids import Cid, NodeId, SubtaskId, TaskId
from golem.model.messages import Assignment, Delivery, Demand, Offer, Reason, Refusal, Withdrawal
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Job, Limits, Outcome, Status, TaskSpec
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo
from golem.testing.toy import CAPABILITY, RESULT, Toy

PRICE = Wei(3_600_000)
BUDGET = Wei(10**9)
PROVIDING = Settings(provide=True, templates=("toy",), min_price=PRICE)
TASK = TaskId("7" * 32)
SUBTASK = SubtaskId("a" * 32)


def demand(number: int = 7) -> Demand:
    return Demand(
        task_id=TaskId(f"{number:032x}" if number != 7 else TASK),
        requestor=FixedKeyring("alice").node_id,
        address="alice:1",
        template="toy",
        environment="toy-1",
        max_price=PRICE,
        limits=Limits(),
        chunks=4,
        expires_ms=BEGIN_MS + 600_000,
    )


def assignment() -> Assignment:
    job = Job(job_id=SUBTASK, task_id=TASK, template="toy", program="work", params=b"{}", limits=Limits())  # type: ignore[arg-type]  # the same hex
    return Assignment(subtask_id=SUBTASK, price=PRICE, cap=PRICE, deadline_ms=BEGIN_MS + 10**6, job=job)


def offering() -> Solo:
    me = Solo(PROVIDING)
    me.meet("alice")
    me.hear("alice", demand())
    assert me.said(Offer)
    return me


def test_an_offer_that_gets_work_is_taken_and_its_end_is_no_loss() -> None:
    me = offering()
    dealings = me.state.dealings
    assert (dealings.offers, dealings.taken, len(dealings.offered_ms)) == (1, 0, 1)
    me.hear("alice", assignment())
    assert (dealings.taken, len(dealings.offered_ms)) == (1, 0)
    me.hear("alice", Withdrawal(task_id=TASK))
    assert not dealings.lost


def test_an_offer_that_others_beat_is_remembered_with_what_they_were_paid() -> None:
    me = offering()
    me.hear("alice", Refusal(task_id=TASK, reason=Reason.OUTBID, price=Wei(5)))
    (lost,) = me.state.dealings.lost
    assert (lost.asked, lost.price, lost.reason) == (PRICE, 5, Reason.OUTBID)
    assert me.state.dealings.losses == {Reason.OUTBID.value: 1}
    assert TASK not in me.state.offered


def test_of_lost_offers_the_latest_are_kept_and_all_are_counted() -> None:
    me = Solo(PROVIDING)
    me.meet("alice")
    for number in range(100, 100 + MOST_LOST + 5):
        me.hear("alice", demand(number))
        me.hear("alice", Refusal(task_id=TaskId(f"{number:032x}"), reason=Reason.CLOSED))
    dealings = me.state.dealings
    assert (len(dealings.lost), dealings.losses) == (MOST_LOST, {Reason.CLOSED.value: MOST_LOST + 5})
    assert dealings.lost[0].task_id == TaskId(f"{105:032x}")


def test_at_the_end_who_got_no_work_hears_what_others_were_paid_for_it() -> None:
    me = Solo(template=Toy(chunks=1))
    spec = TaskSpec(template="toy", params=b"{}", budget=BUDGET, max_price=PRICE, output="/out")
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    sighting = Sighting(block=1, block_ms=0, funds=Funds(free=BUDGET, wallet=Wei(10**16)))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting))
    offer = Offer(task_id=TASK, price=PRICE, slots=1, capability=CAPABILITY)
    for name, price in (("bob", 1_800_000), ("carol", 3_600_000)):
        me.meet(name)
        me.hear(name, evolve(offer, price=Wei(price)))
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    work = me.one_said(Assignment)
    worker = "bob" if me.state.subtasks[work.subtask_id].provider == FixedKeyring("bob").node_id else "carol"
    done = Delivery(subtask_id=work.subtask_id, result=Cid(""), size_bytes=0, report=b"{}", used_ms=1_000)
    me.hear(worker, done, after_ms=1_000)
    merge = me.one(Execute).job
    me.post(e.Executed(key=merge.job_id, outcome=Outcome(status=Status.DONE, result=RESULT)))
    me.post(e.Exported(key=me.one(Export).key, path="/out/all"))
    outbid = [m for m in me.said(Refusal) if m.reason is Reason.OUTBID]
    assert [(m.task_id, m.price) for m in outbid] == [(TASK, work.price)]
    assert len(me.said(Withdrawal)) == 1


def test_how_many_nodes_that_were_turned_down_are_remembered_is_bounded() -> None:
    spec = TaskSpec(template="toy", params=b"{}", budget=BUDGET, max_price=PRICE, output="/out")
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=spec))
    board: Board = me.state.boards[TASK]
    for number in range(MAX_REFUSED + 2):
        turn_down(board, NodeId(f"02{number:064x}"), Reason.LATE)
    turn_down(board, NodeId(f"02{0:064x}"), Reason.QUARANTINE)
    assert len(board.refused) == MAX_REFUSED
    assert board.refused[NodeId(f"02{0:064x}")] is Reason.QUARANTINE
