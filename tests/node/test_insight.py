"""What made a number: own deeds, neighbours' words and the network's mean add up to the trust that is shown."""

from __future__ import annotations

import pytest

from golem.control.others import Story
from golem.control.views import views
from golem.core.fusion import Hearsay, Opinion
from golem.core.knowledge import rated
from golem.core.reputation import DAY_MS, Deed, Role
from golem.errors import NotFound
from golem.model.ids import NodeId
from golem.model.spec import Judgement
from golem.node import insight
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.requesting import TASK, assigned, at_work, delivery


def known() -> tuple[Solo, NodeId]:
    """A node that has dealt with bob often, and hears of him from carol and dave and from the network."""
    me = Solo()
    bob, carol, dave = (me.meet(name) for name in ("bob", "carol", "dave"))
    for number in range(20):
        me.turn().note(bob, Deed.VERIFIED, 10**15, f"{number:032x}", "all equal")
    me.turn().note(bob, Deed.WRONG, 10**15, "f" * 32, "chunk 3 differs")
    for neighbour in (carol, dave):
        for _ in range(6):
            me.turn().note(neighbour, Deed.VERIFIED, 10**15)
    target = rated(bob, Role.PROVIDER)
    me.state.rumours.opinions[target] = {carol: Opinion(good=9.0, bad=1.0), dave: Opinion(good=0.0, bad=30.0)}
    me.state.rumours.credible = {carol: 0.9, dave: 0.8}
    me.state.rumours.hearsay[target] = Hearsay(mean=0.75, raters=12.0, epoch=7)
    return me, bob


def test_the_grounds_of_a_trust_add_up_to_it() -> None:
    me, bob = known()
    now_ms = me.now_ms + 10 * DAY_MS
    (story,) = views(Story, insight.why(me.state, bob, now_ms))
    good, bad = sum(ground.good for ground in story.made_of), sum(ground.bad for ground in story.made_of)
    assert story.trust == pytest.approx((good + 1) / (good + bad + 2))
    by = {source: [g for g in story.made_of if g.source == source] for source in ("own", "neighbour", "network")}
    assert [len(grounds) for grounds in by.values()] == [17, 2, 1]
    assert (by["own"][0].what, by["own"][-1].what, by["own"][-1].why) == ("5 earlier", "wrong", "chunk 3 differs")
    assert sum(g.good for g in by["own"]) == pytest.approx(story.good)
    assert sum(g.bad for g in by["neighbour"]) == pytest.approx(story.heard_bad)
    assert story.is_quarantined is False
    assert views(Story, insight.why(me.state, bob, me.now_ms))[0].is_quarantined


def test_a_wrong_result_leads_to_the_signed_verdict_against_it() -> None:
    me = at_work("bob", template=Toy(judgement=Judgement.WRONG))
    (subtask,) = assigned(me, "bob")[:1]
    me.hear("bob", delivery(subtask))
    (story,) = views(Story, insight.why(me.state, FixedKeyring("bob").node_id, me.now_ms))
    assert [(ground.what, ground.subtask, ground.task) for ground in story.made_of] == [("wrong", subtask, TASK)]


def test_of_a_node_that_was_only_met_nothing_is_known_and_one_is_told_where_to_look() -> None:
    me, _ = known()
    erin = me.meet("erin")
    with pytest.raises(NotFound, match="reputation list"):
        insight.why(me.state, erin, me.now_ms)
    with pytest.raises(NotFound, match="peer list"):
        insight.peer(me.state, "02" + "e" * 64, me.now_ms)


def test_peers_with_a_session_come_first_and_one_shows_what_there_is_between_us() -> None:
    me, bob = known()
    me.state.peers[bob] = type(me.state.peers[bob])(
        address="bob:1", gateway="bob:2", payee=me.state.peers[bob].payee, is_connected=False
    )
    listed = insight.peers(me.state, me.now_ms)
    assert [record["is_connected"] for record in listed] == [True, True, False]
    shown = insight.peer(me.state, bob, me.now_ms)
    assert (shown["owed"], shown["due"], shown["computes_for_us"], shown["computed_here"]) == ("0", "0", 0, 0)
    assert insight.peer(me.state, str(listed[0]["node"]), me.now_ms)["neighbours_word_of"] == 1
