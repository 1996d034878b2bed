"""Who is near: sessions sought, kept, and found again."""

from __future__ import annotations

import pytest

from golem.core import overlay
from golem.core.near import DIAL_MS, MAX_PER_PREFIX
from golem.core.places import prefix
from golem.model import events as e
from golem.model.effects import Dial, Drop, SetTimer, Whisper
from golem.model.ids import NodeId
from golem.model.messages import MAX_TOLD, PeerList, PeerRecord
from golem.model.settings import Settings
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo

BOB = FixedKeyring("bob").node_id
PUBLIC = Settings(bootstrap=("8.8.8.8:1",))


def dialled(me: Solo) -> list[str]:
    return [effect.address for effect in me.asked if isinstance(effect, Dial)]


def record(name: str, address: str = "", at_ms: int = BEGIN_MS) -> PeerRecord:
    return PeerRecord(node=FixedKeyring(name).node_id, address=address or f"{name}:1", at_ms=at_ms)


def tell(me: Solo, teller: str, *records: PeerRecord) -> None:
    me.hear(teller, PeerList(peers=records))


def meet_at(me: Solo, name: str, address: str, *, by_us: bool = False) -> NodeId:
    who = FixedKeyring(name)
    me.post(
        e.Connected(peer=who.node_id, address=address, gateway="", payee=who.account, epoch=name, dialled=by_us),
    )
    return who.node_id


def crowd(me: Solo, count: int = overlay.OUTBOUND, by_us: int = overlay.OUTBOUND) -> None:
    """Sessions enough."""
    for number in range(count):
        meet_at(me, f"peer{number}", f"peer{number}:1", by_us=number < by_us)


def later(me: Solo, after_ms: int = overlay.KEEP_UP_MS) -> None:
    me.post(e.TimerFired(name="overlay"), after_ms=after_ms)


# dialling


def test_bootstrap_nodes_are_dialled_first_and_never_oneself() -> None:
    assert dialled(Solo(Settings(bootstrap=("boot:1", "me:1")))) == ["boot:1"]


def test_addresses_that_peers_of_our_choice_tell_are_dialled_and_remembered() -> None:
    me = Solo()
    meet_at(me, "bob", "bob:1", by_us=True)
    tell(me, "bob", record("zoe"), record("bob"), record("me"), record("x", ":"))
    assert dialled(me) == ["zoe:1"]
    later(me)
    assert dialled(me) == ["zoe:1"]


def test_who_dialled_us_does_not_choose_at_once_whom_we_dial() -> None:
    me = Solo()
    me.meet("mallory")
    tell(me, "mallory", *(record(f"sybil{number}") for number in range(MAX_TOLD)))
    assert dialled(me) == []
    meet_at(me, "bob", "bob:1", by_us=True)
    tell(me, "bob", *(record(f"n{number}") for number in range(MAX_TOLD)))
    assert any(place.startswith("n") for place in dialled(me))


def test_with_sessions_enough_nobody_is_dialled() -> None:
    me = Solo(Settings(bootstrap=("boot:1",)))
    crowd(me)
    tell(me, "peer0", record("zoe"))
    assert dialled(me) == []


def test_some_sessions_are_dialled_by_us_however_many_dial_us() -> None:
    me = Solo()
    crowd(me, by_us=overlay.OUTBOUND - 2)
    tell(me, "peer0", *(record(name) for name in ("x", "y", "z")))
    assert len(dialled(me)) == 2


def test_many_dead_addresses_do_not_keep_the_living_from_a_try() -> None:
    me = Solo()
    me.meet("bob")
    for page in range(4):
        tell(me, "bob", *(record(f"n{page}-{i}") for i in range(10)))
    tried: set[str] = set()
    for _ in range(40):
        later(me)
        assert len(dialled(me)) <= overlay.OUTBOUND
        tried |= set(dialled(me))
    assert len(tried) == 40


def test_bootstrap_nodes_are_left_alone_once_others_are_known() -> None:
    me = Solo(Settings(bootstrap=("boot:1",)))
    crowd(me, by_us=overlay.OUTBOUND - 2)
    later(me)
    assert dialled(me) == ["boot:1"]
    tell(me, "peer0", *(record(f"n{i}") for i in range(overlay.OUTBOUND)))
    later(me, after_ms=overlay.DIALLING_MS)
    assert "boot:1" not in dialled(me) and len(dialled(me)) == 2


def test_of_one_network_two_are_sessions_that_we_dialled() -> None:
    me = Solo(PUBLIC)
    for number in range(MAX_PER_PREFIX):
        meet_at(me, f"here{number}", f"9.9.9.{number + 1}:1", by_us=True)
    tell(me, "here0", record("x", "9.9.9.77:1"), record("y", "9.9.10.1:1"))
    later(me, after_ms=60_000)
    later(me, after_ms=60_000)
    assert "9.9.9.77:1" not in dialled(me) and "9.9.10.1:1" in dialled(me)


@pytest.mark.parametrize("decoy", ("127.0.0.1:5001", "192.168.1.1:80", "router:80", "victim.example.org:80"))
def test_a_public_node_does_not_knock_where_strangers_point_behind_its_wall(decoy: str) -> None:
    me = Solo(PUBLIC)
    meet_at(me, "mallory", decoy)
    tell(me, "mallory", record("victim", decoy))
    assert dialled(me) == []
    later(me)
    assert decoy not in dialled(me)
    me.post(e.Lost(peer=FixedKeyring("mallory").node_id))
    assert dialled(me) == []


# being told


def test_a_newcomer_hears_where_we_listen_and_who_else_is_near() -> None:
    me = Solo()
    me.post(e.Located(address="me:1", is_proved=True))
    me.meet("bob")
    assert [r.address for r in me.one_said(PeerList).peers] == ["me:1"]
    tell(me, "bob", record("zoe"))
    me.meet("carol")
    assert {r.address for r in me.one_said(PeerList).peers} == {"me:1", "zoe:1"}


def test_a_newcomer_is_made_known_to_some_neighbours_once() -> None:
    me = Solo()
    me.meet("bob")
    tell(me, "bob", record("bob"))
    assert not me.said(PeerList), "there is nobody to tell"
    me.meet("zoe")
    tell(me, "zoe", record("zoe"), record("yan"))
    assert [r.address for r in me.one_said(PeerList).peers] == ["zoe:1"]
    assert [effect.to for effect in me.asked if isinstance(effect, Whisper)] == [(BOB,)]
    tell(me, "zoe", record("zoe", at_ms=BEGIN_MS + 1))
    assert not me.said(PeerList)


def test_where_we_listen_is_told_once_somebody_came_in_there_and_not_before() -> None:
    me = Solo()
    me.meet("bob")
    assert me.one_said(PeerList).peers == ()
    me.post(e.Located(address="me:1", is_proved=True))
    assert [r.address for r in me.one_said(PeerList).peers] == ["me:1"]
    me.post(e.Located(address="me:1"))
    me.meet("carol")
    assert me.one_said(PeerList).peers == (), "peers try in vain"


def test_after_a_restart_it_must_be_proved_anew() -> None:
    me = Solo()
    me.post(e.Located(address="me:1", is_proved=True))
    assert me.state.started is not None
    me.post(me.state.started)
    me.meet("bob")
    assert me.one_said(PeerList).peers == ()


def test_what_we_know_gets_about_once_a_minute() -> None:
    me = Solo()
    me.meet("bob")
    said = 0
    for _ in range(12):
        later(me)
        said += len(me.said(PeerList))
    assert said == 2


# sessions lost, and too many


def test_a_peer_that_was_lost_is_dialled_at_once_and_missed_after_the_grace() -> None:
    me = Solo()
    me.meet("bob")
    me.post(e.Lost(peer=BOB))
    assert dialled(me) == ["bob:1"]
    assert me.one(SetTimer).name == f"vanished/{BOB}"
    assert not me.state.peers[BOB].is_connected


def test_a_peer_without_an_address_can_only_come_back_by_itself() -> None:
    me = Solo()
    meet_at(me, "bob", "")
    me.post(e.Lost(peer=BOB))
    assert dialled(me) == []


def test_who_leaves_us_with_sessions_enough_is_not_run_after() -> None:
    me = Solo()
    crowd(me)
    me.meet("bob")
    me.post(e.Lost(peer=BOB))
    assert dialled(me) == []


def test_a_restart_dials_whom_we_had_dialled_and_those_who_dialled_us_are_no_choice_of_ours() -> None:
    me = Solo()
    me.meet("bob")
    me.meet("carol")
    meet_at(me, "dan", "dan:1", by_us=True)
    meet_at(me, "eve", "eve:1", by_us=True)
    me.post(e.Lost(peer=FixedKeyring("eve").node_id))
    assert me.state.started is not None
    me.post(me.state.started)
    assert dialled(me) == ["dan:1"], "eve's grace runs already"


def test_losing_a_node_that_was_never_met_is_nothing() -> None:
    me = Solo()
    me.post(e.Lost(peer=BOB))
    assert me.asked == []


def test_those_who_come_beyond_what_we_carry_are_sent_on_after_they_were_told_of_others() -> None:
    me = Solo()
    crowd(me, count=overlay.MAX_IDLE + overlay.OUTBOUND - 1, by_us=overlay.OUTBOUND - 1)
    me.meet("late")
    assert me.one_said(PeerList) and "trim" in {effect.name for effect in me.asked if isinstance(effect, SetTimer)}
    me.post(e.TimerFired(name="trim"))
    (gone,) = [effect.peer for effect in me.asked if isinstance(effect, Drop)]
    assert not me.state.peers[gone].dialled


def test_of_those_who_crowd_the_fullest_network_is_sent_on_first() -> None:
    me = Solo(PUBLIC)
    for number in range(overlay.MAX_IDLE - 1):
        meet_at(me, f"honest{number}", f"9.9.{number}.1:1")
    sybils = {meet_at(me, f"sybil{number}", f"8.8.8.{number + 1}:1") for number in range(3)}
    me.post(e.TimerFired(name="trim"))
    gone = {effect.peer for effect in me.asked if isinstance(effect, Drop)}
    assert len(gone) == 2 and gone < sybils


def test_half_of_the_room_is_for_those_who_were_met_first_even_before_a_restart() -> None:
    me = Solo(PUBLIC)
    old = [meet_at(me, f"old{number}", f"9.9.9.{number + 1}:1") for number in range(overlay.MAX_IDLE // 2)]
    me.post(e.Lost(peer=old[0]), after_ms=1)
    for number in range(overlay.MAX_IDLE):
        meet_at(me, f"sybil{number}", f"8.8.{number}.1:1")
    meet_at(me, "old0", "9.9.9.1:1")
    me.post(e.TimerFired(name="trim"))
    gone = {effect.peer for effect in me.asked if isinstance(effect, Drop)}
    assert len(gone) == overlay.MAX_IDLE // 2 and not gone & set(old)


def test_of_those_that_we_dialled_while_we_had_too_few_one_is_let_go_at_a_time() -> None:
    me = Solo()
    crowd(me)
    me.now_ms += 1
    late = [meet_at(me, f"late{number}", f"late{number}:1", by_us=True) for number in range(2)]
    later(me)
    (gone,) = [effect.peer for effect in me.asked if isinstance(effect, Drop)]
    assert gone in late
    me.post(e.Lost(peer=gone))
    me.post(e.Lost(peer=FixedKeyring("peer0").node_id))
    assert dialled(me) == []
    later(me)
    assert not [effect for effect in me.asked if isinstance(effect, Drop)]


def test_who_is_dialled_already_is_counted_until_it_took_too_long() -> None:
    me = Solo()
    crowd(me, by_us=overlay.OUTBOUND - 1)
    me.state.near.felt_ms = me.now_ms
    tell(me, "peer0", record("x"), record("y"))
    assert dialled(me) == ["x:1"]
    tell(me, "peer0", record("z"))
    assert dialled(me) == []
    later(me, after_ms=overlay.DIALLING_MS - 1)
    assert dialled(me) == []
    later(me, after_ms=1)
    assert len(dialled(me)) == 1


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


# feelers


def test_with_sessions_enough_we_look_now_and_then_whether_a_place_is_what_it_is_said_to_be() -> None:
    me = Solo()
    crowd(me, count=overlay.OUTBOUND)
    tell(me, "peer0", record("zoe"), record("peer1"))
    later(me)
    assert dialled(me) == ["zoe:1"]
    later(me)
    assert dialled(me) == [], "not so soon again"
    zoe = meet_at(me, "zoe", "zoe:1", by_us=True)
    assert me.one(Drop).peer == zoe
    assert me.state.near.records[zoe].is_sure
    later(me, after_ms=overlay.FEEL_MS)
    assert dialled(me) == [], "there is nothing unsure left"


def test_a_place_is_looked_at_later_where_its_network_was_knocked_at_just_now() -> None:
    me = Solo(PUBLIC)
    crowd(me, count=overlay.OUTBOUND)
    tell(me, "peer0", record("zoe", "8.8.8.8:1"))
    me.state.near.dials[prefix("8.8.8.8:1")] = me.now_ms
    later(me, after_ms=1)
    assert dialled(me) == []
    later(me, after_ms=DIAL_MS)
    assert dialled(me) == ["8.8.8.8:1"]


def test_a_place_that_was_only_looked_at_is_kept_where_a_session_is_wanted() -> None:
    me = Solo()
    crowd(me)
    tell(me, "peer0", record("zoe"))
    later(me)
    assert dialled(me) == ["zoe:1"]
    me.post(e.Lost(peer=FixedKeyring("peer9").node_id))
    meet_at(me, "zoe", "zoe:1", by_us=True)
    assert not [effect for effect in me.asked if isinstance(effect, Drop)]


def test_what_we_dialled_is_sure_as_soon_as_it_says_the_same_itself() -> None:
    me = Solo()
    bob = meet_at(me, "bob", "bob:1", by_us=True)
    tell(me, "bob", record("bob"))
    assert me.state.near.records[bob].is_sure
    carol = me.meet("carol")
    tell(me, "carol", record("carol"))
    assert not me.state.near.records[carol].is_sure


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
