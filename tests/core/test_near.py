"""What is remembered of where others listen: bounded, and little from any one mouth."""

from __future__ import annotations

import pytest

from golem.core import near as module
from golem.core.near import RECORD_MS, confirm, forget_old, learn, may_dial
from golem.core.places import Width
from golem.core.rumours import Near
from golem.model.ids import NodeId, derive
from golem.model.messages import PeerRecord

NOW = 1_700_000_000_000
TELLER = NodeId("03" + "ee" * 32)


def node(number: int) -> NodeId:
    return NodeId("02" + derive("node", number) * 2)


def record(number: int, address: str = "", at_ms: int = NOW) -> PeerRecord:
    return PeerRecord(node=node(number), address=address or f"8.{number >> 8}.{number & 255}.1:7300", at_ms=at_ms)


def told(near: Near, record: PeerRecord, source: NodeId = TELLER) -> bool:
    return learn(near, record, source, Width.PUBLIC, NOW)


def test_the_latest_word_of_a_node_counts() -> None:
    near = Near()
    assert told(near, record(1)) and not told(near, record(1))
    assert not told(near, record(1, "9.9.9.9:1", NOW - 1))
    assert told(near, record(1, "9.9.9.9:1", NOW + 1))
    assert near.records[node(1)].record.address == "9.9.9.9:1"


@pytest.mark.parametrize("at_ms", (NOW - RECORD_MS, NOW + module.AHEAD_MS))
def test_words_of_yesterday_and_of_tomorrow_are_not_taken(at_ms: int) -> None:
    assert not told(Near(), record(1, at_ms=at_ms))


def test_what_nobody_said_again_for_a_day_is_forgotten() -> None:
    near = Near()
    told(near, record(1))
    forget_old(near, NOW + RECORD_MS - 1)
    assert near.records
    forget_old(near, NOW + RECORD_MS)
    assert not near.records


def test_of_one_network_two_are_remembered_and_who_speaks_for_itself_comes_before_rumours() -> None:
    near = Near()
    for number in range(3):
        told(near, record(number, f"8.8.8.{number + 1}:1"))
    assert list(near.records) == [node(0), node(1)]
    assert told(near, record(3, "8.8.8.4:1"), source=node(3))
    assert list(near.records) == [node(1), node(3)]
    assert told(near, record(4, "8.8.8.5:1"), source=node(4))
    assert not told(near, record(5, "8.8.8.6:1"), source=node(5)), "both speak for themselves"


def test_a_node_that_moves_within_its_network_stays() -> None:
    near = Near()
    told(near, record(0, "8.8.8.1:1"))
    told(near, record(1, "8.8.8.2:1"))
    assert told(near, record(1, "8.8.8.3:1", NOW + 1))


def test_one_liar_fills_its_own_share_of_the_memory_alone() -> None:
    near = Near()
    for number in range(10):
        told(near, record(number), source=node(99))
    for number in range(100, 100 + 2 * module.MAX_PER_SOURCE):
        told(near, record(number))
    assert all(node(number) in near.records for number in range(10))
    assert len(near.records) == 10 + module.MAX_PER_SOURCE


def test_the_memory_is_bounded_and_keeps_what_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 3)
    near = Near()
    told(near, record(0))
    confirm(near, node(0), record(0).address)
    for number in range(1, 5):
        told(near, record(number, at_ms=NOW + number))
    assert list(near.records) == [node(0), node(3), node(4)]


def test_a_place_is_sure_where_that_very_node_answered_and_only_as_long_as_it_stays_there() -> None:
    near = Near()
    told(near, record(1))
    confirm(near, node(1), "elsewhere:1")
    confirm(near, node(2), "unknown:1")
    assert not near.records[node(1)].is_sure
    confirm(near, node(1), record(1).address)
    told(near, record(1, at_ms=NOW + 1))
    assert near.records[node(1)].is_sure
    told(near, record(1, "9.9.9.9:1", NOW + 2))
    assert not near.records[node(1)].is_sure


def test_ten_thousand_records_of_one_victim_are_one_dial_a_minute() -> None:
    near = Near()
    dials = sum(may_dial(near, f"8.8.8.{n % 256}:{n + 1}", NOW + n) for n in range(10_000))
    assert dials == 1
    assert may_dial(near, "8.8.8.8:1", NOW + module.DIAL_MS)
    assert all(may_dial(near, "nas:1", NOW) for _ in range(3)), "a local network has no prefixes"


def test_the_dials_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DIALS", 2)
    near = Near()
    for number in range(4):
        may_dial(near, f"8.8.{number}.1:1", NOW)
    assert len(near.dials) == 2


def test_who_is_behind_a_relay_is_nobody_s_neighbour_by_hearsay() -> None:
    assert not told(Near(), record(1, f"8.8.8.8:7300/{node(1)}"))
