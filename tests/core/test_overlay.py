"""Who is near: sessions sought, kept, and found again."""

from __future__ import annotations

import pytest

from golem.core import overlay
from golem.model import events as e
from golem.model.effects import Dial, SetTimer
from golem.model.messages import PeerList
from golem.model.settings import Settings
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo

BOB = FixedKeyring("bob").node_id


def dialled(me: Solo) -> list[str]:
    return [effect.address for effect in me.asked if isinstance(effect, Dial)]


def test_bootstrap_nodes_are_dialled_first_and_never_oneself() -> None:
    assert dialled(Solo(Settings(bootstrap=("boot:1", "me:1")))) == ["boot:1"]


def test_a_newcomer_hears_who_else_is_near() -> None:
    me = Solo()
    me.meet("bob")
    assert me.one_said(PeerList).peers == ()
    me.meet("carol")
    assert me.one_said(PeerList).peers == ((BOB, "bob:1"),)


def test_addresses_that_peers_tell_are_dialled_and_remembered() -> None:
    me = Solo()
    me.meet("bob")
    told = tuple((FixedKeyring(name).node_id, address) for name, address in (("zoe", "zoe:1"), ("bob", "bob:1")))
    me.hear("bob", PeerList(peers=(*told, (FixedKeyring("me").node_id, "me:1"), (FixedKeyring("x").node_id, ""))))
    assert dialled(me) == ["zoe:1"]
    me.post(e.TimerFired(name="overlay"))
    assert dialled(me) == ["zoe:1"]


def test_with_sessions_enough_nobody_is_dialled() -> None:
    me = Solo()
    for number in range(overlay.WANTED + 1):
        me.meet(f"peer{number}")
    me.hear("peer0", PeerList(peers=((FixedKeyring("zoe").node_id, "zoe:1"),)))
    assert dialled(me) == []
    me.post(e.TimerFired(name="overlay"))
    assert dialled(me) == []


def test_many_dead_addresses_do_not_keep_the_living_from_a_try() -> None:
    me = Solo()
    me.meet("bob")
    for page in range(4):
        near = [(FixedKeyring(f"n{page}-{i}").node_id, f"n{page}-{i}:1") for i in range(10)]
        me.hear("bob", PeerList(peers=tuple(near)))
    tried: set[str] = set()
    for _ in range(40):
        me.post(e.TimerFired(name="overlay"), after_ms=overlay.KEEP_UP_MS)
        assert len(dialled(me)) < overlay.WANTED
        tried |= set(dialled(me))
    assert len(tried) == 40


def test_a_peer_that_was_lost_is_dialled_at_once_and_missed_after_the_grace() -> None:
    me = Solo()
    me.meet("bob")
    me.post(e.Lost(peer=BOB))
    assert dialled(me) == ["bob:1"]
    assert me.one(SetTimer).name == f"vanished/{BOB}"
    assert not me.state.peers[BOB].is_connected


def test_a_peer_without_an_address_can_only_come_back_by_itself() -> None:
    me = Solo()
    me.post(e.Connected(peer=BOB, address="", gateway="", payee=FixedKeyring("bob").account, epoch="1"))
    me.post(e.Lost(peer=BOB))
    assert dialled(me) == []


def test_a_restart_dials_everybody_that_was_near() -> None:
    me = Solo()
    me.meet("bob")
    me.meet("carol")
    me.post(e.Lost(peer=BOB))
    assert me.state.started is not None
    me.post(me.state.started)
    assert dialled(me) == ["carol:1"], "bob's grace runs already"


def test_losing_a_node_that_was_never_met_is_nothing() -> None:
    me = Solo()
    me.post(e.Lost(peer=BOB))
    assert me.asked == []


def test_peers_are_bounded_and_those_that_are_away_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "MAX_PEERS", 2)
    me = Solo()
    bob = me.meet("bob")
    me.meet("carol")
    me.meet("dan")
    assert len(me.state.peers) == 3, "all are here"
    me.post(e.Lost(peer=bob))
    me.meet("eve")
    assert bob not in me.state.peers and len(me.state.peers) == 3


def test_addresses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "MAX_ADDRESSES", 1)
    me = Solo()
    me.meet("bob")
    me.hear("bob", PeerList(peers=tuple((FixedKeyring(n).node_id, f"{n}:1") for n in ("x", "y"))))
    assert list(me.state.addresses) == ["x:1"]


def test_who_is_alone_looks_ever_more_seldom_until_it_has_met_somebody() -> None:
    def pause() -> int:
        (timer,) = [effect for effect in me.asked if isinstance(effect, SetTimer) and effect.name == "overlay"]
        return timer.at_ms - me.now_ms

    me = Solo(Settings(bootstrap=("boot:1",)))
    pauses = [pause()]
    for _ in range(12):
        me.post(e.TimerFired(name="overlay"), after_ms=pauses[-1])
        assert dialled(me) == ["boot:1"]
        pauses.append(pause())
    assert pauses[:6] == [500, 1_000, 2_000, 4_000, 8_000, 10_000] and pauses[-1] == 10_000
    me.meet("bob")
    me.post(e.TimerFired(name="overlay"), after_ms=pauses[-1])
    assert pause() == overlay.KEEP_UP_MS
    me.post(e.Lost(peer=BOB))
    me.post(e.TimerFired(name="overlay"), after_ms=10_000)
    assert pause() == overlay.LONELY_MS
