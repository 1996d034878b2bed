"""A gateway that sends wrong bytes costs its node trust, and nobody else."""

from __future__ import annotations

import pytest

from golem.core.reputation import Deed, Role
from golem.core.turn import Turn
from golem.model.effects import Fetch
from golem.model.events import Deceived, Failed, Fetched
from golem.model.ids import NodeId
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from tests.core.providing import assignment, hired
from tests.core.requesting import assigned, at_work, delivery
from tests.core.test_sources import SCENE

ALICE, BOB = FixedKeyring("alice").node_id, FixedKeyring("bob").node_id


def _bad(me: Solo, node: NodeId, role: Role) -> float:
    turn: Turn = me.turn()
    return turn.standing(node, role).bad


def test_a_provider_whose_gateway_lies_about_its_result_is_trusted_less_than_one_that_withholds_it() -> None:
    me = at_work("bob")
    me.hear("bob", delivery(assigned(me, "bob")[0], with_content=True))
    fetch = me.one(Fetch)
    before = _bad(me, BOB, Role.PROVIDER)
    me.post(Deceived(key=fetch.key, source="bob:2"))
    lied = _bad(me, BOB, Role.PROVIDER) - before
    me.post(Failed(key=fetch.key, fault="ContentMissing", detail="nobody gave it"))
    assert lied > _bad(me, BOB, Role.PROVIDER) - before - lied > 0


def test_a_requestor_whose_gateway_lies_about_its_inputs_is_trusted_less_though_others_help() -> None:
    me = hired()
    plain = assignment()
    me.hear("alice", evolve(plain, job=evolve(plain.job, inputs=(SCENE,)), sources=("bob:2",)))
    fetch = me.one(Fetch)
    me.post(Deceived(key=fetch.key, source="alice:2"))
    me.post(Fetched(key=fetch.key, size_bytes=SCENE.size_bytes))
    assert _bad(me, ALICE, Role.REQUESTOR) > 0


def test_nobody_is_blamed_for_a_place_that_a_requestor_named() -> None:
    me = hired()
    me.meet("bob")
    plain = assignment()
    me.hear("alice", evolve(plain, job=evolve(plain.job, inputs=(SCENE,)), sources=("bob:2",)))
    before = dict(me.state.standings)
    me.post(Deceived(key=me.one(Fetch).key, source="bob:2"))
    assert me.state.standings == before


def test_what_is_not_known_any_more_blames_nobody() -> None:
    me = hired()
    before = dict(me.state.standings)
    me.post(Deceived(key=f"input/{'9' * 32}/0", source="alice:2"))
    me.post(Deceived(key=f"result/{'9' * 32}", source="alice:2"))
    assert me.state.standings == before


@pytest.mark.parametrize("deed", [Deed.FALSE_BYTES, Deed.FALSE_INPUT])
def test_wrong_bytes_weigh_less_than_a_wrong_result_for_they_are_found_out_at_once(deed: Deed) -> None:
    assert Deed.TIMEOUT.bad < deed.bad < Deed.WRONG.bad
