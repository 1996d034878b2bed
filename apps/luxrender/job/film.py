"""Films: per pixel the mean of its samples and their number, as OpenEXR files of one kind, which any viewer shows.

Scan lines of 32-bit floats, not compressed, so that a file of a given size has one possible header: reading compares
it byte by byte, and no parser ever meets what a stranger wrote. Layout:
https://openexr.com/en/latest/OpenEXRFileLayout.html
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]
"""Height, width, and red, green, blue, samples; linear light, the first row on top."""

CHANNELS = (b"B", b"G", b"R", b"samples")  # in the alphabetical order that the format wants
ORDER = [2, 1, 0, 3]  # of ours in theirs
MAGIC = b"\x76\x2f\x31\x01\x02\0\0\0"
PIXEL_BYTES = 16
MAX_PREVIEW_SIDE = 960  # pixels


class NotAFilm(ValueError):
    """A file that is no film of ours; says why."""


def _header(width: int, height: int) -> bytes:
    listed = b"".join(name + struct.pack("<xI4xII", 2, 1, 1) for name in CHANNELS) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    fields = (
        (b"channels", b"chlist", listed),
        (b"compression", b"compression", b"\0"),
        (b"dataWindow", b"box2i", window),
        (b"displayWindow", b"box2i", window),
        (b"lineOrder", b"lineOrder", b"\0"),
        (b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
        (b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0)),
        (b"screenWindowWidth", b"float", struct.pack("<f", 1)),
    )
    listed = b"".join(b"%b\0%b\0%b%b" % (name, kind, struct.pack("<I", len(data)), data) for name, kind, data in fields)
    head = MAGIC + listed + b"\0"
    first, step = len(head) + 8 * height, 8 + width * PIXEL_BYTES
    return head + struct.pack(f"<{height}Q", *range(first, first + height * step, step))


def _lines(width: int) -> np.dtype[np.void]:
    return np.dtype([("y", "<i4"), ("size", "<i4"), ("pixels", "<f4", (len(CHANNELS), width))])


def write(path: Path, pixels: Pixels) -> None:
    """Write a film; the same pixels give the same bytes."""
    height, width, _ = pixels.shape
    lines = np.zeros(height, _lines(width))
    lines["y"], lines["size"] = np.arange(height), width * PIXEL_BYTES
    lines["pixels"] = pixels[:, :, ORDER].transpose(0, 2, 1)
    path.write_bytes(_header(width, height) + lines.tobytes())


def read(path: Path, width: int, height: int) -> Pixels:
    """The pixels of a film that must be `width` by `height`. Raises NotAFilm."""
    head = _header(width, height)
    size = path.stat().st_size if path.is_file() else 0
    wanted = len(head) + height * _lines(width).itemsize
    if size != wanted:
        raise NotAFilm(f"{size} bytes, not the {wanted} of a film of {width}x{height} pixels")
    data = path.read_bytes()
    lines = np.frombuffer(data, _lines(width), height, len(head))
    if data[: len(head)] != head or (lines["y"] != np.arange(height)).any() or (lines["size"] != width * 16).any():
        raise NotAFilm(f"it is no film of {width}x{height} pixels: its header differs")
    pixels = np.ascontiguousarray(lines["pixels"].transpose(0, 2, 1)[:, :, ORDER])
    if not np.isfinite(pixels).all() or (pixels[:, :, 3] < 0).any():
        raise NotAFilm("it has pixels that are no numbers, or negative samples")
    return pixels


def find(folder: Path) -> Path:
    """The one film in an input, which is the film itself or a folder with it. Raises NotAFilm."""
    found = [folder] if folder.is_file() else sorted(folder.glob("*.exr"))
    if len(found) != 1:
        raise NotAFilm(f"{len(found)} .exr files, not one")
    return found[0]


def shown(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Eight bits a channel: as bright as LuxCore's automatic tone mapping makes it, by its mean; gamma 2.2."""
    light = pixels[:, :, :3].astype(np.float64)
    there = light[pixels[:, :, 3] > 0]
    mean = float((there @ (0.2126, 0.7152, 0.0722)).mean()) if there.size else 0.0
    scale = 1.25 / mean * (118 / 255) ** 2.2 if mean > 0 else 1.0
    mapped: npt.NDArray[np.uint8] = ((light * scale).clip(0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)
    return mapped


def small(pixels: Pixels) -> Pixels:
    """Every n-th pixel, so that no side is too long for a preview."""
    step = -(-max(pixels.shape[:2]) // MAX_PREVIEW_SIDE)
    return pixels[::step, ::step]


def png(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Write a picture for people."""
    height, width, _ = picture.shape
    raw = np.concatenate((np.zeros((height, 1), np.uint8), picture.reshape(height, width * 3)), axis=1).tobytes()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw, 6)))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (*parts, (b"IEND", b""))
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
