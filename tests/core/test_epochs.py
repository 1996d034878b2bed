"""Reputation among nodes: when epochs begin, what is said in them, and who is listened to."""

from __future__ import annotations

import pytest

from golem.core import epochs
from golem.core.fusion import Hearsay
from golem.core.gossip import UNIT
from golem.core.knowledge import known, rated
from golem.core.reputation import Deed, Role, Standing
from golem.model import events as e
from golem.model.effects import SetTimer, Whisper
from golem.model.messages import Opinions, Rated, Share
from golem.model.settings import Settings
from golem.testing.keys import FixedKeyring
from golem.testing.solo import BEGIN_MS, Solo

BOB, EVE, ME = (FixedKeyring(name).node_id for name in ("bob", "eve", "me"))
OF_EVE = rated(EVE, Role.PROVIDER)
TIMES = Settings(gossip_epoch_ms=100_000, gossip_round_ms=1_000)
EPOCH = BEGIN_MS // TIMES.gossip_epoch_ms
TICK = e.TimerFired(name="gossip")


def knowing(**evidence: Standing) -> Solo:
    me = Solo(TIMES)
    me.meet("bob")
    for name, standing in evidence.items():
        me.state.standings[rated(FixedKeyring(name).node_id, Role.PROVIDER)] = standing
    return me


def next_epoch(me: Solo) -> None:
    me.post(TICK, TIMES.gossip_epoch_ms - me.now_ms % TIMES.gossip_epoch_ms)


def shares(me: Solo) -> list[Share]:
    return [a.message for a in me.asked if isinstance(a, Whisper) and isinstance(a.message, Share)]


def told(me: Solo) -> list[Opinions]:
    return [a.message for a in me.asked if isinstance(a, Whisper) and isinstance(a.message, Opinions)]


def timer(me: Solo) -> int:
    (at_ms,) = [a.at_ms for a in me.asked if isinstance(a, SetTimer) and a.name == "gossip"]
    return at_ms - me.now_ms


def at(me: Solo, good: float = 10.0) -> Standing:
    return Standing(deeds=1, good=good, at_ms=me.now_ms)


def test_an_epoch_begins_by_the_clock_with_what_was_seen_here() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    next_epoch(me)
    (share,) = shares(me)
    assert share.epoch == EPOCH + 1
    ((target, value, weight),) = share.sums
    assert target == OF_EVE
    assert weight == pytest.approx(10 / 15 * UNIT / 2, rel=1e-3)
    assert value / weight == pytest.approx(11 / 12, rel=1e-3)
    assert timer(me) == TIMES.gossip_round_ms


def test_who_is_away_when_an_epoch_begins_is_no_neighbour_in_it() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    me.post(e.Lost(peer=BOB))
    next_epoch(me)
    assert shares(me) == []
    assert me.state.rumours.epoch is not None and not me.state.rumours.epoch.flows


def test_after_its_rounds_an_epoch_is_kept_and_the_next_is_waited_for() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    next_epoch(me)
    for _ in range(epochs.ROUNDS - 1):
        me.post(TICK, TIMES.gossip_round_ms)
    assert me.state.rumours.hearsay[OF_EVE].mean == pytest.approx(11 / 12, rel=1e-3)
    assert timer(me) > TIMES.gossip_round_ms
    me.post(TICK, TIMES.gossip_round_ms)
    assert shares(me) == []


def test_a_newcomer_listens_in_the_epoch_that_runs_and_speaks_in_the_next() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    me.hear("bob", Share(epoch=EPOCH, number=1, answers=0, degree=1, sums=((OF_EVE, UNIT // 2, UNIT),)))
    (answer,) = shares(me)
    assert answer.answers == 1 and answer.sums == (), "it had nothing to give"
    me.hear("bob", Share(epoch=EPOCH, number=2, answers=0, degree=1, sums=((OF_EVE, UNIT // 2, UNIT),)))
    (answer,) = shares(me)
    assert answer.sums == ((OF_EVE, UNIT // 4, UNIT // 2),)
    next_epoch(me)
    (share,) = shares(me)
    assert share.sums[0][2] == pytest.approx(10 / 15 * UNIT / 2, rel=1e-3)


def test_who_comes_back_in_the_midst_of_an_epoch_that_it_missed_listens_too() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    assert me.state.started is not None
    me.post(me.state.started, TIMES.gossip_epoch_ms + 5_000)
    assert me.state.rumours.epoch is not None
    assert (me.state.rumours.epoch.number, me.state.rumours.epoch.masses) == (me.now_ms // TIMES.gossip_epoch_ms, {})


def test_a_newcomer_asks_what_the_network_thinks_at_once() -> None:
    me = Solo(TIMES)
    assert timer(me) == TIMES.gossip_round_ms
    me.meet("bob")
    me.post(TICK, TIMES.gossip_round_ms)
    (share,) = shares(me)
    assert share.answers == 0 and share.sums == ()


def test_a_neighbour_that_is_first_in_a_newcomers_second_epoch_does_not_silence_it() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    me.now_ms += TIMES.gossip_epoch_ms
    me.hear("bob", Share(epoch=EPOCH + 1, number=1, answers=0, degree=1, sums=()))
    (answer,) = shares(me)
    assert [target for target, *_ in answer.sums] == [OF_EVE]


def test_a_neighbours_epoch_that_begins_a_moment_earlier_begins_ours() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    next_epoch(me)
    me.now_ms += TIMES.gossip_epoch_ms
    me.hear("bob", Share(epoch=EPOCH + 2, number=1, answers=0, degree=1, sums=()))
    (answer,) = shares(me)
    assert [target for target, *_ in answer.sums] == [OF_EVE]


def test_another_epoch_than_the_clocks_is_not_answered() -> None:
    me = knowing()
    me.hear("bob", Share(epoch=EPOCH + 7, number=1, answers=0, degree=1, sums=()))
    assert shares(me) == []
    assert me.state.rumours.epoch is not None and me.state.rumours.epoch.number == EPOCH


def test_an_answer_has_no_answer() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    next_epoch(me)
    me.hear("bob", Share(epoch=EPOCH + 1, number=1, answers=1, degree=1, sums=()))
    assert shares(me) == []


def test_who_comes_and_goes_in_mid_epoch_leaves_no_trace() -> None:
    me = knowing(eve=Standing(deeds=1, good=10.0, at_ms=BEGIN_MS))
    next_epoch(me)
    assert me.state.rumours.epoch is not None
    me.meet("carol")
    me.post(e.Lost(peer=BOB))
    whole = me.state.rumours.epoch.masses[OF_EVE]
    me.meet("bob")
    me.post(TICK, TIMES.gossip_round_ms)
    me.post(e.Lost(peer=BOB))
    me.post(e.Lost(peer=FixedKeyring("carol").node_id))
    assert me.state.rumours.epoch.masses[OF_EVE] == whole
    assert not me.state.rumours.epoch.flows


def test_neighbours_are_told_once_of_what_changed() -> None:
    me = knowing()
    me.state.standings[OF_EVE] = at(me)
    me.post(TICK)
    assert [o[0] for o in told(me)[0].of] == [OF_EVE]
    me.post(TICK, TIMES.gossip_round_ms)
    assert told(me) == []
    me.meet("carol")
    assert [o[0] for o in told(me)[0].of] == [OF_EVE]


def test_with_nobody_near_nobody_is_told() -> None:
    me = Solo(TIMES)
    me.state.standings[OF_EVE] = at(me)
    me.post(TICK)
    assert told(me) == [] and me.state.rumours.told == {}


def says(*said: tuple[Rated, float, float]) -> Opinions:
    return Opinions(of=tuple((target, round(good * 1000), round(bad * 1000), 0, 0) for target, good, bad in said))


def test_a_credible_neighbours_word_counts_as_far_as_it_has_earned() -> None:
    me = knowing()
    for name in ("x", "y", "z"):
        me.state.standings[rated(FixedKeyring(name).node_id, Role.PROVIDER)] = at(me, 20.0)
    agreeing = [(rated(FixedKeyring(name).node_id, Role.PROVIDER), 20.0, 0.0) for name in ("x", "y", "z")]
    me.hear("bob", says(*agreeing, (OF_EVE, 0.0, 50.0)))
    assert known(me.state, OF_EVE, me.now_ms).trust == 0.5, "bob has done nothing for us yet"
    me.state.standings[rated(BOB, Role.PROVIDER)] = at(me, 3.0)
    me.hear("bob", says((OF_EVE, 0.0, 50.0)))
    assert known(me.state, OF_EVE, me.now_ms).heard == pytest.approx((0.0, 3.0), rel=0.2)


def test_a_word_goes_two_steps_and_no_further() -> None:
    me = knowing()
    names = ("x", "y", "z")
    for name in (*names, "bob"):
        me.state.standings[rated(FixedKeyring(name).node_id, Role.PROVIDER)] = at(me, 20.0)
    agreeing = [(rated(FixedKeyring(name).node_id, Role.PROVIDER), 20_000, 0, 0, 0) for name in names]
    me.hear("bob", Opinions(of=(*agreeing, (OF_EVE, 5_000, 0, 0, 0))))
    me.post(TICK)
    (news,) = [entry for message in told(me) for entry in message.of if entry[0] == OF_EVE]
    assert news[1] == 0 and news[3] > 2_000, "what bob saw is passed on as heard"
    me.hear("bob", Opinions(of=((OF_EVE, 0, 0, 0, 50_000),)))
    assert known(me.state, OF_EVE, me.now_ms).trust < 0.5
    me.post(TICK)
    (news,) = [entry for message in told(me) for entry in message.of if entry[0] == OF_EVE]
    assert news[1:] == (0, 0, 0, 0), "what bob heard is not"


def test_nobody_is_heard_on_itself_or_on_us() -> None:
    me = knowing()
    me.hear("bob", says((rated(BOB, Role.PROVIDER), 99.0, 0.0), (rated(ME, Role.PROVIDER), 0.0, 99.0)))
    assert me.state.rumours.opinions == {}


def test_opinions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "MAX_SUBJECTS", 1)
    monkeypatch.setattr(epochs, "MAX_VOICES", 1)
    me = knowing()
    me.meet("carol")
    me.hear("bob", says((OF_EVE, 1.0, 0.0), (rated(EVE, Role.REQUESTOR), 1.0, 0.0)))
    me.hear("carol", says((OF_EVE, 2.0, 0.0)))
    assert list(me.state.rumours.opinions) == [OF_EVE] and list(me.state.rumours.opinions[OF_EVE]) == [BOB]
    me.hear("bob", says((OF_EVE, 3.0, 0.0)))
    assert me.state.rumours.opinions[OF_EVE][BOB].good == 3.0


def test_the_networks_mean_is_a_prior_and_no_more() -> None:
    me = knowing()
    me.state.rumours.hearsay[OF_EVE] = Hearsay(mean=1.0, raters=1e6, epoch=1)
    assert known(me.state, OF_EVE, me.now_ms).trust == pytest.approx(5 / 6, rel=1e-3)
    me.state.standings[OF_EVE] = Standing(deeds=1, bad=20.0, at_ms=me.now_ms)
    assert known(me.state, OF_EVE, me.now_ms).trust < 0.2


def test_what_contradicts_our_own_experience_makes_the_network_less_believed() -> None:
    me = knowing(eve=Standing(deeds=1, bad=50.0, at_ms=BEGIN_MS))
    next_epoch(me)
    me.hear("bob", Share(epoch=EPOCH + 1, number=1, answers=0, degree=1, sums=((OF_EVE, 15 * UNIT, 15 * UNIT),)))
    next_epoch(me)
    assert me.state.rumours.hearsay[OF_EVE].mean > 0.8
    assert me.state.rumours.belief < 0.5


def test_roles_do_not_mix_in_what_is_heard_either() -> None:
    me = knowing()
    me.state.rumours.hearsay[rated(EVE, Role.REQUESTOR)] = Hearsay(mean=0.0, raters=1e6, epoch=1)
    assert known(me.state, OF_EVE, me.now_ms).trust == 0.5
    assert Deed.PAID.role is Role.REQUESTOR
