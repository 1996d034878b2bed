"""Coins that an honest provider's results throw: each falls either way alike, whatever else is unknown of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

BIASES = (0.04, 0.12)  # of coins that sums are kept against, to either side; half of the first adds nothing yet


class Coin(msgspec.Struct, frozen=True):
    """One that fell on `above` in so many of its throws, `blocks`."""

    above: int = 0
    blocks: int = 0


def evidence(coin: Coin) -> float:
    """Against its being fair, in nats: the likelihood of all other coins, averaged, over the fair one's.

    That of a fair one ever passes x with a chance of at most exp(-x), however long one goes on counting (Ville).
    """
    tails = coin.blocks - coin.above
    mean = math.lgamma(coin.above + 1) + math.lgamma(tails + 1) - math.lgamma(coin.blocks + 2)
    return coin.blocks * math.log(2) + mean


def summed(before: Mapping[str, float], coins: Mapping[str, Coin]) -> dict[str, float]:
    """Evidence that coins became biased, in nats: by coin and bias, what has gathered since it was last at nothing.

    That of fair ones passes x once in exp(x) results or more, for each coin and bias (Page). Who was honest for
    long has no credit by it.
    """
    after = {}
    for name, coin in coins.items():
        tails = coin.blocks - coin.above
        for bias in (bias * side for bias in BIASES for side in (1, -1)):
            ratio = coin.above * math.log1p(2 * bias) + tails * math.log1p(-2 * bias)
            after[f"{name} {bias:+.0%}"] = max(0.0, before.get(f"{name} {bias:+.0%}", 0.0) + ratio)
    return after
