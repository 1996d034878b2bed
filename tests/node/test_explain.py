"""Every chunk, every known node and every known demand stands under exactly one reason, whatever has happened."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from golem.control.views import Explanation, Prospects, view
from golem.core.board import MAX_WAITING
from golem.core.fusion import Hearsay
from golem.core.knowledge import rated
from golem.core.reputation import Role
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.ids import Cid, SubtaskId, TaskId
from golem.model.messages import Assignment, Delivery, Demand, Failure, Offer, Reason, Refusal
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Limits, TaskSpec
from golem.node import explain
from golem.node.prospects import prospects as prospects_of
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo
from golem.testing.toy import CAPABILITY, Toy

TASK = TaskId("7" * 32)
PRICE = Wei(3_600_000)
BUDGET = Wei(10**9)
CHUNKS = 5
NAMES = ("bob", "carol", "dave", "erin", "frank")
SPEC = TaskSpec(template="toy", params=b"{}", budget=BUDGET, max_price=PRICE, output="/out")


def opened(template: Toy | None = None) -> Solo:
    me = Solo(template=template or Toy(chunks=CHUNKS))
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    sighting = Sighting(block=1, block_ms=0, funds=Funds(free=BUDGET, wallet=Wei(10**16)))
    me.post(e.Observed(key=f"funds/{TASK}", sighting=sighting))
    for name in NAMES:
        me.meet(name)
    return me


def told(me: Solo) -> Explanation:
    return view(Explanation, explain.task(me.state, me.state.boards[TASK], me.template.split(SPEC)))


def happen(me: Solo, what: str, name: str) -> None:
    """One thing that a peer may do to a task."""
    offer = Offer(task_id=TASK, price=PRICE, slots=1, capability=CAPABILITY)
    who = FixedKeyring(name).node_id
    live = [s for s in me.state.subtasks.values() if s.provider == who and s.phase.value == "assigned"]
    if what == "offers":
        me.hear(name, offer)
    elif what == "is too dear":
        me.hear(name, Offer(task_id=TASK, price=Wei(PRICE + 1), slots=1, capability=CAPABILITY))
    elif what == "declines":
        me.hear(name, Refusal(task_id=TASK, reason=Reason.BUSY))
    elif what == "is lost":
        me.post(e.Lost(peer=who))
    elif what == "vanishes":
        me.post(e.TimerFired(name=f"vanished/{who}"))
    elif what == "fails" and live:
        me.hear(name, Failure(subtask_id=live[0].subtask_id, detail="no"))
    elif what == "picks":
        me.post(e.TimerFired(name=f"offers/{TASK}"))


WHAT = ("offers", "is too dear", "declines", "is lost", "vanishes", "fails", "picks")


@given(st.lists(st.tuples(st.sampled_from(WHAT), st.sampled_from(NAMES)), max_size=20))
@settings(deadline=None, max_examples=60)
def test_whatever_happens_the_counts_add_up(story: list[tuple[str, str]]) -> None:
    me = opened()
    for what, name in story:
        happen(me, what, name)
    found = told(me)
    if found.phase != "open":
        return
    assert found.accepted + found.verifying + found.computing + found.waiting == found.chunks == CHUNKS
    assert found.peers == len(NAMES)
    assert sum(group.chunks for group in found.groups) == found.waiting == len(me.state.boards[TASK].pending)
    for group in found.groups:
        assert sum(reason.count for reason in group.reasons) == found.peers


def test_each_node_is_counted_under_what_holds_it_back() -> None:
    me = opened()
    happen(me, "declines", "bob")
    happen(me, "is too dear", "carol")
    happen(me, "offers", "dave")
    happen(me, "picks", "dave")
    happen(me, "is lost", "erin")
    found = told(me)
    assert (found.computing, found.waiting) == (2, 3)
    assert {reason.reason: (reason.count, reason.by) for reason in found.reasons} == {
        Reason.BUSY.value: (1, "providers"),
        Reason.PRICE_TOO_HIGH.value: (1, "this node"),
        "all the slots it offered work on this task": (1, "this node"),
        "unreachable: there is no session with it": (1, "this node"),
        "it has not answered; nodes that do not provide say nothing": (1, "this node"),
    }


def test_before_the_market_opens_a_task_says_what_it_waits_for_instead() -> None:
    me = Solo(template=Toy(chunks=CHUNKS))
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    assert "budget is not reserved yet" in told(me).reason
    assert told(me).groups == ()


def test_of_an_ended_task_no_chunk_waits() -> None:
    me = opened()
    me.post(e.TaskCancelled(task_id=TASK))
    assert (told(me).waiting, told(me).reason, told(me).groups) == (0, "cancelled", ())


def test_results_that_wait_for_their_checks_are_counted_apart_and_named_where_they_hold_all_up() -> None:
    me = opened(Toy(chunks=CHUNKS, checks=1))
    happen(me, "offers", "bob")
    happen(me, "picks", "bob")
    subtask = next(iter(me.state.subtasks))
    me.hear("bob", Delivery(subtask_id=subtask, result=Cid(""), size_bytes=0, report=b"{}", used_ms=1_000))
    assert (told(me).verifying, told(me).computing, told(me).waiting, told(me).reason) == (1, 2, 2, "")
    me.state.to_check.update(dict.fromkeys(SubtaskId(f"{number:032x}") for number in range(MAX_WAITING)))
    assert "no more work is given out" in told(me).reason


def demand(number: int, max_price: int = PRICE, template: str = "toy", expires_ms: int = 600_000) -> Demand:
    return Demand(
        task_id=TaskId(f"{number:032x}"),
        requestor=FixedKeyring("alice").node_id,
        address="alice:1",
        template=template,
        environment="toy-1",
        max_price=Wei(max_price),
        limits=Limits(),
        chunks=4,
        expires_ms=BEGIN_MS + expires_ms,
    )


def prospects(me: Solo) -> Prospects:
    found = view(Prospects, prospects_of(me.state, me.template.policies(), me.now_ms, ("", "")))
    assert sum(reason.count for reason in found.reasons) == found.demands
    assert found.offers == found.taken + found.waiting + sum(reason.count for reason in found.losses)
    return found


def test_a_provider_hears_of_every_demand_why_it_gets_no_work_from_it() -> None:
    me = Solo(Settings(provide=True, templates=("toy",), min_price=PRICE))
    assert "no peers" in prospects(me).advice[0]
    me.meet("alice")
    assert "no task of another node is known" in prospects(me).advice[0]
    me.hear("alice", demand(1, max_price=5))
    me.hear("alice", demand(2))
    me.hear("alice", demand(3, template="raytrace"))
    found = prospects(me)
    assert (found.demands, found.offers, found.waiting) == (3, 1, 1)
    assert {reason.reason for reason in found.reasons} == {
        Reason.PRICE_TOO_LOW.value,
        Reason.TEMPLATE.value,
        "we have offered, and wait for work",
    }
    assert any("others want raytrace" in words for words in found.advice)
    assert any("1 of 3 demands pay less than we ask" in words for words in found.advice)


def test_a_provider_that_was_outbid_or_is_not_trusted_hears_it() -> None:
    me = Solo(Settings(provide=True, templates=("toy",), min_price=PRICE))
    me.meet("alice")
    for number, reason in enumerate((Reason.OUTBID, Reason.REPUTATION), 1):
        me.hear("alice", demand(number))
        me.hear("alice", Refusal(task_id=TaskId(f"{number:032x}"), reason=reason, price=Wei(7)))
    found = prospects(me)
    assert [(lost.price, lost.reason) for lost in found.lost] == [
        ("7", Reason.OUTBID.value),
        ("7", Reason.REPUTATION.value),
    ]
    me.hear("alice", demand(3))
    assert any("trust us too little" in words for words in prospects(me).advice)


def test_a_node_that_does_not_provide_or_lacks_the_environment_is_told_what_to_change() -> None:
    me = Solo(Settings())
    assert "provider.enabled" in prospects(me).advice[0]
    me = Solo(Settings(provide=True, templates=("toy",)), template=Toy())
    me.post(e.Rested(reason=Reason.HOURS))
    me.meet("alice")
    me.hear("alice", demand(1))
    found = prospects(me)
    assert Reason.HOURS.value in found.advice[0]
    assert found.reasons[0].reason == Reason.HOURS.value
    assert not me.said(Assignment)


def test_a_provider_hears_what_the_network_thinks_of_it() -> None:
    me = Solo(Settings(provide=True, templates=("toy",), min_price=PRICE))
    assert prospects(me).raters == 0.0
    ours = rated(FixedKeyring("me").node_id, Role.PROVIDER)
    me.state.rumours.hearsay[ours] = Hearsay(mean=0.25, raters=3.0, epoch=1)
    assert (prospects(me).network, prospects(me).raters) == (0.25, 3.0)
