"""Who has a task's inputs gives them to those who come later, so that the requestor need not send them to each."""

from __future__ import annotations

from golem.core.task import sharers
from golem.model.effects import Fetch
from golem.model.events import Connected
from golem.model.ids import Cid
from golem.model.messages import MAX_SOURCES, Assignment
from golem.model.spec import Input
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.providing import assignment, demand, provider_near
from tests.core.requesting import SPEC, TASK, assigned, at_work, delivery, offer

SCENE = Input(name="scene", cid=Cid("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"), size_bytes=11)
WITH_SCENE = evolve(SPEC, inputs=(SCENE,))


def _joins(me: Solo, name: str) -> tuple[str, ...]:
    """Where a provider that comes later is told to fetch from, too."""
    me.meet(name)
    me.hear(name, offer())
    return me.said(Assignment)[0].sources


def test_whoever_comes_later_hears_of_those_who_have_delivered_and_then_of_those_at_work() -> None:
    me = at_work("bob", spec=WITH_SCENE, template=Toy(chunks=20))
    assert _joins(me, "carol") == ("bob:2",)
    me.hear("carol", delivery(assigned(me, "carol")[0]), after_ms=1_000)
    assert me.said(Assignment)[0].sources == ()  # it has everything by now
    assert _joins(me, "dave") == ("carol:2", "bob:2")
    bob = FixedKeyring("bob").node_id
    me.state.peers[bob] = evolve(me.state.peers[bob], gateway=f"/{bob}")
    assert "bob:2" not in _joins(me, "erin"), "only our own session reaches that"


def test_those_who_begin_together_hear_of_one_another() -> None:
    me = at_work("bob", "carol", "dave", spec=WITH_SCENE, template=Toy(chunks=3))
    heard = [set(assignment.sources) for assignment in me.said(Assignment)]
    assert sorted(map(sorted, heard)) == [["bob:2", "carol:2"], ["bob:2", "dave:2"], ["carol:2", "dave:2"]]


def test_a_task_without_inputs_names_nobody() -> None:
    me = at_work("bob", template=Toy(chunks=20))
    me.hear("bob", delivery(assigned(me, "bob")[0]), after_ms=1_000)
    assert _joins(me, "carol") == ()


def test_no_more_are_named_than_a_fetcher_asks_and_not_always_the_same() -> None:
    me = at_work("bob", spec=WITH_SCENE, template=Toy(chunks=60))
    board = me.state.boards[TASK]
    for number in range(12):
        board.agreements[FixedKeyring(f"n{number}").node_id] = evolve(
            next(iter(board.agreements.values())), pace_ms=1.0
        )
    bob = FixedKeyring("bob").node_id
    first = sharers(board, bob)
    board.history.append(board.history[0])
    second = sharers(board, bob)
    assert len(first) == len(second) == MAX_SOURCES
    assert first[1:] == second[:-1]


def test_a_provider_fetches_from_all_that_it_was_told_of_the_requestor_first() -> None:
    me = provider_near()
    me.meet("alice")
    me.hear("alice", demand())
    plain = assignment()
    me.hear("alice", evolve(plain, job=evolve(plain.job, inputs=(SCENE,)), sources=("bob:2",)))
    assert me.one(Fetch).sources == ("alice:2", "bob:2")


def test_a_provider_is_sent_behind_its_own_wall_by_nobody() -> None:
    me = provider_near()
    me.state.started = evolve(me.state.started, address="8.8.8.8:7300")
    me.post(
        Connected(
            peer=FixedKeyring("alice").node_id,
            address="9.9.9.9:7300",
            gateway="169.254.169.254:80",
            payee=FixedKeyring("alice").account,
            epoch="1",
            host="9.9.9.9",
        )
    )
    me.hear("alice", demand())
    plain, decoys = assignment(), ("192.168.1.1:80", "9.9.9.8:7301", "router.example.org:80")
    me.hear("alice", evolve(plain, job=evolve(plain.job, inputs=(SCENE,)), sources=decoys))
    assert me.one(Fetch).sources == ("9.9.9.9:80", "9.9.9.8:7301")
