"""Renders one slice of one tile to film.exr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.luxrender.job import film, studio
else:
    import film
    import studio


def run(params: studio.View, inputs: str, output: str) -> dict[str, list[int]]:
    """The tile's width and height. Raises SceneRefused."""
    _, _, width, height = params["tile"]
    pixels = studio.shoot(studio.open_scene(inputs, params["config"]), params, (0, 0, width, height))
    film.write(Path(output, "film.exr"), pixels)
    return {"size": [width, height]}
