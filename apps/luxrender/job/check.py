"""Renders small crops of a slice anew, under the provider's seed, and measures how far the delivered film is from them.

Pixels that more samples would hardly change tell nothing about how many were taken, so they are left out of the
median: those are the ones where even a quarter of the samples, under another seed, give nearly the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.luxrender.job import film, studio
else:
    import film
    import studio

DARK = 0.01  # added to what is divided by, in scene light: the noise of black is nobody's business
INFORMATIVE = 0.01  # relative change between seeds
BAD = 1e-3  # relative change that counts a pixel as bad
MOST = 1e6  # of a change, so that it stays a number in JSON
OTHER_SEED = 0x2545F491


class Crop(TypedDict):
    """One crop's finding. `bad`: the part of its pixels that are."""

    x: int
    y: int
    pixels: int
    bad: float


class Report(TypedDict, total=False):
    """`ok`: the delivered file is a film of the right size; else `why` not. `median`: over `informative` pixels."""

    ok: bool
    why: str
    informative: int
    median: float
    crops: list[Crop]


class Check(studio.View):
    """The provider's own parameters, and places in the tile: x, y, width, height."""

    crops: list[tuple[int, int, int, int]]


def run(params: Check, inputs: str, output: str) -> Report:
    """The report. Raises SceneRefused."""
    _, _, width, height = params["tile"]
    try:
        delivered = film.read(Path(inputs, "result", "film.exr"), width, height)
    except (film.NotAFilm, OSError) as why:
        return {"ok": False, "why": str(why)}
    samples = params["root"] ** 2
    if (delivered[:, :, 3] != samples).any():
        return {
            "ok": False,
            "why": f"not all pixels have {samples} samples: {float(delivered[:, :, 3].min()):g} at least",
        }
    scene = studio.open_scene(inputs, params["config"])
    glance = params.copy()
    glance["root"], glance["seed"] = max(1, params["root"] // 2), params["seed"] ^ OTHER_SEED
    crops: list[Crop] = []
    telling = []
    for x, y, across, down in params["crops"]:
        ours = studio.shoot(scene, params, (x, y, across, down))
        change = change_of(delivered[y : y + down, x : x + across], ours)
        other = change_of(studio.shoot(scene, glance, (x, y, across, down)), ours)
        telling.append(change[other > INFORMATIVE])
        crops.append({"x": x, "y": y, "pixels": change.size, "bad": float(np.mean(change > BAD))})
    pooled = np.concatenate(telling)
    median = float(np.median(pooled)) if pooled.size else 0.0
    return {"ok": True, "informative": pooled.size, "median": median, "crops": crops}


def change_of(pixels: film.Pixels, ours: film.Pixels) -> npt.NDArray[np.float64]:
    """How far each pixel is from ours, in the channel that is farthest, relative to it."""
    light, own = pixels[:, :, :3].astype(np.float64), ours[:, :, :3].astype(np.float64)
    change: npt.NDArray[np.float64] = (np.abs(light - own) / (np.abs(own) + DARK)).max(axis=2).clip(max=MOST)
    return change
