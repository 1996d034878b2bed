"""How far a delivered tile is from what its seed and samples make of the scene, told from a few small places.

A first look at many places costs next to nothing and finds nothing wrong with an honest tile. Where one of them
differs, a closer look follows, at the places that differ most: larger crops, and how much a pixel depends on the seed.
Pixels that more samples would hardly change tell nothing about how many were taken, so they are left out of the
median: those are the ones where even a quarter of the samples, under another seed, give nearly the same. And as other
kinds of processors lose the way of single paths, most of all among hair, it is seen beside what that seed changes.
A path that was lost is as likely to end brighter as darker; where nearly all blocks lean to one side, it is a tint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.blender.job import picture

Area = tuple[int, int, int, int]
"""x, y, width and height of a place in the tile."""

Floats = npt.NDArray[np.float64]

DARK = 0.01  # added to what is divided by, in scene light: the noise of black is nobody's business
INFORMATIVE = 0.01  # relative change between seeds
SLIGHT = 1e-4  # relative change that the first look notices
BAD = 1e-3  # relative change from which on a pixel may count as bad
BAD_SHARE = 0.25  # and it must be this part of the change that another seed makes: paths part on other processors
DOUBTFUL = 0.25  # of a place's pixels that change: more asks for a closer look
CLOSE_SIDE = 16  # pixels, of a closer look
CLOSE_PLACES = 6  # where it looks at most
LEANING = 3e-4  # of a block's light: where it lies above or below ours by more, it counts as leaning
BLOCK = 4  # pixels a side, of what leans; the filter that joins neighbours is narrower
MOST = 1e6  # of a change, so that it stays a number in JSON


class Crop(TypedDict):
    """One place of a closer look. `bad`: the part of its pixels that are."""

    x: int
    y: int
    pixels: int
    bad: float


class Lean(TypedDict):
    """Of so many `blocks` that changed in a colour, those that came out `above` ours."""

    above: int
    blocks: int


class Report(TypedDict, total=False):
    """`ok`: the delivered file is a picture of the right size; else `why` not.

    `places`, `pixels`: what the first look saw; `changed`: how many of the pixels were not as they should be. Of the
    closer look, if there was one: its `crops`, the `median` change over `informative` pixels, its `share` of what
    another seed changes, and the colour that leans most to one side.
    """

    ok: bool
    why: str
    places: int
    pixels: int
    changed: int
    informative: int
    median: float
    share: float
    lean: Lean
    crops: list[Crop]


class Strange(ValueError):
    """A picture with values that no render has; says which and where."""


class Seen(NamedTuple):
    """One place of a closer look, as delivered and as it should be."""

    area: Area
    delivered: picture.Pixels
    ours: picture.Pixels


Shoot = Callable[[Area], "picture.Pixels"]
"""Renders a place of the tile."""


class Examination:
    """Of one tile. `shoot` renders a place as the provider should have; `glance` with fewer samples, another seed."""

    def __init__(self, tile: picture.Pixels, names: Sequence[str], shoot: Shoot, glance: Shoot) -> None:
        self._tile, self._shoot, self._glance = tile, shoot, glance
        self.visible = visible(names)
        self._rest = [index for index, _ in enumerate(names) if index not in self.visible]
        self.close: list[Seen] = []

    def run(self, places: Sequence[Area], draws: Sequence[float]) -> Report:
        """Look at `places`, and for each of `draws`, from 0 to 1, at one where the tile is uneven. Raises Strange."""
        light = self._tile[:, :, self.visible]
        side = max(max(width, height) for _, _, width, height in places)
        refuse_strange(light, self._shoot, self.visible)
        areas = [*((x, y, width, height) for x, y, width, height in places), *uneven(light, draws, side)]
        changes = [(change(cut(self._tile, area), self._shoot(area)).max(axis=2), area) for area in areas]
        report: Report = {
            "ok": True,
            "places": len(areas),
            "pixels": sum(one.size for one, _ in changes),
            "changed": sum(int((one > SLIGHT).sum()) for one, _ in changes),
        }
        if max((one > SLIGHT).mean() for one, _ in changes) > DOUBTFUL:
            changes.sort(key=lambda one: -((one[0] > SLIGHT).mean() + (one[0] > BAD).mean()))
            self._look_closer([grown(area, light.shape, CLOSE_SIDE) for _, area in changes[:CLOSE_PLACES]], report)
        return report

    def _look_closer(self, areas: Sequence[Area], report: Report) -> None:
        telling: list[Floats] = []
        report["crops"] = []
        for area in dict.fromkeys(areas):
            seen = Seen(area, cut(self._tile, area), self._shoot(area))
            found, other = change(seen.delivered, seen.ours), change(self._glance(area), seen.ours)
            bad = np.zeros(found.shape[:2], bool)
            for channels in (self.visible, self._rest):
                if channels:
                    far, noise = found[:, :, channels].max(axis=2), other[:, :, channels].max(axis=2)
                    bad |= far > np.maximum(BAD, noise * BAD_SHARE)
            far, noise = found[:, :, self.visible].max(axis=2), other[:, :, self.visible].max(axis=2)
            telling.append(np.stack((far, noise))[:, noise > INFORMATIVE])
            report["crops"].append({"x": area[0], "y": area[1], "pixels": bad.size, "bad": round(float(bad.mean()), 4)})
            self.close.append(seen)
        report["lean"] = lean([(one.delivered[:, :, self.visible], one.ours[:, :, self.visible]) for one in self.close])
        pooled = np.concatenate(telling, axis=1)
        report["informative"], report["median"], report["share"] = pooled.shape[1], 0.0, 0.0
        if pooled.size:
            far, noise = (float(one) for one in np.median(pooled, axis=1))
            report["median"], report["share"] = far, far / noise


def apart(one: picture.Pixels, other: picture.Pixels) -> list[Area]:
    """Where two pictures differ as no honest ones do: the worst places, as large as those of a closer look."""
    far = change(one, other).max(axis=2)
    high, wide = (min(CLOSE_SIDE, side) for side in far.shape)
    slight, bad = (_shares(far > limit, high, wide) for limit in (SLIGHT, BAD))
    score = np.where(slight > DOUBTFUL, slight + bad, 0.0)
    found: list[Area] = []
    while len(found) < CLOSE_PLACES and score.any():
        y, x = (int(place) for place in np.unravel_index(int(np.argmax(score)), score.shape))
        found.append((x, y, wide, high))
        score[max(0, y - high + 1) : y + high, max(0, x - wide + 1) : x + wide] = 0.0
    return found


def _shares(marked: npt.NDArray[np.bool_], high: int, wide: int) -> Floats:
    """Of every place of this size, the part of its pixels that are marked."""
    sums = np.pad(marked.astype(np.int64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    within = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    shares: Floats = within / (high * wide)
    return shares


def lean(pairs: Sequence[tuple[picture.Pixels, picture.Pixels]]) -> Lean:
    """Of the blocks that changed, delivered and ours swapped or not: those of the channel that leans most."""
    steps = np.concatenate([_steps(delivered, ours) for delivered, ours in pairs])
    above, below = (steps > LEANING).sum(axis=0), (steps < -LEANING).sum(axis=0)
    most = int(np.argmax(np.abs(above - below)))
    return {"above": int(above[most]), "blocks": int(above[most] + below[most])}


def _steps(delivered: picture.Pixels, ours: picture.Pixels) -> Floats:
    """By block and channel, how far the one lies above the other, from -1 to 1; the rest at the edges is dropped."""
    theirs, own = (np.nan_to_num(one.astype(np.float64)).clip(0, MOST) for one in (delivered, ours))
    rows, columns = own.shape[0] // BLOCK * BLOCK, own.shape[1] // BLOCK * BLOCK
    step = ((theirs - own) / (theirs + own + 2 * DARK))[:rows, :columns]
    blocks = step.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, step.shape[2])
    means: Floats = blocks.mean(axis=(1, 3)).reshape(-1, step.shape[2])
    return means


def visible(names: Sequence[str]) -> list[int]:
    """Which channels people see."""
    return [index for index, name in enumerate(names) if name in "RGBA" or ".Combined." in name]


def cut(pixels: picture.Pixels, area: Area) -> picture.Pixels:
    """A place of it."""
    x, y, width, height = area
    return pixels[y : y + height, x : x + width]


def grown(area: Area, shape: tuple[int, ...], side: int) -> Area:
    """A place of at least this side round another, inside the tile."""
    (x, y, width, height), (down, across) = area, shape[:2]
    wide, high = min(max(side, width), across), min(max(side, height), down)
    left = min(max(0, x - (wide - width) // 2), across - wide)
    top = min(max(0, y - (high - height) // 2), down - high)
    return left, top, wide, high


def widened(area: Area, shape: tuple[int, ...], by: int) -> Area:
    """A place with so many pixels around it, as far as they are in the tile."""
    (x, y, width, height), (down, across) = area, shape[:2]
    left, top = max(0, x - by), max(0, y - by)
    return left, top, min(across, x + width + by) - left, min(down, y + height + by) - top


def uneven(light: picture.Pixels, draws: Sequence[float], side: int) -> list[Area]:
    """Places drawn by how much neighbours differ: noise lives there, and so do the edges of what was pasted in."""
    plain = np.nan_to_num(light.astype(np.float64)).clip(0, MOST)
    across, down = np.diff(plain, axis=1, prepend=plain[:, :1]), np.diff(plain, axis=0, prepend=plain[:1])
    steps = (np.abs(across) + np.abs(down)) / (plain + DARK)
    total = np.cumsum(steps.clip(0, 1).max(axis=2))
    if not total[-1]:
        return []
    spots = np.searchsorted(total, np.array(draws) * total[-1])
    found = [(int(spot) % light.shape[1], int(spot) // light.shape[1]) for spot in spots]
    return [grown((x, y, 1, 1), light.shape, side) for x, y in found]


def refuse_strange(light: picture.Pixels, shoot: Shoot, seen: Sequence[int]) -> None:
    """Raise Strange where a value is negative or no number, and the scene itself has none such there."""
    odd = ~(np.isfinite(light) & (light >= 0))
    if not odd.any():
        return
    y, x, channel = (int(place) for place in np.unravel_index(int(np.argmax(odd)), odd.shape))
    ours = float(shoot(grown((x, y, 1, 1), light.shape, 1))[0, 0, seen[channel]])
    if np.isfinite(ours) and ours >= 0:
        raise Strange(f"it has the value {light[y, x, channel]:g} at {x},{y}, where the scene has {ours:.3g}")


def change(pixels: picture.Pixels, ours: picture.Pixels) -> Floats:
    """How far each channel of each pixel is from ours, relative to it."""
    if np.array_equal(pixels, ours):
        return np.zeros(ours.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        change = np.abs(pixels.astype(np.float64) - ours) / (np.abs(ours) + DARK)
    change[(pixels == ours) | (np.isnan(pixels) & np.isnan(ours))] = 0.0
    bounded: Floats = np.nan_to_num(change, nan=MOST, posinf=MOST).clip(max=MOST)
    return bounded
