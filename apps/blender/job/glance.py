"""Makes a small picture of a frame's tiles that are there; what is missing is shown as a chequered ground."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    from apps.blender.job import picture, show
else:
    import picture
    import show

MAX_SIDE = 960  # pixels
GROUND = (46, 56)  # grey values
CHECK = 16  # pixels


class Glance(TypedDict):
    """`tiles`: by input, x, y, width and height."""

    size: tuple[int, int]
    tiles: dict[str, tuple[int, int, int, int]]


def run(params: Glance, inputs: str, output: str) -> dict[str, list[int]]:
    """Write preview.png: every n-th pixel, shown as sRGB; the view transform is the merge's business."""
    width, height = params["size"]
    step = -(-max(width, height) // MAX_SIDE)
    rows, columns = np.indices((-(-height // step), -(-width // step)))
    shown = np.array(GROUND, np.uint8)[(rows // CHECK + columns // CHECK) % 2][:, :, None].repeat(3, axis=2)
    for name, (x, y, across, down) in params["tiles"].items():
        light = _light(Path(inputs, name, "tile.exr"), across, down)
        left, top = -x % step, -y % step
        part = show.srgb(light[top::step, left::step])
        row, column = (y + top) // step, (x + left) // step
        shown[row : row + part.shape[0], column : column + part.shape[1]] = part
    Path(output, "preview.png").write_bytes(show.png(shown))
    return {"size": [int(side) for side in reversed(shown.shape[:2])]}


def _light(path: Path, width: int, height: int) -> picture.Pixels:
    names = picture.names(path)
    return show.light(picture.read(path, width, height, names), names)
