"""Adds slices, each pixel by its samples, into one film; tells its noise by how much the slices differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.luxrender.job import film
else:
    import film

LUMINANCE = np.array((0.2126, 0.7152, 0.0722))
UNKNOWN = 1e9  # of a noise that nothing tells


class Sum(TypedDict):
    """What the film is made of: the inputs `t0` and so on, `count` of them.

    `tiles`: x, y, width and height; `parts`: which of them each input is; empty where they follow one another.
    `has_film`: the input `film` is added, too. `is_preview`: make a picture alone.
    """

    size: tuple[int, int]
    tiles: list[tuple[int, int, int, int]]
    parts: list[int]
    count: int
    has_film: bool
    is_preview: bool


def run(params: Sum, inputs: str, output: str) -> dict[str, float]:
    """Write film.exr, to go on with, and picture.png, to look at; or preview.png. Raises NotAFilm."""
    width, height = params["size"]
    light = np.zeros((height, width, 3))
    counts, slices, squares = (np.zeros((height, width)) for _ in range(3))
    tiles = params["tiles"]
    for number in range(params["count"]):
        x, y, across, down = tiles[params["parts"][number] if params["parts"] else number % len(tiles)]
        piece = film.read(Path(inputs, f"t{number}", "film.exr"), across, down).astype(np.float64)
        here = np.s_[y : y + down, x : x + across]
        light[here] += piece[:, :, :3] * piece[:, :, 3:]
        counts[here] += piece[:, :, 3]
        slices[here] += 1
        squares[here] += (piece[:, :, :3] @ LUMINANCE) ** 2
    noise = _noise(light, counts, slices, squares)
    if params["has_film"]:
        before = film.read(film.find(Path(inputs, "film")), width, height).astype(np.float64)
        fresh = counts.sum()
        light += before[:, :, :3] * before[:, :, 3:]
        counts += before[:, :, 3]
        noise *= np.sqrt(fresh / counts.sum())
    means = light / np.maximum(counts, 1)[:, :, None]
    whole = np.dstack((means, counts)).astype(np.float32)
    if params["is_preview"]:
        film.png(Path(output, "preview.png"), film.shown(film.small(whole)))
    else:
        film.write(Path(output, "film.exr"), whole)
        film.png(Path(output, "picture.png"), film.shown(whole))
    return {"noise": float(noise), "samples": float(counts.mean())}


def _noise(
    light: npt.NDArray[np.float64],
    counts: npt.NDArray[np.float64],
    slices: npt.NDArray[np.float64],
    squares: npt.NDArray[np.float64],
) -> float:
    """In percent: the root of the mean square of what pixels' luminances are off by, over their mean."""
    seen = slices > 1
    if not seen.any():
        return UNKNOWN
    means = (light @ LUMINANCE)[seen] / counts[seen]
    spread = np.maximum(squares[seen] / slices[seen] - means**2, 0) / (slices[seen] - 1)
    mean = float(means.mean())
    return float(np.sqrt(spread.mean()) / mean * 100) if mean > 0 else 0.0
