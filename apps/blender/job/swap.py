"""Whether a delivered tile may be one more render like two of our own, where no seed gives the same noise everywhere.

Three renders alike but for their seeds can be swapped, pixel by pixel: each has one of three scores, and is as likely
to have any of them. Too few samples lie farther from what all three have in common, denoised pictures nearer, and wrong
ones far off. For a bias b and scores u the evidence against a fair swap is log(3 exp(b u) / sum of exp(b u)), whose
exponential is 1 in the mean for who is honest, whatever the noise is like; so it adds up over pixels, and over results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.blender.job import measure, picture

BLOCK = 4  # pixels a side, of what is compared by its mean
BIASES = (0.03, 0.1, 0.3, 1.0)  # to either side: 60 of 64 samples are seen best by the first two
SLIGHT = 1e-4  # of the light: nearer ones are equal, as other processors all round to one side where no noise is
DARK = 0.01  # added to the light, in scene light
COPY = "copy "  # how the tests that compare with other results are named, and then by number
MOST = 1e6  # of a value, so that its square stays a number

Floats = npt.NDArray[np.float64]


class Swap(TypedDict):
    """One test: how many `units` tell anything, and by bias the evidence that they gave, in nats."""

    units: int
    nats: dict[str, float]


class Place(TypedDict):
    """The place that is farthest off, by its `test` for noise or for blocks."""

    x: int
    y: int
    pixels: int
    test: str
    nats: dict[str, float]


class Report(TypedDict, total=False):
    """`ok`: the delivered file is a picture of the right size; else `why` not. `tests`: by name, summed over places."""

    ok: bool
    why: str
    places: int
    tests: dict[str, Swap]
    worst: Place


class Tally:
    """Sums over places."""

    def __init__(self) -> None:
        self.tests: dict[str, Swap] = {}
        self.worst: Place | None = None

    def add(
        self,
        area: measure.Area,
        delivered: picture.Pixels,
        one: picture.Pixels,
        other: picture.Pixels,
        beside: Sequence[picture.Pixels] = (),
    ) -> None:
        """Compare a place. `one`, `other`: our own renders of it, alike but for their seeds. `beside`: other results.

        None of the three is nearer to another result than the two others are, unless it was made out of that.
        """
        three = np.stack([np.nan_to_num(each.astype(np.float64)).clip(-MOST, MOST) for each in (delivered, one, other)])
        coarse = means(three)
        self._sum("noise", _distances(three, smooth(three.mean(axis=0))), area)
        self._sum("blocks", _distances(coarse, coarse.mean(axis=0)), area)
        for channel, name in enumerate(("red", "green", "blue")):
            self._sum(name, _sides(coarse[..., channel]), None)
        for number, elsewhere in enumerate(beside):
            there = np.nan_to_num(elsewhere.astype(np.float64)).clip(-MOST, MOST)
            self._sum(f"{COPY}{number}", _distances(three, there), None)

    def _sum(self, name: str, scores: Floats, area: measure.Area | None) -> None:
        found = {f"{bias:+g}": _nats(scores * bias) for size in BIASES for bias in (size, -size)}
        sofar = self.tests.get(name, {"units": 0, "nats": dict.fromkeys(found, 0.0)})
        summed = {bias: round(sofar["nats"][bias] + nats, 4) for bias, nats in found.items()}
        self.tests[name] = {"units": sofar["units"] + scores.shape[1], "nats": summed}
        farther = {bias: round(nats, 4) for bias, nats in found.items() if bias.startswith("+")}
        if area and (self.worst is None or max(farther.values()) > max(self.worst["nats"].values())):
            x, y, width, height = area
            self.worst = {"x": x, "y": y, "pixels": width * height, "test": name, "nats": farther}


def means(three: Floats) -> Floats:
    """Of each picture's blocks; what is left at the edges is dropped."""
    _, height, width, channels = three.shape
    rows, columns = height // BLOCK, width // BLOCK
    whole = three[:, : rows * BLOCK, : columns * BLOCK]
    found: Floats = whole.reshape(3, rows, BLOCK, columns, BLOCK, channels).mean(axis=(2, 4))
    return found


def smooth(middle: Floats) -> Floats:
    """What all three have in common, and their neighbours: nearer to the light than three renders of one pixel are."""
    padded = np.pad(middle, ((1, 1), (1, 1), (0, 0)), mode="edge")
    down = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    found: Floats = (down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]) / 16
    return found


def _distances(three: Floats, middle: Floats) -> Floats:
    """Scores: how far each lies from it, beside how far all three do."""
    far = np.sqrt(np.square(three - middle).sum(axis=3))
    told = far[:, _differ(three)]
    found: Floats = told / told.mean(axis=0)
    return found


def _sides(three: Floats) -> Floats:
    """Scores: to which side of their mean each lies, and how far beside the others."""
    told = (three - three.mean(axis=0))[:, _differ(three[..., None])]
    found: Floats = told / np.sqrt(np.square(told).mean(axis=0))
    return found


def _differ(three: Floats) -> npt.NDArray[np.bool_]:
    """Where the three differ by more than rounding does."""
    middle = three.mean(axis=0)
    apart = np.abs(three - middle).max(axis=(0, 3))
    found: npt.NDArray[np.bool_] = apart > SLIGHT * (np.abs(middle) + DARK).max(axis=2)
    return found


def _nats(scores: Floats) -> float:
    """The evidence that scores give together, those of the delivered one first; none where there are none."""
    most = scores.max(axis=0)
    shares = scores[0] - most - np.log(np.exp(scores - most).sum(axis=0))
    return float(shares.sum() + shares.size * np.log(3))
