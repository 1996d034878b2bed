"""Liars among a thousand nodes: whom do the honest choose, by our trust, by the plain mean, by EigenTrust?

Every node has dealt with thirty others. Colluders, in groups, do wrong in 45 % of their work, praise their own group
and decry every honest partner. Ours is computed by the functions that the node uses (`golem.core.fusion`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golem.core.fusion import (
    ENOUGH_PER_OPINION,
    LEAST_CREDIBLE,
    MOST_HEARD,
    Hearsay,
    Opinion,
    Voice,
    belief,
    credibility,
    fuse,
)
from golem.core.reputation import Standing

SIZE, PARTNERS, TASKS = 1_000, 30, 10
CHEATS, FAILS = 0.45, 0.03  # of the colluders' and of the honest nodes' work
WRONG, ERROR = 10.0, 0.25  # as in golem.core.reputation
PRAISE = 20.0
OBSERVERS, CANDIDATES, CHOICES = 25, 5, 400
TRUSTED, RETURN = 10, 0.15  # EigenTrust's: nodes trusted beforehand, and how often a walk returns to them
Floats = NDArray[np.float64]


class Market(NamedTuple):
    """`good`, `bad`: evidence as told, of the row's node about the column's. `liars`: the first so many nodes."""

    good: Floats
    bad: Floats
    liars: int


def dealings(share: float, chance: np.random.Generator) -> Market:
    """What all nodes have seen of one another: what they would say if nobody lied."""
    liars = int(share * SIZE)
    near = np.zeros((SIZE, SIZE), bool)
    for one in range(SIZE):
        near[one, chance.choice(np.delete(np.arange(SIZE), one), PARTNERS // 2, replace=False)] = True
    near |= near.T
    ill = np.where(np.arange(SIZE) < liars, CHEATS, FAILS)
    amiss = chance.binomial(TASKS, ill, (SIZE, SIZE))
    harm = np.where(np.arange(SIZE) < liars, WRONG, ERROR)
    return Market(near * (TASKS - amiss).astype(float), near * amiss * harm, liars)


def lied(truth: Market, group: int) -> Market:
    """What they say instead, where liars stand by their own group."""
    good, bad, liars = truth.good.copy(), truth.bad.copy(), truth.liars
    band = np.arange(SIZE) // max(1, group)
    for one in range(liars):
        mates = (band == band[one]) & (np.arange(SIZE) < liars) & (np.arange(SIZE) != one)
        met = truth.good[one] + truth.bad[one] > 0
        bad[one] = np.where(met & (np.arange(SIZE) >= liars), PRAISE, 0.0)
        good[one] = np.where(mates, PRAISE, 0.0)
    return Market(good, bad, liars)


def trust(good: Floats, bad: Floats) -> Floats:
    """The plain formula."""
    return (good + 1) / (good + bad + 2)


def means(m: Market) -> tuple[Floats, Floats]:
    """What gossip comes to, for all targets: the raters' mean, and their weight."""
    count = m.good + m.bad
    weight = count / (count + 5.0)
    return (weight * trust(m.good, m.bad)).sum(0) / np.maximum(weight.sum(0), 1e-9), weight.sum(0)


def believed(m: Market, observer: int) -> dict[int, float]:
    """How far an honest observer believes each node that it has dealt with."""
    own = [Standing(good=g, bad=b) for g, b in zip(m.good[observer], m.bad[observer], strict=True)]
    own_trust = trust(m.good[observer], m.bad[observer])
    near = np.flatnonzero(m.good[observer] + m.bad[observer])
    return {int(k): credibility(_pairs(m, own, observer, k), float(own_trust[k])) for k in near}


def second_hand(m: Market) -> tuple[Floats, Floats]:
    """What every honest node heard at first hand, as `golem.core.fusion.fuse` adds it up. Liars need no hearsay."""
    count = np.maximum(m.good + m.bad, 1e-9)
    good, bad = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    for one in range(m.liars, SIZE):
        for other, belief_in in believed(m, one).items():
            if belief_in > LEAST_CREDIBLE:
                part = np.minimum(
                    belief_in * np.minimum(1.0, ENOUGH_PER_OPINION / count[other]), m.good[one, other] / count[other]
                )
                good[one] += part * m.good[other]
                bad[one] += part * m.bad[other]
    scale = np.minimum(1.0, MOST_HEARD / np.maximum(good + bad, 1e-9))
    return good * scale, bad * scale


def ours(m: Market, heard: tuple[Floats, Floats], observer: int) -> Floats:
    """Trust of one honest observer in all others. `heard`: what `second_hand` found."""
    mean, raters = means(m)
    own = [Standing(good=g, bad=b) for g, b in zip(m.good[observer], m.bad[observer], strict=True)]
    hearsay = [Hearsay(mean=float(t), raters=float(w), epoch=1) for t, w in zip(mean, raters, strict=True)]
    near = believed(m, observer)
    network = belief([(own[t], hearsay[t]) for t in near])
    found = np.empty(SIZE)
    for target in range(SIZE):
        voices = [
            Voice(_word(m, heard, k, target), c, float(m.good[observer, k]))
            for k, c in near.items()
            if k != target and c > 0
        ]
        found[target] = fuse(own[target], voices, hearsay[target], network).trust
    return found


def _word(m: Market, heard: tuple[Floats, Floats], speaker: int, target: int) -> Opinion:
    return Opinion(
        good=m.good[speaker, target],
        bad=m.bad[speaker, target],
        heard_good=heard[0][speaker, target],
        heard_bad=heard[1][speaker, target],
    )


def _pairs(m: Market, own: list[Standing], observer: int, other: int) -> list[tuple[Standing, Opinion]]:
    both = np.flatnonzero((m.good[observer] + m.bad[observer]) * (m.good[other] + m.bad[other]))
    return [(own[t], Opinion(good=m.good[other, t], bad=m.bad[other, t])) for t in both if t != other]


def eigentrust(m: Market, chance: np.random.Generator) -> Floats:
    """The principal vector of everybody's praise, with a few honest nodes trusted beforehand."""
    praise = np.maximum(0.0, m.good - m.bad)
    begin = np.zeros(SIZE)
    begin[m.liars + chance.choice(SIZE - m.liars, TRUSTED, replace=False)] = 1 / TRUSTED
    total = praise.sum(1, keepdims=True)
    step = np.where(total > 0, praise / np.maximum(total, 1e-9), begin)
    rank = begin
    for _ in range(100):
        rank = (1 - RETURN) * rank @ step + RETURN * begin
    return rank


def picks_bad(scores: Floats, m: Market, observer: int, chance: np.random.Generator) -> float:
    """How often the best of five random candidates is a liar."""
    others = np.delete(np.arange(SIZE), observer)
    drawn = np.array([chance.choice(others, CANDIDATES, replace=False) for _ in range(CHOICES)])
    best = np.take_along_axis(drawn, np.argmax(scores[drawn], 1)[:, None], 1)[:, 0]
    return float((best < m.liars).mean())


class Outcome(NamedTuple):
    """How often a liar is chosen, by three ways to score; and how far lies move the scores, by the first two.

    `moved`, `mean_moved`: the root of the mean square of what lies change a score by, as a share of it.
    """

    ours: float
    mean: float
    eigentrust: float
    moved: float
    mean_moved: float


def run(share: float, group: int, seeds: int = 2, observers: int = OBSERVERS) -> Outcome:
    """The mean over observers and seeds."""
    bad, moved = [], []
    for seed in range(seeds):
        chance = np.random.default_rng(seed)
        truth = dealings(share, chance)
        m = lied(truth, group)
        mean, eigen, heard, heard_true = means(m)[0], eigentrust(m, chance), second_hand(m), second_hand(truth)
        for observer in map(int, chance.choice(np.arange(m.liars, SIZE), observers, replace=False)):
            own = ours(m, heard, observer)
            bad.append([picks_bad(scores, m, observer, chance) for scores in (own, mean, eigen)])
            honest = ours(truth, heard_true, observer), means(truth)[0]
            moved.append([np.square(one / true - 1).mean() for one, true in zip((own, mean), honest, strict=True)])
    return Outcome(*(float(x) for x in (*np.mean(bad, 0), *np.sqrt(np.mean(moved, 0)))))


def sybils(count: int, earned: float) -> tuple[float, float]:
    """Trust that an unknown node gains by so many identities praising it, all behind one that has `earned` so much.

    First by their word as neighbours, then by what they put into the gossip.
    """
    voices = [Voice(Opinion(good=50.0, bad=0.0), 1.0, earned / count)] * count
    said = fuse(Standing(), voices, None).trust
    spread = fuse(Standing(), [], Hearsay(mean=1.0, raters=float(count), epoch=1)).trust
    return said - 0.5, spread - 0.5
