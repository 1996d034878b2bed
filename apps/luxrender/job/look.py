"""Looks at a scene before anyone is hired: can it be rendered and checked, what does it say, how long may it take."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    from apps.luxrender.job import check, film, studio
else:
    import check
    import film
    import studio

PROBES = 9  # places in a grid
PROBE_SIDE = 24  # pixels
PROBE_ROOT = 3
LEAST_NS = 1  # per pixel and sample, so that no estimate is zero
SAME = 0.9  # of the pixels must be the same in a crop of a crop, or nobody could check anything


class Look(TypedDict):
    """What to look at. `size`, `samples`: None for the scene's own. `has_film`: there is one to go on with."""

    config: str
    size: tuple[int, int] | None
    samples: int | None
    has_film: bool


class Found(TypedDict):
    """What the scene says. `ns`: per pixel and sample of one core, the fastest and the slowest half of the places
    tried. `loading_ms`: until the first pixel."""

    size: tuple[int, int]
    samples: int
    ns: tuple[int, int]
    loading_ms: int


def run(params: Look, inputs: str, output: str) -> Found:
    """Raises SceneRefused and NotAFilm."""
    began = time.monotonic()
    scene = studio.open_scene(inputs, params["config"])
    size = params["size"] or scene.size
    if params["has_film"]:
        film.read(film.find(Path(inputs, "film")), *size)
    found: Found = {
        "size": size,
        "samples": params["samples"] or scene.samples,
        "ns": (LEAST_NS, LEAST_NS),
        "loading_ms": 0,
    }
    if not 1 <= min(size) <= max(size) <= studio.MAX_SIDE:
        return found  # the template refuses it
    _shoot_s(scene, size, (0, 0, 1, 1))
    found["loading_ms"] = int((time.monotonic() - began) * 1000)
    found["ns"] = _probe(scene, size)
    return found


def _probe(scene: studio.Opened, size: tuple[int, int]) -> tuple[int, int]:
    """Time a few places of the picture, and see that they can be checked."""
    (width, height), per = size, []
    set_up = _shoot_s(scene, size, (0, 0, 1, 1))
    across, down = min(PROBE_SIDE, width), min(PROBE_SIDE, height)
    for place in range(PROBES):
        x, y = ((width - across) * (2 * (place % 3) + 1) // 6, (height - down) * (2 * (place // 3) + 1) // 6)
        took = max(0.0, _shoot_s(scene, size, (x, y, across, down)) - set_up)
        per.append(took * 1e9 / (across * down * PROBE_ROOT**2))
        _must_repeat(scene, _view(size, (x, y, across, down)))
    per.sort()
    low, high = (sum(half) / len(half) for half in (per[: PROBES // 2 + 1], per[PROBES // 2 :]))
    return max(LEAST_NS, int(low)), max(LEAST_NS, int(high))


def _must_repeat(scene: studio.Opened, view: studio.View) -> None:
    """Raises SceneRefused where a part is not the same in another way of rendering it."""
    _, _, width, height = view["tile"]
    x, y = width // 3, height // 3
    part = (x, y, width - 2 * x, height - 2 * y)
    whole = studio.shoot(scene, {**view, "cores": 2}, (0, 0, width, height))
    change = check.change_of(studio.shoot(scene, view, part), whole[y : y + part[3], x : x + part[2]])
    if np.mean(change <= check.BAD) < SAME:
        raise studio.SceneRefused("rendered twice, the scene gives two pictures: something in it is left to chance")


def _view(size: tuple[int, int], area: tuple[int, int, int, int]) -> studio.View:
    return {"config": "", "size": size, "tile": area, "root": PROBE_ROOT, "seed": 1, "cores": 1}


def _shoot_s(scene: studio.Opened, size: tuple[int, int], area: tuple[int, int, int, int]) -> float:
    began = time.monotonic()
    studio.shoot(scene, _view(size, area), (0, 0, area[2], area[3]))
    return time.monotonic() - began
