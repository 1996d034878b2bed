"""News to everybody: along a tree, mended from the side, and no more of anybody than of others."""

from __future__ import annotations

import pytest

from golem.core import tree
from golem.model import events as e
from golem.model.effects import Effect, SetTimer, Whisper
from golem.model.ids import NodeId, TaskId, derive
from golem.model.messages import MAX_IDS, Demand, Digest, Graft, Message, NewsId, Prune, Reason, Withdrawal
from golem.model.money import Wei
from golem.model.spec import Limits
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo


def node(name: str) -> NodeId:
    return FixedKeyring(name).node_id


def demand(author: str = "alice", task: int = 0, later_ms: int = 0) -> Demand:
    return Demand(
        task_id=TaskId(derive("task", task)),
        requestor=node(author),
        address=f"{author}:1",
        template="toy",
        environment="toy-1",
        max_price=Wei(1),
        limits=Limits(),
        chunks=1,
        expires_ms=BEGIN_MS + 600_000 + later_ms,
    )


def over(author: str = "alice", task: int = 0) -> Withdrawal:
    return Withdrawal(task_id=TaskId(derive("task", task)), requestor=node(author))


def among(*names: str) -> Solo:
    me = Solo()
    for name in names:
        me.meet(name)
    return me


def whispers(me: Solo) -> list[tuple[set[NodeId], Message]]:
    return [(set(effect.to), effect.message) for effect in me.asked if isinstance(effect, Whisper)]


def timers(asked: list[Effect]) -> list[str]:
    return [effect.name for effect in asked if isinstance(effect, SetTimer)]


def ids(*news: Demand | Withdrawal) -> tuple[NewsId, ...]:
    return tuple(tree.name(one) for one in news)


def lazy(me: Solo, *names: str) -> None:
    for name in names:
        me.hear(name, Prune())


# the tree


def test_news_is_passed_on_to_all_but_the_sender_and_its_author() -> None:
    me = among("alice", "bob", "carol", "dan")
    me.hear("bob", demand())
    assert whispers(me) == [({node("carol"), node("dan")}, demand())]


def test_who_brings_what_is_known_is_asked_to_send_ids_only() -> None:
    me = among("bob", "carol", "dan")
    me.hear("bob", demand())
    me.hear("carol", demand())
    assert whispers(me) == [({node("carol")}, Prune())]
    me.hear("carol", demand())
    assert whispers(me) == [], "it was asked already"


def test_our_own_demand_that_comes_back_is_no_news() -> None:
    me = among("bob")
    me.hear("bob", demand("me"))
    assert whispers(me) == [({node("bob")}, Prune())]


def test_lazy_neighbours_are_told_ids_together_a_moment_later() -> None:
    me = among("bob", "carol", "dan")
    lazy(me, "carol")
    me.hear("bob", demand(task=1))
    assert whispers(me) == [({node("dan")}, demand(task=1))] and "digest" in timers(me.asked)
    me.hear("bob", demand(task=2))
    assert "digest" not in timers(me.asked)
    me.post(e.TimerFired(name="digest"))
    assert whispers(me) == [({node("carol")}, Digest(ids=ids(demand(task=1), demand(task=2))))]
    me.post(e.TimerFired(name="digest"))
    assert whispers(me) == []


def test_many_ids_go_in_several_messages() -> None:
    me = among("bob")
    many = [NewsId(derive("news", number)) for number in range(MAX_IDS + 1)]
    me.state.tree.due[node("bob")] = many
    me.post(e.TimerFired(name="digest"))
    assert [len(message.ids) for _, message in whispers(me) if isinstance(message, Digest)] == [MAX_IDS, 1]


def test_news_that_does_not_come_by_itself_is_asked_for_of_one_holder_after_the_other() -> None:
    me = among("bob", "carol", "dan")
    lazy(me, "bob")
    me.hear("bob", Digest(ids=ids(demand())))
    assert timers(me.asked) == ["graft"]
    me.hear("carol", Digest(ids=ids(demand())))
    me.hear("carol", Digest(ids=ids(demand())))
    assert timers(me.asked) == []
    me.post(e.TimerFired(name="graft"))
    assert whispers(me) == [({node("bob")}, Graft(ids=ids(demand())))]
    assert node("bob") not in me.state.tree.lazy, "the link is part of the tree again"
    me.post(e.TimerFired(name="graft"))
    assert whispers(me) == [({node("carol")}, Graft(ids=ids(demand())))] and timers(me.asked) == ["graft"]
    me.post(e.TimerFired(name="graft"))
    assert me.asked == [] and not me.state.tree.missing, "nobody else has it"


def test_news_that_came_is_not_asked_for() -> None:
    me = among("bob", "carol")
    me.hear("bob", Digest(ids=ids(demand())))
    me.hear("carol", demand())
    me.post(e.TimerFired(name="graft"))
    assert me.asked == []
    me.hear("bob", Digest(ids=ids(demand())))
    assert me.asked == [], "nor is what we have"


def test_who_is_gone_is_not_asked() -> None:
    me = among("bob", "carol")
    me.hear("bob", Digest(ids=ids(demand())))
    me.post(e.Lost(peer=node("bob")))
    me.post(e.TimerFired(name="graft"))
    assert whispers(me) == []


def test_what_is_asked_for_is_given_and_all_else_from_then_on() -> None:
    me = among("bob", "carol", "dan")
    lazy(me, "carol")
    me.hear("bob", demand())
    me.hear("carol", Graft(ids=(*ids(demand()), NewsId("0" * 32))))
    assert whispers(me) == [({node("carol")}, demand())]
    me.hear("bob", demand(task=2))
    assert whispers(me) == [({node("carol"), node("dan")}, demand(task=2))]


def test_a_newcomer_is_told_the_ids_of_live_demands() -> None:
    me = among("bob")
    me.hear("bob", demand())
    me.hear("bob", over(task=9))
    me.meet("carol")
    assert me.one_said(Digest).ids == ids(demand())
    me.now_ms += 600_001
    me.meet("dan")
    assert not me.said(Digest)


def test_who_left_is_no_part_of_the_tree() -> None:
    me = among("bob", "carol")
    lazy(me, "carol")
    me.post(e.Lost(peer=node("carol")))
    me.hear("bob", demand())
    assert whispers(me) == [] and not me.state.tree.lazy and not me.state.tree.due
    lazy(me, "carol")
    assert not me.state.tree.lazy, "a word that comes late"


# withdrawals


def test_a_withdrawal_goes_the_same_way_and_only_where_the_demand_went() -> None:
    me = among("bob", "carol")
    me.hear("bob", over())
    assert whispers(me) == [], "of a demand that nobody here knows"
    me = among("bob", "carol")
    me.hear("bob", demand())
    me.hear("bob", over())
    assert whispers(me) == [({node("carol")}, over())]
    assert list(me.state.tree.news.values()) == [over()], "in the demand's place"
    assert demand().task_id not in me.state.demands


# bounds


@pytest.mark.parametrize("later_ms", (-600_001, tree.TTL_MS + tree.AHEAD_MS))
def test_what_is_past_its_time_or_wants_to_live_too_long_is_not_passed_on(later_ms: int) -> None:
    me = among("bob", "carol")
    me.hear("bob", demand(later_ms=later_ms))
    assert whispers(me) == [] and not me.state.demands
    assert me.state.notes["news"] == {Reason.LATE.value: 1}


def test_an_older_announcement_of_a_task_is_no_news() -> None:
    me = among("bob", "carol")
    me.hear("bob", demand(later_ms=tree.RENEWED_MS))
    me.hear("bob", demand())
    assert whispers(me) == [] and me.state.notes["news"] == {Reason.LATE.value: 1}


def test_what_is_announced_anew_too_soon_is_heard_of_the_requestor_alone_and_not_passed_on() -> None:
    me = among("alice", "bob", "carol")
    me.hear("alice", demand())
    me.hear("alice", demand(later_ms=1))
    assert whispers(me) == [] and me.state.demands[demand().task_id] == demand(later_ms=1)
    me.hear("bob", demand(later_ms=2))
    assert whispers(me) == [] and me.state.demands[demand().task_id] == demand(later_ms=1)
    me.hear("bob", demand(later_ms=tree.RENEWED_MS + 2))
    assert whispers(me), "half a minute later it is"


def test_of_one_requestor_so_many_demands_are_carried_and_more_are_kept_by_those_it_tells_itself() -> None:
    me = among("alice", "bob", "carol")
    for task in range(tree.LIVE_CARRIED):
        me.hear("bob", demand(task=task), after_ms=1_000)
        assert whispers(me)
    me.hear("bob", demand(task=tree.LIVE_CARRIED), after_ms=1_000)
    assert whispers(me) == [] and len(me.state.demands) == tree.LIVE_CARRIED
    me.hear("alice", demand(task=tree.LIVE_CARRIED + 1), after_ms=1_000)
    assert whispers(me) == [] and len(me.state.demands) == tree.LIVE_CARRIED + 1
    me.now_ms = BEGIN_MS + 600_001
    me.hear("bob", demand(task=99, later_ms=600_000))
    assert whispers(me), "those before have run out"


def test_of_a_neighbour_s_own_demands_so_many_are_kept() -> None:
    me = among("alice", "bob")
    for task in range(tree.LIVE_STRAIGHT + 1):
        me.hear("alice", demand(task=task), after_ms=100)
    assert len(me.state.demands) == tree.LIVE_STRAIGHT
    assert me.state.notes["news"] == {Reason.TOO_MANY.value: 1}


def test_a_requestor_that_opens_and_closes_tasks_in_a_rush_is_carried_at_its_rate() -> None:
    me = among("alice", "bob", "carol")
    carried = 0
    for task in range(100):
        me.hear("bob", demand(task=task), after_ms=10)
        carried += bool(whispers(me))
        me.hear("bob", over(task=task))
    assert carried == tree.AUTHOR_BURST
    assert me.state.notes["news"][Reason.TOO_MANY.value] == 100 - carried
    me.hear("bob", demand(task=100), after_ms=1_000)
    assert whispers(me), "one more a second"


def test_one_neighbour_brings_so_much_and_no_more_whoever_the_authors_are() -> None:
    me = among("bob", "carol")
    taken = 0
    for number in range(tree.LINK_BURST + 50):
        me.hear("bob", demand(f"sybil{number}", task=number))
        taken += bool(whispers(me))
    assert taken == tree.LINK_BURST
    last = demand(f"sybil{tree.LINK_BURST + 49}", task=tree.LINK_BURST + 49)
    me.hear("carol", last)
    assert last.task_id in me.state.demands, "what was not taken may come another way"


def test_memory_of_news_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("MAX_SEEN", "MAX_NEWS", "MAX_AUTHORS", "MAX_MISSING"):
        monkeypatch.setattr(tree, bound, 3)
    me = among("bob", "carol")
    for number in range(6):
        me.hear("bob", demand(f"n{number}", task=number))
    me.hear("bob", Digest(ids=tuple(NewsId(derive("id", number)) for number in range(6))))
    held = me.state.tree
    assert [len(book) for book in (held.seen, held.news, held.latest, held.authors, held.missing)] == [3] * 5


def test_one_liar_does_not_fill_what_is_waited_for() -> None:
    me = among("bob", "carol")
    for page in range(3):
        me.hear("bob", Digest(ids=tuple(NewsId(derive(page, number)) for number in range(MAX_IDS))))
    assert len(me.state.tree.missing) == MAX_IDS
    me.hear("carol", Digest(ids=ids(demand())))
    assert ids(demand())[0] in me.state.tree.missing


def test_what_one_holder_can_not_be_asked_at_once_is_asked_the_next_time() -> None:
    me = among("bob")
    me.state.tree.missing = {NewsId(derive("id", number)): [node("bob")] for number in range(MAX_IDS + 1)}
    me.post(e.TimerFired(name="graft"))
    assert len(me.one_said(Graft).ids) == MAX_IDS
    me.post(e.TimerFired(name="graft"))
    assert len(me.one_said(Graft).ids) == 1
