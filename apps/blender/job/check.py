"""Renders small crops of a tile anew, under the provider's seed, and measures how far the delivered tile is from them.

Pixels that more samples would hardly change tell nothing about how many were taken, so they are left out of the
median: those are the ones where even a quarter of the samples, under another seed, give nearly the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.blender.job import picture, studio
else:
    import picture
    import studio

DARK = 0.01  # added to what is divided by, in scene light: the noise of black is nobody's business
INFORMATIVE = 0.01  # relative change between seeds
BAD = 1e-3  # relative change that counts a pixel as bad; beyond what another kind of processor does to most
MOST = 1e6  # of a change, so that it stays a number in JSON
OTHER_SEED = 0x2545F491


class Crop(TypedDict):
    """One crop's finding. `bad`: the part of its pixels that are."""

    x: int
    y: int
    pixels: int
    bad: float


class Report(TypedDict, total=False):
    """`ok`: the delivered file is a picture of the right size; else `why` not. `median`: over `informative` pixels."""

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
    left, top, width, height = params["tile"]
    file = Path(inputs, "result", "tile.exr")
    try:
        channels = picture.names(file) if params["layers"] else picture.PLAIN
        delivered = picture.read(file, width, height, channels)
    except (picture.NotAPicture, OSError) as why:
        return {"ok": False, "why": str(why)}
    scene = studio.open_scene(inputs, params["scene"])
    glance = params.copy()
    glance["samples"], glance["seed"] = max(1, params["samples"] // 4), (params["seed"] or 0) ^ OTHER_SEED
    crops: list[Crop] = []
    telling = []
    for x, y, across, down in params["crops"]:
        area = (left + x, top + y, across, down)
        ours, names = studio.shoot(scene, params, area, output)
        if names != channels:
            return {"ok": False, "why": f"it has {len(channels)} channels that are not the {len(names)} of the scene"}
        change = _change(delivered[y : y + down, x : x + across], ours)
        seen = [index for index, name in enumerate(names) if name in picture.PLAIN or ".Combined." in name]
        other = _change(studio.shoot(scene, glance, area, output).pixels[:, :, seen], ours[:, :, seen])
        telling.append(change[:, :, seen].max(axis=2)[other.max(axis=2) > INFORMATIVE])
        bad = change.max(axis=2) > BAD
        crops.append({"x": x, "y": y, "pixels": bad.size, "bad": float(np.mean(bad))})
    pooled = np.concatenate(telling)
    median = float(np.median(pooled)) if pooled.size else 0.0
    return {"ok": True, "informative": pooled.size, "median": median, "crops": crops}


def _change(pixels: picture.Pixels, ours: picture.Pixels) -> npt.NDArray[np.float64]:
    """How far each channel of each pixel is from ours, relative to it."""
    with np.errstate(invalid="ignore", over="ignore"):
        change = np.abs(pixels.astype(np.float64) - ours) / (np.abs(ours) + DARK)
    change[(pixels == ours) | (np.isnan(pixels) & np.isnan(ours))] = 0.0
    bounded: npt.NDArray[np.float64] = np.nan_to_num(change, nan=MOST, posinf=MOST).clip(max=MOST)
    return bounded
