"""Rounds of the gossip to a thousandth at 100,000 nodes, its bias under loss, and how often a liar is chosen.

`p_bad`: how often, by the share of liars; `rms_of_mean`: how far they move scores, as a multiple of what they move the
plain mean by. Both in groups of 50.

`--all 1` also runs what docs/reputation.md shows, prints its tables to standard error, and writes its plots.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import collusion_model
from benchmarks.figures import arguments
from benchmarks.gossip_model import (
    PRECISIONS,
    SIDES,
    Exchange,
    Floats,
    Graph,
    error,
    preferential,
    push,
    ratings,
    scattered,
    shuffled,
    unbounded_starts,
)
from benchmarks.plot import write

PLOTS = Path(__file__).parent.parent / "docs" / "plots"
SIZES = (100, 1_000, 10_000, 100_000)
LINKS = (2, 3, 5, 10)
LIMIT = 800  # rounds
SPARSE = 20

Rounds = dict[float, int]


def reached(step: Callable[[], float], limit: int = LIMIT) -> Rounds:
    """By precision, the first round in which every node is as near; `step`: one round, to the worst node's error."""
    found: Rounds = {}
    for number in range(1, limit + 1):
        worst = step()
        found.update({precision: number for precision in PRECISIONS if worst < precision and precision not in found})
        if len(found) == len(PRECISIONS):
            break
    return found


def ours(g: Graph, raters: int, loss: float, seed: int) -> tuple[Rounds, Exchange]:
    """Our exchange, and what is left of it."""
    chance = np.random.default_rng(seed)
    mass = ratings(g.size, raters, chance)
    goal = mass[:, 0].sum() / mass[:, 1].sum()
    exchange = Exchange(g, mass, shuffled(g, chance), loss, chance)
    rounds = 0

    def step() -> float:
        nonlocal rounds
        rounds += 1
        exchange.round()
        return error(exchange.mass, goal)

    found = reached(step)
    exchange.told = exchange.told / g.size / rounds  # messages per node and round
    return found, exchange


def pushing(g: Graph, begins: Floats, seed: int, limit: int) -> Rounds:
    """Pushing, with so many shares a round: plain, or as the original differential gossip does."""
    chance = np.random.default_rng(seed)
    mass = ratings(g.size, g.size, chance).astype(float)
    goal = mass[:, 0].sum() / mass[:, 1].sum()

    def step() -> float:
        mass[:] = push(g, mass, begins, chance)
        return error(mass, goal)

    return reached(step, limit)


def bias(loss: float, size: int = 10_000, rounds: int = 150) -> float:
    """How far the mean of all estimates is from the raters' after many rounds on bad lines, as a share of it."""
    chance = np.random.default_rng(3)
    g = preferential(size, 5, chance)
    mass = ratings(size, SPARSE, chance)
    goal = mass[:, 0].sum() / mass[:, 1].sum()
    exchange = Exchange(g, mass, shuffled(g, chance), loss, chance)
    for _ in range(rounds):
        exchange.round()
    return float(abs((exchange.mass[:, 0] / exchange.mass[:, 1]).mean() / goal - 1))


def push_bias(begins: Callable[[Graph], Floats], loss: float, size: int = 10_000, rounds: int = 150) -> float:
    """The same of pushing: what is lost is gone."""
    chance = np.random.default_rng(3)
    g = preferential(size, 5, chance)
    mass = ratings(size, SPARSE, chance).astype(float)
    goal = mass[:, 0].sum() / mass[:, 1].sum()
    for _ in range(rounds):
        mass = push(g, mass, begins(g), chance, loss)
    return float(abs((mass[:, 0] / mass[:, 1]).mean() / goal - 1))


def crash(share: float, size: int = 10_000) -> float:
    """The mean error against the living raters' mean, where a share of nodes dies in round ten."""
    chance = np.random.default_rng(4)
    g = preferential(size, 5, chance)
    first = ratings(size, SPARSE * 10, chance)
    exchange = Exchange(g, first.copy(), shuffled(g, chance), 0.0, chance)
    for _ in range(10):
        exchange.round()
    dead = chance.permutation(size)[: int(share * size)]
    exchange.kill(dead)
    for _ in range(60):
        exchange.round()
    alive = np.setdiff1d(np.arange(size), dead)
    goal = first[alive, 0].sum() / first[alive, 1].sum()
    held = exchange.mass[alive]
    held = held[held[:, 1] > 0]
    assert held.shape[1] == SIDES
    return float(abs(held[:, 0] / held[:, 1] / goal - 1).mean())


def tell(*words: object) -> None:
    """A line of a table."""
    print("|", " | ".join(str(word) for word in words), "|", file=sys.stderr, flush=True)


def listed(found: Rounds) -> str:
    """Rounds by precision, as the tables have them."""
    return " / ".join(str(found.get(precision, "-")) for precision in PRECISIONS)


def speeds() -> None:
    """Rounds by size, graph and way."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for links in LINKS:
        for size in SIZES:
            g = preferential(size, links, np.random.default_rng(1))
            found, exchange = ours(g, size, 0.0, 1)
            original = pushing(g, unbounded_starts(g), 1, 300)
            plain = pushing(g, np.ones(size, int), 1, LIMIT)
            tell(f"m={links}", size, listed(found), f"{exchange.told:.2f}", listed(original), listed(plain))
            for name, rounds in ((f"ours, m={links}", found), (f"original, m={links}", original)):
                if links in (2, 5):
                    lines.setdefault(name, []).append((size, rounds.get(1e-3, LIMIT)))
            if links == 2:
                lines.setdefault("plain push, m=2", []).append((size, plain.get(1e-3, LIMIT)))
    write(PLOTS / "gossip-rounds.svg", "Rounds until every node is within 1e-3", ("nodes", "rounds"), lines, 120)
    for degree in (10, 20):
        g = scattered(100_000, degree, np.random.default_rng(1))
        found, exchange = ours(g, g.size, 0.0, 1)
        beside = pushing(g, unbounded_starts(g), 1, 300), pushing(g, np.ones(g.size, int), 1, LIMIT)
        tell(f"random, degree {degree}", g.size, listed(found), f"{exchange.told:.2f}", *map(listed, beside))


def faults() -> None:
    """Bad lines and crashes."""
    g = preferential(10_000, 5, np.random.default_rng(1))
    for loss in (0.0, 0.1, 0.3):
        tell(
            "loss", loss, listed(ours(g, 10_000, loss, 1)[0]), listed(ours(g, SPARSE, loss, 1)[0]), f"{bias(loss):.1e}"
        )
    for loss in (0.1, 0.3):
        tell("bias of the original", loss, f"{push_bias(unbounded_starts, loss):.1e}")
    for share in (0.05, 0.2):
        tell("dead in round 10", share, f"{crash(share):.1e}")


def liars() -> None:
    """Whom the honest choose."""
    chosen: dict[str, list[tuple[float, float]]] = {}
    for share in (0.1, 0.2, 0.3, 0.4, 0.5):
        for group in (1, 10, 50, int(share * collusion_model.SIZE)):
            found = collusion_model.run(share, group)
            tell(
                "liars", share, group, *(f"{100 * part:.1f} %" for part in found[:3]), *(f"{x:.2f}" for x in found[3:])
            )
            if group == 50:
                for name, part in zip(("ours", "plain mean", "EigenTrust"), found[:3], strict=True):
                    chosen.setdefault(name, []).append((share * 100, part * 100))
    write(PLOTS / "gossip-liars.svg", "A liar is the best of five, groups of 50", ("% liars", "%"), chosen, 100)
    for count in (1, 10, 100, 1_000):
        tell("sybils", count, *(f"+{gain:.3f}" for gain in collusion_model.sybils(count, 3.0)))


if __name__ == "__main__":
    if arguments(__doc__ or "", all=0).all:
        PLOTS.mkdir(exist_ok=True)
        speeds()
        faults()
        liars()
    rounds = {}
    for links in (5, 2):
        whole = preferential(100_000, links, np.random.default_rng(1))
        rounds[f"m{links}_100000"] = ours(whole, whole.size, 0.0, 1)[0][1e-3]
    found = {str(share): collusion_model.run(share, 50) for share in (0.1, 0.2, 0.3, 0.4)}
    p_bad = {share: round(one.ours, 4) for share, one in found.items()}
    moved = {share: round(one.moved / one.mean_moved, 2) for share, one in found.items()}
    print(json.dumps({"rounds": rounds, "bias_loss30": bias(0.3), "p_bad": p_bad, "rms_of_mean": moved}))
