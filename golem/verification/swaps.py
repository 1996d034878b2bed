"""What speaks against a result that could be swapped with two of our own, if its provider were honest.

A job compares it with them, unit by unit, and sums for some biases the evidence that it stands out: logarithms of what
is 1 in the mean for an honest provider (apps/blender/job/swap.py has an example).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec


class Swap(msgspec.Struct, frozen=True):
    """One test: how many `units` told anything, and by bias the evidence that they gave, in nats."""

    units: int = 0
    nats: dict[str, float] = {}


def evidence(nats: Mapping[str, float]) -> float:
    """Against a fair swap, whatever the bias: in nats, the mean over all.

    That of an honest result passes x with a chance of at most exp(-x) (Markov).
    """
    if not nats:
        return 0.0
    most = max(nats.values())
    return most + math.log(sum(math.exp(one - most) for one in nats.values()) / len(nats))


def likeliest(nats: Mapping[str, float]) -> str:
    """The bias for which most speaks."""
    return max(nats, key=lambda bias: nats[bias], default="")


def summed(before: Mapping[str, float], tests: Mapping[str, Swap]) -> dict[str, float]:
    """Evidence that results became biased, in nats: by test and bias, what has gathered since it was last at nothing.

    That of honest ones passes x once in exp(x) results or more, for each test and bias (Page). Who was honest for long
    has no credit by it.
    """
    found = {f"{name} {bias}": nats for name, test in tests.items() for bias, nats in test.nats.items()}
    return {name: max(0.0, before.get(name, 0.0) + nats) for name, nats in found.items()}
