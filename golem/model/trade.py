"""What a market strategy is told."""

from __future__ import annotations

from typing import NamedTuple

from golem.model.money import Wei


class Terms(NamedTuple):
    """On what a provider trades: its `least` and `most` price, in wei per hour of one core, and how full it is."""

    least: Wei
    most: Wei
    slots: int
    busy: int


class Seen(NamedTuple):
    """A provider as a requestor sees it: deeds for and against it, own and heard, and how fast its verified work was.

    `speed`: a multiple of what the template guesses; 0: not measured yet.
    """

    good: float
    bad: float
    speed: float
