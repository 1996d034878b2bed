"""Drawing by a salt, so that whoever knows it draws the same. `what`: sets the draws of one salt apart."""

from __future__ import annotations

from collections.abc import Sequence

from golem.model.ids import derive


def happens(chance: float, salt: bytes, what: str = "") -> bool:
    """Whether it does, with this probability."""
    return int(derive("happens", salt.hex(), what)[:13], 16) < chance * 2**52


def one_of(count: int, salt: bytes, what: str | int = "") -> int:
    """One of so many, all as likely."""
    return int(derive("one", salt.hex(), what), 16) % count


def some(total: int, count: int, salt: bytes) -> Sequence[int]:
    """`count` of so many, or all if there are fewer; ascending, each set as likely as any."""
    picked: set[int] = set()
    for top in range(max(0, total - count), total):  # Floyd's: as many draws as there are to pick
        drawn = one_of(top + 1, salt, top)
        picked.add(top if drawn in picked else drawn)
    return sorted(picked)
