"""One number from three sources: own experience, what neighbours say, and what the network came to by gossip.

All are pseudo-counts, so that each weighs what it rests on. Neighbours are believed as far as they agree with our own
experience, never for more than they ever did for us, and all together for twenty deeds at most: however many
identities somebody makes, none of them says more than it has earned here. The network's mean is a prior that weighs
four deeds at most, since anybody may lie to it. Formulas and measurements: docs/reputation.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from golem.core.reputation import PRIOR_WEIGHT, Standing
from golem.model.value import Value

MOST_HEARD = 20.0  # deeds that all recommendations together count for
ENOUGH_PER_OPINION = 5.0  # deeds of one neighbour that count in full; beyond, they count as five
LEAST_CREDIBLE = 0.3  # whoever is believed less is not counted at all
CLOSE, FAR = 0.25, 0.35  # two trusts that differ by less agree; by more, they contradict
GLOBAL_WEIGHT = 4.0  # deeds that the network's mean counts for at most
GLOBAL_HALF = 3.0  # raters at which it counts for half of that
SATURATION = 5.0  # deeds at which a rater's voice in the gossip has half its weight


class Opinion(Value, array_like=True):
    """One neighbour's own evidence of a target, and what it heard from its own neighbours at first hand."""

    good: float
    bad: float
    heard_good: float = 0.0
    heard_bad: float = 0.0


class Hearsay(Value, array_like=True):
    """What an epoch came to: the raters' mean, and about how many raters' weight it rests on."""

    mean: float
    raters: float
    epoch: int


class Voice(NamedTuple):
    """An opinion, how far its author is believed, and the most evidence that it may bring."""

    opinion: Opinion
    credible: float
    limit: float


class Fused(NamedTuple):
    """Evidence from all sources: own, heard from neighbours, and the network's as a prior of `weight`."""

    own: tuple[float, float]
    heard: tuple[float, float]
    mean: float
    weight: float

    @property
    def evidence(self) -> tuple[float, float]:
        """All of it, for and against."""
        good = self.own[0] + self.heard[0] + self.weight * self.mean
        return good, self.own[1] + self.heard[1] + self.weight * (1 - self.mean)

    @property
    def trust(self) -> float:
        """0 < trust < 1; a stranger nobody speaks of has 0.5."""
        good, bad = self.evidence
        return (good + PRIOR_WEIGHT / 2) / (good + bad + PRIOR_WEIGHT)


def fuse(own: Standing, voices: Iterable[Voice], hearsay: Hearsay | None, belief: float = 1.0) -> Fused:
    """Weigh everything that is known of a target. `own` must be faded to now; `belief`: in the network's means."""
    good = bad = 0.0
    for voice in voices:
        for_it, against = counted(voice)
        good, bad = good + for_it, bad + against
    scale = min(1.0, MOST_HEARD / (good + bad)) if good + bad else 1.0
    weight = belief * GLOBAL_WEIGHT * hearsay.raters / (hearsay.raters + GLOBAL_HALF) if hearsay else 0.0
    mean = hearsay.mean if hearsay else 0.0
    return Fused((own.good, own.bad), (good * scale, bad * scale), mean, weight)


def counted(voice: Voice) -> tuple[float, float]:
    """What one neighbour's word adds for and against a target, before all of them together are bounded."""
    opinion, credible, limit = voice
    for_it, against = opinion.good + opinion.heard_good, opinion.bad + opinion.heard_bad
    count = for_it + against
    if count <= 0 or credible <= LEAST_CREDIBLE:
        return 0.0, 0.0
    share = min(credible * min(1.0, ENOUGH_PER_OPINION / count), limit / count)
    return share * for_it, share * against


def credibility(pairs: Sequence[tuple[Standing, Opinion]], own_trust: float) -> float:
    """How far to believe a neighbour, by what both of us know. `own_trust`: ours in the neighbour itself."""
    agree, against = _agreement(pairs)
    known = agree + against
    believed = (agree + 0.5) / (agree + 4 * against + 1) * known / (known + 0.5)
    return believed * (0.1 if own_trust < 0.4 else 1.0)


def belief(pairs: Sequence[tuple[Standing, Hearsay]]) -> float:
    """How far to believe the network's means, by what we know ourselves: wholly, as long as nothing contradicts."""
    heard = [(own, Opinion(good=h.mean * h.raters, bad=(1 - h.mean) * h.raters)) for own, h in pairs]
    agree, against = _agreement(heard)
    return (agree + 1) / (agree + 4 * against + 1)


def _agreement(pairs: Sequence[tuple[Standing, Opinion]]) -> tuple[float, float]:
    """How many targets both see alike, and how many not, each as far as both know it."""
    agree = against = 0.0
    for own, opinion in pairs:
        surety = _surety(own.good + own.bad) * _surety(opinion.good + opinion.bad)
        apart = abs(_trust(own.good, own.bad) - _trust(opinion.good, opinion.bad))
        agree += surety * (apart < CLOSE)
        against += surety * (apart >= FAR)
    return agree, against


def voice_weight(standing: Standing) -> float:
    """At which weight a node speaks of another in the gossip: less than one, the more it knows the more."""
    known = standing.good + standing.bad
    return known / (known + SATURATION)


def _surety(count: float) -> float:
    return count / (count + PRIOR_WEIGHT)


def _trust(good: float, bad: float) -> float:
    return (good + PRIOR_WEIGHT / 2) / (good + bad + PRIOR_WEIGHT)
