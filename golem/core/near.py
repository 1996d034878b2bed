"""What a node remembers of where others listen, and how often it may knock: bounded, and little from any one mouth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from golem.core.places import Width, is_relayed, may_send, prefix
from golem.core.rumours import Known, Near
from golem.model import budgets
from golem.model.ids import NodeId
from golem.model.messages import PeerRecord, Place
from golem.model.value import evolve

K = TypeVar("K")

MAX_RECORDS = budgets.RECORDS.limit  # of 300 bytes
MAX_PER_SOURCE = budgets.RECORDS_OF_ONE.limit  # to fill our memory takes eight that lie
MAX_PER_PREFIX = budgets.RECORDS_OF_ONE_NETWORK.limit  # and sessions that we dial: it is one voice
RECORD_MS = 24 * 3_600_000  # who was not heard of for a day is not looked for
AHEAD_MS = 600_000  # how far another's clock may be ahead of ours
DIAL_MS = budgets.DIAL_MS.limit  # between two dials into one prefix: we are no stick to beat somebody with
MAX_DIALS = 1_024  # prefixes whose last dial is remembered


def learn(near: Near, record: PeerRecord, source: NodeId, own: Width, now_ms: int) -> bool:
    """Remember a record that `source` told; says whether it was worth it. What a node says of itself goes first."""
    known = near.records.get(record.node)
    if known is not None and known.record.at_ms >= record.at_ms:
        return False
    if not now_ms - RECORD_MS < record.at_ms < now_ms + AHEAD_MS or not may_send(own, record.address):
        return False
    if is_relayed(record.address):
        return False  # a relay's room is for those who have business with its guest
    fresh = Known(record=record, source=known.source if known else source, prefix=prefix(record.address))
    if not _has_room(near, fresh, is_own=record.node == source):
        return False
    is_sure = known is not None and known.is_sure and known.record.address == record.address
    _remove(near, record.node)
    near.records[record.node] = evolve(fresh, is_sure=is_sure)
    near.prefixes.setdefault(fresh.prefix, {})[record.node] = None
    near.sources.setdefault(fresh.source, {})[record.node] = None
    return True


def _has_room(near: Near, fresh: Known, *, is_own: bool) -> bool:
    """Make room for a record, in its prefix, among those of its source, and in all; False where there is none."""
    node, records = fresh.record.node, near.records
    crowd = [records[other] for other in near.prefixes.get(fresh.prefix, ()) if other != node] if fresh.prefix else []
    if len(crowd) >= MAX_PER_PREFIX:
        rumours = [known for known in crowd if known.source != known.record.node and not known.is_sure]
        if not is_own or not rumours:
            return False
        _remove(near, rumours[0].record.node)
    if node not in records and len(told := near.sources.get(fresh.source, {})) >= MAX_PER_SOURCE:
        _evict(near, list(told))
    if node not in records and len(records) >= MAX_RECORDS:
        _evict(near, list(records))
    return True


def _evict(near: Near, among: list[NodeId]) -> None:
    """The oldest gives way, of those that we are not sure of first."""
    _remove(near, next((node for node in among if not near.records[node].is_sure), among[0]))


def _remove(near: Near, node: NodeId) -> None:
    known = near.records.pop(node, None)
    if known is None:
        return
    _unlist(near.prefixes, known.prefix, node)
    _unlist(near.sources, known.source, node)


def _unlist(book: dict[K, dict[NodeId, None]], key: K, node: NodeId) -> None:
    del book[key][node]
    if not book[key]:
        del book[key]


def confirm(near: Near, node: NodeId, place: Place) -> None:
    """We dialled this place, and that node answered."""
    known = near.records.get(node)
    if known is not None and known.record.address == place:
        near.records[node] = evolve(known, is_sure=True)


def forget_old(near: Near, now_ms: int) -> None:
    """Let go of what nobody has said again for a day."""
    for node in [n for n, known in near.records.items() if known.record.at_ms <= now_ms - RECORD_MS]:
        _remove(near, node)


def may_dial(near: Near, place: Place, now_ms: int) -> bool:
    """Whether to dial into a prefix again; if so, that is noted. A local network has no prefixes."""
    shared = prefix(place)
    if not shared:
        return True
    if now_ms - near.dials.get(shared, now_ms - DIAL_MS) < DIAL_MS:
        return False
    near.dials.pop(shared, None)
    if len(near.dials) >= MAX_DIALS:
        del near.dials[next(iter(near.dials))]
    near.dials[shared] = now_ms
    return True


def crowded(prefixes: Mapping[str, int], place: Place) -> bool:
    """Whether a prefix has its share of our sessions already."""
    shared = prefix(place)
    return bool(shared) and prefixes.get(shared, 0) >= MAX_PER_PREFIX
