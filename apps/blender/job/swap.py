"""Whether a delivered tile may be one more render like two of our own, where no seed gives the same noise everywhere.

Three renders alike but for their seeds can be swapped: of the delivered one and our second, each is as likely as the
other to lie farther from our first, block by block, whatever the noise is like. Too few samples lie farther, denoised
pictures nearer, and wrong ones far off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.blender.job import measure, picture

BLOCK = 4  # pixels a side; the filter that joins neighbours is narrower
SLIGHT = (
    1e-4  # of the light: nearer ones are equal, as processors of other kinds all round to one side where nothing is
)
DARK = 0.01  # added to the light, in scene light

Floats = npt.NDArray[np.float64]


class Count(TypedDict):
    """In how many of `blocks` the delivered render came out `above` our own."""

    above: int
    blocks: int


class Place(TypedDict):
    """The place that is farthest off."""

    x: int
    y: int
    pixels: int
    above: int
    blocks: int


class Report(TypedDict, total=False):
    """`ok`: the delivered file is a picture of the right size; else `why` not. `tests`: by name, summed over places."""

    ok: bool
    why: str
    places: int
    tests: dict[str, Count]
    worst: Place


class Tally:
    """Sums over places."""

    def __init__(self) -> None:
        self.tests: dict[str, Count] = {}
        self.worst: Place | None = None

    def add(self, area: measure.Area, delivered: picture.Pixels, one: picture.Pixels, other: picture.Pixels) -> None:
        """Compare a place. `one`, `other`: our own renders of it, alike but for their seeds."""
        three = [blocks(pixels) for pixels in (delivered, one, other)]
        means = [each.mean(axis=2) for each in three]
        flat = [each.reshape(*each.shape[:2], each.shape[2] * each.shape[3]) for each in three]
        light = sum(np.abs(one) + DARK for one in means) * SLIGHT
        faint = np.square(light).sum(axis=2)
        coarse = self._count("blocks", *_distances(*means), faint)
        self._count("noise", *_distances(*flat), faint * BLOCK**2)
        x, second, _ = _by_pivot(*means)
        for channel, name in enumerate(("red", "green", "blue")):
            self._count(name, x[:, :, channel], second[:, :, channel], light[:, :, channel])
        if self.worst is None or _part(coarse) > _part(self.worst):
            self.worst = {"x": area[0], "y": area[1], "pixels": area[2] * area[3], **coarse}

    def _count(self, name: str, theirs: Floats, ours: Floats, least: Floats) -> Count:
        above, below = theirs - ours > least, ours - theirs > least
        found: Count = {"above": int(above.sum()), "blocks": int(above.sum() + below.sum())}
        sofar = self.tests.get(name, {"above": 0, "blocks": 0})
        self.tests[name] = {
            "above": sofar["above"] + found["above"],
            "blocks": sofar["blocks"] + found["blocks"],
        }
        return found


def _part(count: Count | Place) -> float:
    return count["above"] / max(1, count["blocks"])


def blocks(pixels: picture.Pixels) -> Floats:
    """Rows and columns of blocks, the pixels of each, and their channels; what is left at the edges is dropped."""
    rows, columns = pixels.shape[0] // BLOCK, pixels.shape[1] // BLOCK
    whole = np.nan_to_num(pixels[: rows * BLOCK, : columns * BLOCK].astype(np.float64))
    cut = whole.reshape(rows, BLOCK, columns, BLOCK, pixels.shape[2]).transpose(0, 2, 1, 3, 4)
    return cut.reshape(rows, columns, BLOCK * BLOCK, pixels.shape[2])


def _by_pivot(delivered: Floats, one: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
    """The delivered, the one of ours that it is compared with, and the one that both are measured from, in turns."""
    rows, columns = np.indices(delivered.shape[:2])
    is_odd = ((rows + columns) % 2 == 1)[:, :, None]
    return delivered, np.where(is_odd, one, other), np.where(is_odd, other, one)


def _distances(delivered: Floats, one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """From the pivot, of the delivered and of ours."""
    theirs, ours, pivot = _by_pivot(delivered, one, other)
    return np.square(theirs - pivot).sum(axis=2), np.square(ours - pivot).sum(axis=2)
