"""How likely a result is checked, or how closely, where all are: by who made it, and by what is at stake.

A cheat pays off where the chance of being caught is below what it saves, over what it loses (docs/verification.md):

    chance > saved / (1 + margin + loss)        all in units of the subtask's own cost

The same holds of who skips a part of each result, where it is looked at in one place that anything may lie in.
What a provider has to lose is the work that its good name brings: a tenth of a subtask for each good deed, measured by
the subtask at hand, so that a name made on small ones is worth little on a large one. Three things make it nothing: to
be new, to be trusted little, and to have been caught lately.
"""

from __future__ import annotations

from golem.core.reputation import Standing, faded, weight

NEWCOMER = 10.0  # good deeds, in units of weight, until which every result is checked
PROBATION = 50  # deeds after a wrong result during which every result is checked
TRUSTED = 0.8  # below this, every result is checked
FLOOR = 0.05  # no history lowers the chance any further; and of all results, this part is looked at closely
MARGIN = 0.1  # of the price over the cost: what an honest provider may be assumed to earn
SAFETY = 2.0  # the chance is so many times what deters
LOSS_PER_DEED = 0.1  # of a subtask's cost: the share of its income that a provider risks for each good deed
MOST_LOSS = 20.0


def chance(standing: Standing, trust: float, stake_wei: int, least: float, now_ms: int) -> float:
    """The chance that a result is checked, or the care that is taken, from `least` to 1.

    `stake_wei`: the most that the subtask may cost.
    """
    known = faded(standing, now_ms)
    if known.good < NEWCOMER or trust < TRUSTED or is_on_probation(known):
        return 1.0
    loss = min(MOST_LOSS, LOSS_PER_DEED * known.good / weight(stake_wei))
    return min(1.0, max(least, FLOOR, SAFETY / (1.0 + MARGIN + loss)))


def is_on_probation(standing: Standing) -> bool:
    """Whether a wrong result was followed by too few deeds yet."""
    return standing.wrong_ms > 0 and standing.deeds - standing.wrong_deeds < PROBATION
