"""A node whose address changes: through a relay, or straight again."""

from __future__ import annotations

from golem.core.places import is_relayed
from golem.model import events as e
from golem.model.messages import Demand, PeerList
from golem.model.settings import Settings
from golem.testing.keys import FixedKeyring
from golem.testing.solo import Solo
from tests.core.requesting import TASK, opened

BEHIND = f"relay:1/{FixedKeyring('me').node_id}"


def test_who_would_offer_hears_where_we_are_now() -> None:
    me = opened()
    me.meet("bob")
    me.asked.clear()
    me.post(e.Located(address=BEHIND))
    assert [said.address for said in me.said(Demand)] == [BEHIND]
    me.asked.clear()
    me.post(e.TaskCancelled(task_id=TASK))
    me.post(e.Located(address="me:1"))
    assert not me.said(Demand) and me.state.started is not None and me.state.started.address == "me:1"


def test_nobody_is_sent_to_a_relay_who_has_no_business_there() -> None:
    me = Solo(Settings())
    me.post(e.Located(address=BEHIND, is_proved=True))
    me.asked.clear()
    me.meet("bob")
    assert not [r for said in me.said(PeerList) for r in said.peers if is_relayed(r.address)]
