"""Sharded folders: a tree of nodes by the hash of the name (HAMT), for folders too long for one block.

Fan-out is 256, the hash is murmur3 (x64, its first 64 bits), and each level spends one byte of it: what Kubo, boxo and
js-ipfs write. A link is named by two hexadecimal digits, its slot, then by the entry's name; a shard below has no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from golem.errors import ContentUnreadable
from golem.ipfs import dagpb
from golem.ipfs.cid import Key
from golem.ipfs.dagpb import Link

FANOUT = 256
MURMUR3 = 0x22  # multicodec murmur3-x64-64
KIND = 5  # UnixFS's number for a shard
MAX_LEVELS = 8  # bytes in a hash: two names that share all of it can't be kept apart
_MASK = 2**64 - 1
_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F


class Shard(NamedTuple):
    """Part of a folder, in the order of its slots: names, with None where a shard hangs, and what they name.

    `tsizes`: as in `dagpb.Link`.
    """

    slots: tuple[int, ...]
    names: tuple[str | None, ...]
    keys: tuple[Key, ...]
    tsizes: tuple[int, ...]


def digest(name: bytes) -> bytes:
    """The hash that says where a name goes, its most significant byte first."""
    one = two = 0
    whole = len(name) // 16 * 16
    for at in range(0, whole, 16):
        one ^= _mix(int.from_bytes(name[at : at + 8], "little"), _C1, 31, _C2)
        one = (_turn(one, 27) + two) * 5 + 0x52DCE729 & _MASK
        two ^= _mix(int.from_bytes(name[at + 8 : at + 16], "little"), _C2, 33, _C1)
        two = (_turn(two, 31) + one) * 5 + 0x38495AB5 & _MASK
    one ^= _mix(int.from_bytes(name[whole : whole + 8], "little"), _C1, 31, _C2)
    two ^= _mix(int.from_bytes(name[whole + 8 :], "little"), _C2, 33, _C1)
    one, two = one ^ len(name), two ^ len(name)
    one = one + two & _MASK
    two = two + one & _MASK
    return (_final(one) + _final(two) & _MASK).to_bytes(8, "big")


def _turn(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & _MASK


def _mix(word: int, before: int, by: int, after: int) -> int:
    return _turn(word * before & _MASK, by) * after & _MASK


def _final(word: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        word = (word ^ word >> 33) * factor & _MASK
    return word ^ word >> 33


def encode(links: Sequence[Link], made: Callable[[bytes], Key], level: int = 0) -> tuple[bytes, int]:
    """The root of a sharded folder, and the bytes of all blocks below it. `made`: takes each shard below, names it."""
    slots: dict[int, list[Link]] = {}
    for link in links:
        slots.setdefault(digest(link.name)[level], []).append(link)
    written = []
    for slot, held in sorted(slots.items()):
        link = held[0] if len(held) == 1 else _below(held, made, level + 1)
        written.append(link._replace(name=b"%02X" % slot + link.name))
    bits = sum(1 << slot for slot in slots)
    field = bits.to_bytes((bits.bit_length() + 7) // 8, "big")
    data = dagpb.field(1, KIND) + dagpb.field(2, field) + dagpb.field(5, MURMUR3) + dagpb.field(6, FANOUT)
    return dagpb.encode(written, data), sum(link.tsize for link in written)


def _below(links: Sequence[Link], made: Callable[[bytes], Key], level: int) -> Link:
    if level == MAX_LEVELS:
        raise ContentUnreadable(f"two names with one hash: {links[0].name!r} and {links[1].name!r}")
    block, below = encode(links, made, level)
    return Link(made(block), b"", len(block) + below)


def decode(links: Sequence[Link], bits: bytes, function: int, fanout: int, check_name: Callable[[bytes], str]) -> Shard:
    """A shard by its parts, or ContentUnreadable."""
    if (function, fanout) != (MURMUR3, FANOUT):
        raise ContentUnreadable(f"a shard with hash {function} and fan-out {fanout}; {MURMUR3} and {FANOUT} are read")
    try:
        slots = tuple(int(link.name[:2].decode("ascii"), 16) for link in links)
    except ValueError as why:
        raise ContentUnreadable("a shard's link does not say its slot") from why
    if list(slots) != sorted(set(slots)) or sum(1 << slot for slot in slots) != int.from_bytes(bits, "big"):
        raise ContentUnreadable("a shard's links are not those that its bits announce")
    names = tuple(check_name(link.name[2:]) if link.name[2:] else None for link in links)
    return Shard(slots, names, tuple(link.key for link in links), tuple(link.tsize for link in links))


def check_place(shard: Shard, path: bytes) -> None:
    """Raise ContentUnreadable unless every name hangs where its hash says, so that no name can be there twice.

    `path`: the slots that lead to the shard.
    """
    if len(path) >= MAX_LEVELS:
        raise ContentUnreadable(f"shards more than {MAX_LEVELS} deep")
    for slot, name in zip(shard.slots, shard.names, strict=True):
        if name is not None and not digest(name.encode()).startswith(path + bytes((slot,))):
            raise ContentUnreadable(f"a shard has a name out of its place: {name!r}")
