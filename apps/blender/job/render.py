"""Renders one tile of one frame to tile.exr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.blender.job import picture, studio
else:
    import picture
    import studio


def run(params: studio.View, inputs: str, output: str) -> dict[str, list[int]]:
    """The tile's width and height. Raises SceneRefused."""
    scene = studio.open_scene(inputs, params["scene"])
    pixels, channels = studio.shoot(scene, params, params["tile"], output)
    picture.write(Path(output, "tile.exr"), pixels, channels)
    return {"size": [pixels.shape[1], pixels.shape[0]]}
