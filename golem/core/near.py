"""What a node remembers of where others listen, and how often it may knock: bounded, and little from any one mouth."""

from __future__ import annotations

from collections.abc import Mapping

from golem.core.places import Width, may_send, prefix
from golem.core.rumours import Known, Near
from golem.model.ids import NodeId
from golem.model.messages import PeerRecord, Place
from golem.model.value import evolve

MAX_RECORDS = 1_024  # of 300 bytes
MAX_PER_SOURCE = 128  # of them by the word of one peer: to fill our memory takes eight that lie
MAX_PER_PREFIX = 2  # records, and sessions that we dial, of one /24 or /48: a rented network is one voice
RECORD_MS = 24 * 3_600_000  # who was not heard of for a day is not looked for
AHEAD_MS = 600_000  # how far another's clock may be ahead of ours
DIAL_MS = 60_000  # between two dials into one prefix: we are no stick to beat somebody with
MAX_DIALS = 1_024  # prefixes whose last dial is remembered


def learn(near: Near, record: PeerRecord, source: NodeId, own: Width, now_ms: int) -> bool:
    """Remember a record that `source` told; says whether it was worth it. What a node says of itself goes first."""
    known = near.records.get(record.node)
    if known is not None and known.record.at_ms >= record.at_ms:
        return False
    if not now_ms - RECORD_MS < record.at_ms < now_ms + AHEAD_MS or not may_send(own, record.address):
        return False
    fresh = Known(record=record, source=known.source if known else source, prefix=prefix(record.address))
    if not _has_room(near.records, fresh, is_own=record.node == source):
        return False
    is_sure = known is not None and known.is_sure and known.record.address == record.address
    near.records.pop(record.node, None)
    near.records[record.node] = evolve(fresh, is_sure=is_sure)
    return True


def _has_room(records: dict[NodeId, Known], fresh: Known, *, is_own: bool) -> bool:
    """Make room for a record, in its prefix, among those of its source, and in all; False where there is none."""
    others = [known for node, known in records.items() if node != fresh.record.node]
    crowd = [known for known in others if known.prefix and known.prefix == fresh.prefix]
    rumours = [known for known in crowd if known.source != known.record.node and not known.is_sure]
    if len(crowd) >= MAX_PER_PREFIX and not (is_own and rumours):
        return False
    if len(crowd) >= MAX_PER_PREFIX:
        del records[rumours[0].record.node]
    elif fresh.record.node not in records:
        _evict(records, [known for known in others if known.source == fresh.source], MAX_PER_SOURCE)
        _evict(records, list(records.values()), MAX_RECORDS)
    return True


def _evict(records: dict[NodeId, Known], among: list[Known], most: int) -> None:
    """The oldest gives way, of those that we are not sure of first."""
    if len(among) >= most:
        gone = min(among, key=lambda known: (known.is_sure, known.record.at_ms))
        del records[gone.record.node]


def confirm(near: Near, node: NodeId, place: Place) -> None:
    """We dialled this place, and that node answered."""
    known = near.records.get(node)
    if known is not None and known.record.address == place:
        near.records[node] = evolve(known, is_sure=True)


def forget_old(near: Near, now_ms: int) -> None:
    """Let go of what nobody has said again for a day."""
    for node in [n for n, known in near.records.items() if known.record.at_ms <= now_ms - RECORD_MS]:
        del near.records[node]


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
