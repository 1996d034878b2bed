"""Deeds to trust: one node's own evidence of another, in one of two roles.

Evidence is two pseudo-counts that fade, r for and s against (Beta reputation). Trust is their mean with a prior of
one good and one bad: a stranger has 0.5. The bad fades slower than the good, so nobody milks, waits and repeats.
The table keeps the order that the market needs: reported error < time-out < malformed, false bytes < wrong; and a late
payment weighs three time-outs. Source of all numbers: docs/economics.md, Reputation.
"""

from __future__ import annotations

from enum import Enum, unique
from math import log2

from golem.model.value import Value, evolve

PRIOR_WEIGHT = 2.0  # W: one good, one bad
DAY_MS = 24 * 3_600_000
GOOD_HALF_LIFE_MS = 30 * DAY_MS
BAD_HALF_LIFE_MS = 90 * DAY_MS
QUARANTINE_MS = 7 * DAY_MS  # after a wrong result no new work goes there, whatever the history
REFERENCE_PRICE_WEI = 10**15  # a subtask of this price counts once
LEAST_WEIGHT, MOST_WEIGHT = 0.25, 4.0  # many tiny subtasks can't buy what one large one costs


class Role(Enum):
    """The two rankings never mix."""

    PROVIDER = "provider"
    REQUESTOR = "requestor"


@unique
class Deed(Enum):
    """What a node did: in words, its role, and what that adds for (r) and against (s) it."""

    VERIFIED = ("verified", Role.PROVIDER, 1.0, 0.0)
    UNCHECKED = ("not checked", Role.PROVIDER, 0.3, 0.0)
    ERROR = ("reported an error", Role.PROVIDER, 0.0, 0.25)
    TIMEOUT = ("let time run out", Role.PROVIDER, 0.0, 1.0)
    MALFORMED = ("malformed", Role.PROVIDER, 0.0, 2.0)
    FALSE_BYTES = ("sent false bytes", Role.PROVIDER, 0.0, 2.0)
    WRONG = ("wrong", Role.PROVIDER, 0.0, 10.0)
    PAID = ("paid", Role.REQUESTOR, 1.0, 0.0)
    PAID_LATE = ("paid late", Role.REQUESTOR, 0.5, 3.0)
    ONE_DAY_LATER = ("a day later", Role.REQUESTOR, 0.0, 1.0)
    NOT_PAID = ("did not pay", Role.REQUESTOR, 0.0, 10.0)
    BAD_TASK = ("had no input", Role.REQUESTOR, 0.0, 0.5)
    FALSE_INPUT = ("sent a false input", Role.REQUESTOR, 0.0, 2.0)

    def __init__(self, words: str, role: Role, good: float, bad: float) -> None:
        self.words = words
        self.role = role
        self.good = good
        self.bad = bad


class Standing(Value):
    """Faded evidence of one node in one role, as of `at_ms`.

    `wrong_ms`: when it last gave a wrong result; `wrong_deeds`: how many deeds there were then.
    """

    good: float = 0.0
    bad: float = 0.0
    at_ms: int = 0
    wrong_ms: int = 0
    deeds: int = 0
    wrong_deeds: int = 0


STRANGER = Standing()


def faded(standing: Standing, now_ms: int) -> Standing:
    """The same evidence, older. Fading twice is fading once by the sum."""
    passed = max(0, now_ms - standing.at_ms)
    return evolve(
        standing,
        good=standing.good * 2.0 ** (-passed / GOOD_HALF_LIFE_MS),
        bad=standing.bad * 2.0 ** (-passed / BAD_HALF_LIFE_MS),
        at_ms=max(now_ms, standing.at_ms),
    )


def weight(price_wei: int) -> float:
    """How much a deed counts by what was at stake, in wei: 1 at the reference price, within bounds."""
    return min(MOST_WEIGHT, max(LEAST_WEIGHT, log2(1.0 + price_wei / REFERENCE_PRICE_WEI)))


def note(standing: Standing, deed: Deed, price_wei: int, now_ms: int) -> Standing:
    """Add a deed to the evidence."""
    old, value = faded(standing, now_ms), weight(price_wei)
    return evolve(
        old,
        good=old.good + deed.good * value,
        bad=old.bad + deed.bad * value,
        wrong_ms=now_ms if deed is Deed.WRONG else old.wrong_ms,
        deeds=old.deeds + 1,
        wrong_deeds=old.deeds + 1 if deed is Deed.WRONG else old.wrong_deeds,
    )


def trust(standing: Standing, now_ms: int) -> float:
    """0 < trust < 1: the share of good in all evidence, with the prior."""
    s = faded(standing, now_ms)
    return (s.good + PRIOR_WEIGHT / 2) / (s.good + s.bad + PRIOR_WEIGHT)


def is_quarantined(standing: Standing, now_ms: int) -> bool:
    """Whether a wrong result is too fresh for any new work."""
    return standing.wrong_ms > 0 and now_ms - standing.wrong_ms < QUARANTINE_MS
