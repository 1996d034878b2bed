"""The latest deeds themselves, beside the sums that trust is made of: so that a number can be asked what made it."""

from __future__ import annotations

from golem.core.reputation import BAD_HALF_LIFE_MS, GOOD_HALF_LIFE_MS, Deed, weight
from golem.model.messages import Rated
from golem.model.value import Value

MOST_DEEDS = 16  # of one node in one role; older ones are in the sums alone
MOST_RATED = 2_000  # nodes whose deeds are kept, those heard of last: 8 MB at 250 bytes a deed
MAX_WHY = 200  # characters of what was found


class Noted(Value, array_like=True):
    """One deed: when, which, and how many wei were at stake. `about`: the subtask; `why`: what was found, in words."""

    at_ms: int
    deed: str
    price_wei: int
    about: str = ""
    why: str = ""

    def worth(self, now_ms: int) -> tuple[float, float]:
        """What it adds now for and against its doer, faded as the sums are."""
        deed = Deed[self.deed]
        value, passed_ms = weight(self.price_wei), max(0, now_ms - self.at_ms)
        return (
            deed.good * value * 2.0 ** (-passed_ms / GOOD_HALF_LIFE_MS),
            deed.bad * value * 2.0 ** (-passed_ms / BAD_HALF_LIFE_MS),
        )


def keep(deeds: dict[Rated, list[Noted]], doer: Rated, noted: Noted) -> None:
    """Remember a deed, and forget the oldest beyond what is kept."""
    kept = deeds.pop(doer, [])
    deeds[doer] = [*kept[1 - MOST_DEEDS :], noted]
    if len(deeds) > MOST_RATED:
        del deeds[next(iter(deeds))]
