"""Coins that an honest provider's results throw: each falls either way alike, whatever else is unknown of them."""

from __future__ import annotations

import math

import msgspec


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
