"""Puts the tiles of one frame together, float by float; denoises and composites it, and writes it as it is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    from apps.blender.job import picture, replay, studio
else:
    import picture
    import replay
    import studio

LIGHT = {"EXR": "OPEN_EXR", "MULTILAYER": "OPEN_EXR_MULTILAYER"}  # formats in scene light, as Blender calls them


class Frame(TypedDict):
    """What the frame is made of. `tiles`: x, y, width and height; the n-th lies in the input `t<n>`.

    `layers`: tiles hold all layers and passes. `denoise`, `composite`: what to do then.
    """

    scene: str
    frame: int
    size: tuple[int, int]
    tiles: list[tuple[int, int, int, int]]
    format: str
    layers: bool
    denoise: bool
    composite: bool


def run(params: Frame, inputs: str, output: str) -> dict[str, list[str]]:
    """Write frame_NNNN in the format that is wanted; for EXR, a PNG to look at beside it."""
    whole = _assemble(params, Path(inputs))
    scene = studio.open_scene(inputs, params["scene"])
    scene.render.resolution_x, scene.render.resolution_y = params["size"]
    scene.frame_set(params["frame"])
    light = Path(output, f"frame_{params['frame']:04d}.exr")
    if params["denoise"]:
        replay.denoise(whole, scene.cycles.denoising_prefilter, Path(output))
    kind = LIGHT.get(params["format"], params["format"])
    if params["layers"]:
        replay.develop(scene, whole, light, kind, composites=params["composite"])
    else:
        picture.write(light, whole.pixels)
        if params["format"] not in LIGHT and studio.develop(scene, light, kind) != light:
            light.unlink()
    if params["format"] == "EXR":
        studio.develop(scene, light, "PNG")
    return {"files": sorted(path.name for path in Path(output).iterdir())[:20]}


def _assemble(params: Frame, inputs: Path) -> studio.Picture:
    first = inputs / "t0" / "tile.exr"
    channels = picture.names(first) if params["layers"] else picture.PLAIN
    width, height = params["size"]
    whole = np.zeros((height, width, len(channels)), np.float32)
    for number, (x, y, across, down) in enumerate(params["tiles"]):
        tile = picture.read(inputs / f"t{number}" / "tile.exr", across, down, channels)
        whole[y : y + down, x : x + across] = tile
    return studio.Picture(whole, channels)
