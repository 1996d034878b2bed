"""Puts the tiles of one frame together, float by float, and writes it as people look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    from apps.blender.job import picture, studio
else:
    import picture
    import studio


class Frame(TypedDict):
    """What the frame is made of. `tiles`: x, y, width and height; the n-th lies in the input `t<n>`."""

    scene: str
    frame: int
    size: tuple[int, int]
    tiles: list[tuple[int, int, int, int]]
    format: str


def run(params: Frame, inputs: str, output: str) -> dict[str, list[int]]:
    """Write frame_NNNN.exr, linear light, and frame_NNNN.png through the scene's view transform; only it, if asked."""
    width, height = params["size"]
    whole = np.zeros((height, width, 4), np.float32)
    for number, (x, y, across, down) in enumerate(params["tiles"]):
        whole[y : y + down, x : x + across] = picture.read(Path(inputs, f"t{number}", "tile.exr"), across, down)
    linear = Path(output, f"frame_{params['frame']:04d}.exr")
    picture.write(linear, whole)
    studio.develop(studio.open_scene(inputs, params["scene"]), linear, linear.with_suffix(".png"))
    if params["format"] == "PNG":
        linear.unlink()
    return {"size": [width, height]}
