"""The equations of `golem.core.gossip` on whole networks at once, and of two older ways beside them.

One target, all nodes in arrays. `Exchange` does in integers exactly what the node does, which a test holds it to:
a round's exchanges happen one after the other, and are computed in batches in which no node stands twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golem.core.gossip import MAX_EXCHANGES, UNIT

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
PRECISIONS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
SIDES = 2  # value and weight


class Graph(NamedTuple):
    """Edges in both directions, by source. `back`: the same edge the other way. `first`: where a node's edges begin."""

    first: Ints
    source: Ints
    target: Ints
    back: Ints
    degree: Ints

    @property
    def size(self) -> int:
        """How many nodes."""
        return len(self.degree)


def graph(size: int, pairs: Ints) -> Graph:
    """From pairs of nodes; doubles and loops are left out."""
    low, high = np.minimum(pairs[:, 0], pairs[:, 1]), np.maximum(pairs[:, 0], pairs[:, 1])
    codes = np.unique((low * size + high)[low != high])
    one, other = codes // size, codes % size
    source, target = np.concatenate((one, other)), np.concatenate((other, one))
    back = np.concatenate((np.arange(len(one), 2 * len(one)), np.arange(len(one))))
    order = np.lexsort((target, source))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    degree = np.bincount(source, minlength=size)
    first = np.concatenate(([0], np.cumsum(degree)))
    return Graph(first, source[order], target[order], place[back[order]], degree)


def preferential(size: int, links: int, chance: np.random.Generator) -> Graph:
    """Barabasi and Albert's: each newcomer links to `links` nodes, those with many links being likelier."""
    ends = list(range(links + 1)) * links
    pairs = [(a, b) for a in range(links + 1) for b in range(a)]
    for node in range(links + 1, size):
        chosen: set[int] = set()
        while len(chosen) < links:
            chosen.update(ends[int(place * len(ends))] for place in chance.random(links - len(chosen)))
        pairs += [(node, other) for other in sorted(chosen)]
        ends += [*sorted(chosen), *[node] * links]
    return graph(size, np.array(pairs, np.int64))


def scattered(size: int, degree: int, chance: np.random.Generator) -> Graph:
    """A ring, so that it hangs together, and random links up to this mean degree."""
    ring = chance.permutation(size)
    more = chance.integers(0, size, (size * (degree - 2) // 2, 2))
    return graph(size, np.concatenate((np.stack((ring, np.roll(ring, 1)), 1), more)))


def starts(g: Graph) -> Ints:
    """How many exchanges each node begins in a round, by its degree and its neighbours'."""
    around = np.bincount(g.source, weights=g.degree[g.target], minlength=g.size).astype(np.int64)
    nearest = (2 * g.degree * g.degree + around) // np.maximum(1, 2 * around)
    return np.maximum(1, np.minimum(np.minimum(MAX_EXCHANGES, g.degree), nearest))


def error(mass: NDArray[np.int64] | Floats, goal: float) -> float:
    """How far the worst node is from the goal, as a share of it."""
    weight = mass[:, 1]
    if weight.min() <= 0:
        return float("inf")
    return float(np.abs(mass[:, 0] / weight / goal - 1).max())


class Exchange:
    """Ours. `order`: for each node, its edges in the order in which they are taken. `told`: messages so far."""

    def __init__(self, g: Graph, mass: Ints, order: Ints, loss: float, chance: np.random.Generator) -> None:
        self.g, self.mass, self.order, self.loss, self.chance = g, mass, order, loss, chance
        self.begins = starts(g)
        self.turn = np.zeros(g.size, np.int64)
        self.pending = np.zeros(len(g.source), np.bool_)
        self.sent = np.zeros((len(g.source), SIDES), np.int64)
        self.taken = np.zeros((len(g.source), SIDES), np.int64)
        self.is_dead = np.zeros(g.size, np.bool_)
        self.told = 0

    def plan(self) -> Ints:
        """The edges that exchanges of this round begin on, node by node; unanswered ones first."""
        g = self.g
        waiting = np.flatnonzero(self.pending)
        rank = np.arange(len(waiting)) - np.searchsorted(g.source[waiting], g.source[waiting])
        again = waiting[rank < self.begins[g.source[waiting]]]
        is_chosen = self.is_dead[g.target]
        is_chosen[again] = True
        chosen = [again]
        left = np.where(self.is_dead, 0, self.begins - np.bincount(g.source[again], minlength=g.size))
        looked = np.zeros(g.size, np.int64)
        while len(nodes := np.flatnonzero((left > 0) & (looked < g.degree))):
            edges = self.order[g.first[nodes] + self.turn[nodes]]
            self.turn[nodes] = (self.turn[nodes] + 1) % g.degree[nodes]
            looked[nodes] += 1
            is_new = ~is_chosen[edges]
            left[nodes[is_new]] -= 1
            is_chosen[edges[is_new]] = True
            chosen.append(edges[is_new])
        edges = np.concatenate(chosen)
        return edges[np.argsort(g.source[edges], kind="stable")]

    def round(self) -> tuple[Ints, Bools, Bools]:
        """All exchanges of a round, in the order of their nodes; says which, whether heard, whether answered."""
        edges = self.plan()
        arrives, returns = (
            (self.chance.random((2, len(edges))) >= self.loss) if self.loss else np.ones((2, len(edges)), bool)
        )
        arrives = arrives & ~self.is_dead[self.g.target[edges]]
        returns = returns & arrives
        for batch in self._batches(edges):
            self._exchange(edges[batch], arrives[batch], returns[batch])
        self.told += len(edges) + int(arrives.sum())
        return edges, arrives, returns

    def _batches(self, edges: Ints) -> Iterator[Ints]:
        """Exchanges that may happen at once: each is the first that is left for both its nodes."""
        left = np.arange(len(edges))
        soonest = np.empty(self.g.size, np.int64)
        while len(left):
            one, other = self.g.source[edges[left]], self.g.target[edges[left]]
            soonest[one] = soonest[other] = len(edges)
            np.minimum.at(soonest, one, left)
            np.minimum.at(soonest, other, left)
            is_first = (soonest[one] == left) & (soonest[other] == left)
            yield left[is_first]
            left = left[~is_first]

    def _exchange(self, edges: Ints, arrives: Bools, returns: Bools) -> None:
        g, mass = self.g, self.mass
        one = g.source[edges]
        half = mass[one] // 2
        mass[one] -= half
        self.sent[edges] += half
        self.pending[edges] = ~returns
        there, back = edges[arrives], g.back[edges[arrives]]
        other = g.target[there]
        half = mass[other] // 2
        mass[other] += self._take(there) - half
        self.sent[back] += half
        home = g.back[edges[returns]]
        mass[g.target[home]] += self._take(home)

    def _take(self, edges: Ints) -> Ints:
        step = self.sent[edges] - self.taken[edges]
        self.taken[edges] = self.sent[edges]
        return step

    def kill(self, nodes: Ints) -> None:
        """Nodes die; their neighbours take back what went to them and give up what came from them."""
        g = self.g
        self.is_dead[nodes] = True
        edges = np.flatnonzero(self.is_dead[g.target] & ~self.is_dead[g.source])
        np.add.at(self.mass, g.source[edges], self.sent[edges] - self.taken[g.back[edges]])
        self.sent[edges] = self.taken[g.back[edges]] = 0
        self.pending[self.is_dead[g.target] | self.is_dead[g.source]] = False
        self.mass[nodes] = 0


def shuffled(g: Graph, chance: np.random.Generator) -> Ints:
    """For each node its edges in an order of their own."""
    return np.lexsort((chance.random(len(g.source)), g.source))


def push(g: Graph, mass: Floats, begins: Ints, chance: np.random.Generator, loss: float = 0.0) -> Floats:
    """One round of pushing: a node keeps one share, and gives one each to `begins` random neighbours."""
    share = mass / (begins + 1)[:, None]
    few = np.flatnonzero(begins == 1)
    edges = g.first[few] + (chance.random(len(few)) * g.degree[few]).astype(np.int64)
    many = np.flatnonzero(begins[g.source] > 1)
    order = many[np.lexsort((chance.random(len(many)), g.source[many]))]
    rank = np.arange(len(order)) - np.searchsorted(g.source[order], g.source[order])
    edges = np.concatenate((edges, order[rank < begins[g.source[order]]]))
    edges = edges[chance.random(len(edges)) >= loss]
    for side in range(SIDES):
        share[:, side] += np.bincount(g.target[edges], weights=share[g.source[edges], side], minlength=g.size)
    return share


def unbounded_starts(g: Graph) -> Ints:
    """As the original differential gossip has it: without our limit of eight."""
    around = np.bincount(g.source, weights=g.degree[g.target], minlength=g.size) / g.degree
    return np.maximum(1, np.rint(g.degree / around)).astype(np.int64)


def ratings(size: int, raters: int, chance: np.random.Generator) -> Ints:
    """Masses of so many raters, each with a trust of its own."""
    mass = np.zeros((size, SIDES), np.int64)
    who = chance.permutation(size)[:raters]
    mass[who, 0] = np.rint(chance.random(len(who)) * UNIT).astype(np.int64)
    mass[who, 1] = UNIT
    return mass
