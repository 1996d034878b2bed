"""How this node trades unless told otherwise: dearer as it fills up, and to whom the work goes by what it costs done.

A requestor ranks by price over speed and over the chance of success, both drawn from what it knows (Thompson sampling):
of two providers about as good each is first about as often, however well they are known, so none is starved. Who is
known too little is ranked by the lower bound of its trust, thus behind the proven, where there are any; but one ranking
in seven puts such newcomers first, which is how they come to be known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, exp, log, pi, sqrt

from zope.interface import implementer

from golem.interfaces import IMarketStrategy
from golem.model.ids import NodeId, TaskId, derive
from golem.model.messages import Demand, Offer
from golem.model.money import Wei
from golem.model.trade import Seen, Terms

UNSURE = 0.3  # 2 / (deeds + 2) above this: fewer than five deeds at a stake of 10**15 wei
TRIALS = 0.15  # of all rankings put newcomers first; what they may cost is bounded: all they do is checked
QUANTILE = 1.645  # standard deviations below the mean: one in twenty is worse
LEAST_TRUST = 0.01  # nobody is infinitely dear
DOUBT = 0.1  # of a measured speed, as a standard deviation: four results or so, on a machine that does other things too
LEAN = 1.25  # how far a claimed speed moves who was not measured: less than a fair difference in price
MOST_TRIES = 32  # draws of one gamma variate; one in thirty needs a second


@implementer(IMarketStrategy)
class Frugal:
    """Providers ask from their least to their most price as they fill up; requestors want the cheapest good result."""

    def price(self, demand: Demand, terms: Terms) -> Wei:
        """The least per core with all slots free, the most with all busy, by a straight line between."""
        span = max(0, terms.most - terms.least)
        return Wei(demand.limits.cores * (terms.least + span * terms.busy // max(1, terms.slots)))

    def choose(
        self, demands: Mapping[TaskId, Demand], price: Mapping[TaskId, Wei], trust: Mapping[NodeId, float]
    ) -> Sequence[TaskId]:
        """By the income to expect of an hour: the price, as far as the requestor is trusted to pay it."""
        return sorted(demands, key=lambda task: (-price[task] * trust[demands[task].requestor], task))

    def rank(
        self, demand: Demand, offers: Mapping[NodeId, Offer], seen: Mapping[NodeId, Seen], salt: bytes
    ) -> Sequence[NodeId]:
        """See the module: draws for the proven, the lower bound for the others, and now and then trials first."""
        speed = _speeds(offers, seen)
        proven = {node for node, one in seen.items() if 2.0 / (one.good + one.bad + 2.0) <= UNSURE}
        is_trial = not proven or uniform(salt, "trial") < TRIALS

        def place(node: NodeId) -> tuple[bool, float, str]:
            one = seen[node]
            is_drawn = is_trial or node in proven
            chance = beta(one.good + 1, one.bad + 1, salt, node) if is_drawn else lower_bound(one)
            pace = speed[node] * exp(DOUBT * _normal(salt, node, "pace"))
            dear = max(1, offers[node].price) / (pace * max(LEAST_TRUST, chance))
            return is_trial and node in proven, dear, derive("tie", salt.hex(), node)

        return sorted(offers, key=place)


FRUGAL = Frugal()


def _speeds(offers: Mapping[NodeId, Offer], seen: Mapping[NodeId, Seen]) -> Mapping[NodeId, float]:
    """Measured speeds; who was never measured is like the mean of the others, and a little as it says of itself.

    A claim is worth what claims were worth of those who were measured, in the median.
    """
    known = {node: one.speed for node, one in seen.items() if one.speed}
    mean = sum(known.values()) / len(known) if known else 1.0
    worth = sorted(known[node] / offers[node].speed for node in known if offers[node].speed)
    per_cent = worth[len(worth) // 2] if worth else 0.01

    def guess(claimed: int) -> float:
        return max(mean / LEAN, min(mean * LEAN, claimed * per_cent)) if claimed else mean

    return {node: one.speed or guess(offers[node].speed) for node, one in seen.items()}


def lower_bound(seen: Seen) -> float:
    """The trust that a node has with a likelihood of 95 %, by the normal approximation."""
    total = seen.good + seen.bad + 2.0
    mean = (seen.good + 1.0) / total
    return max(0.0, mean - QUANTILE * sqrt(mean * (1.0 - mean) / (total + 1.0)))


def uniform(salt: bytes, *what: str | int) -> float:
    """A number above 0 and below 1 that whoever knows the salt draws again."""
    return (int(derive("uniform", salt.hex(), *what)[:13], 16) + 0.5) / 2.0**52


def beta(a: float, b: float, salt: bytes, what: str) -> float:
    """A draw from the beta distribution, for a, b at least 1."""
    x, y = _gamma(a, salt, what, "a"), _gamma(b, salt, what, "b")
    return x / (x + y)


def _normal(salt: bytes, *what: str | int) -> float:
    """A draw from the standard normal distribution: Box and Muller, 1958."""
    u, v = (uniform(salt, *what, which) for which in "uv")
    return sqrt(-2.0 * log(u)) * cos(2.0 * pi * v)


def _gamma(shape: float, salt: bytes, *what: str) -> float:
    """A draw from the gamma distribution of scale 1, for a shape of at least 1: Marsaglia and Tsang, 2000."""
    d = shape - 1.0 / 3.0
    for number in range(MOST_TRIES):
        normal = _normal(salt, *what, number)
        cube = (1.0 + normal / sqrt(9.0 * d)) ** 3
        if cube > 0 and log(uniform(salt, *what, number, "w")) < 0.5 * normal * normal + d - d * cube + d * log(cube):
            return d * cube
    return d  # in theory: one in 10**47
