"""Makes a small picture of a frame's tiles that are there; what is missing is shown as a chequered ground."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.blender.job import picture
else:
    import picture

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
        part = _srgb(light[top::step, left::step])
        row, column = (y + top) // step, (x + left) // step
        shown[row : row + part.shape[0], column : column + part.shape[1]] = part
    Path(output, "preview.png").write_bytes(_png(shown))
    return {"size": [int(side) for side in reversed(shown.shape[:2])]}


def _light(path: Path, width: int, height: int) -> picture.Pixels:
    names = picture.names(path)
    pixels = picture.read(path, width, height, names)
    first = next(name.removesuffix("R") for name in names if name == "R" or name.endswith(".Combined.R"))
    return pixels[:, :, [names.index(first + letter) for letter in "RGB"]]


def _srgb(light: picture.Pixels) -> npt.NDArray[np.uint8]:
    clipped = np.nan_to_num(light).clip(0, 1)
    curve = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return (curve * 255 + 0.5).astype(np.uint8)


def _png(shown: npt.NDArray[np.uint8]) -> bytes:
    height, width, _ = shown.shape
    raw = np.concatenate((np.zeros((height, 1), np.uint8), shown.reshape(height, width * 3)), axis=1).tobytes()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw, 6)))
    chunks = (*parts, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
