"""Pictures for people to look at: linear light as they see it, in PNG files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apps.blender.job import measure, picture

Bytes = npt.NDArray[np.uint8]

ENLARGED = 12  # times, a place of a check
GAP = 6  # pixels between two pictures of it
LOUD = 8  # times, the difference


def beside(seen: measure.Seen, channels: Sequence[str], tile: measure.Area, stem: str) -> Path:
    """Write a place of a check: delivered, right, and their difference. Its name is `stem`, and where in the frame."""
    x, y, _, height = seen.area
    delivered, ours = light(seen.delivered, channels), light(seen.ours, channels)
    with np.errstate(invalid="ignore", over="ignore"):
        parts = [srgb(one) for one in (delivered, ours, np.abs(delivered - ours) * LOUD)]
    enlarged = [one.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1) for one in parts]
    gap = np.full((height * ENLARGED, GAP, 3), 255, np.uint8)
    path = Path(f"{stem}at-{tile[0] + x}-{tile[1] + y}.png")
    path.write_bytes(png(np.concatenate((enlarged[0], gap, enlarged[1], gap, enlarged[2]), axis=1)))
    return path


def light(pixels: picture.Pixels, channels: Sequence[str]) -> picture.Pixels:
    """Red, green and blue of the picture, or of its first layer."""
    first = next(name.removesuffix("R") for name in channels if name == "R" or name.endswith(".Combined.R"))
    return pixels[:, :, [list(channels).index(first + letter) for letter in "RGB"]]


def srgb(linear: picture.Pixels) -> Bytes:
    """As a screen wants it; the view transform is the merge's business."""
    clipped = np.nan_to_num(linear).clip(0, 1)
    curve = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return (curve * 255 + 0.5).astype(np.uint8)


def png(shown: Bytes) -> bytes:
    """A file, of red, green and blue."""
    height, width, _ = shown.shape
    raw = np.concatenate((np.zeros((height, 1), np.uint8), shown.reshape(height, width * 3)), axis=1).tobytes()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw, 6)))
    chunks = (*parts, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
