"""Pictures as OpenEXR files of one kind: scan lines of 32-bit float channels, plain or ZIP-compressed.

Reading trusts nothing: sizes are checked before anything is unpacked or reserved, and no other code ever sees a
stranger's file. Layout: https://openexr.com/en/latest/OpenEXRFileLayout.html
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]
"""Height, width, and channels, by default R G B A; linear light, the first row on top."""

MAGIC = b"\x76\x2f\x31\x01\x02"  # and version 2; the flag bits after it are zero but for long names
LONG_NAMES = 4
MAX_HEADER_BYTES = 1 << 16  # Blender's own is below 2 KiB
PLAIN = ("R", "G", "B", "A")
MAX_CHANNELS = 512  # a few dozen passes of a few layers
SHORT_NAME = 31  # bytes
CODECS = {0: 1, 2: 1, 3: 16}  # none, ZIPS and ZIP: rows per block
ZIP = 3
FLOAT_BYTES = 4
_FLOAT = struct.pack("<xI4xII", 2, 1, 1)  # of a channel: the end of its name, its type, and one value per pixel


class NotAPicture(ValueError):
    """A file that is no picture of ours; says why."""


class Header(NamedTuple):
    """What a file says about itself. `rows`: of one block. `length`: of the header, in bytes. `names`: its channels."""

    width: int
    height: int
    rows: int
    length: int
    names: tuple[str, ...]

    @property
    def pixel_bytes(self) -> int:
        """Of all channels."""
        return len(self.names) * FLOAT_BYTES


def names(path: Path) -> tuple[str, ...]:
    """The channels that a file says it has, in alphabetical order. Raises NotAPicture."""
    with path.open("rb") as file:
        return parse(file.read(MAX_HEADER_BYTES)).names


def read(path: Path, width: int, height: int, channels: Sequence[str] = PLAIN) -> Pixels:
    """The pixels of a file that must be `width` by `height` and have these channels. Raises NotAPicture."""
    table_and_blocks = width * height * len(channels) * FLOAT_BYTES + 16 * height  # no block is larger than its pixels
    size = path.stat().st_size if path.is_file() else 0
    if size > MAX_HEADER_BYTES + table_and_blocks:
        raise NotAPicture(f"{size} bytes are too many for {width}x{height} pixels")
    if not size:
        raise NotAPicture(f"there is no {path.name}, or it is empty")
    data = path.read_bytes()
    header = parse(data)
    if (header.width, header.height) != (width, height):
        raise NotAPicture(f"{header.width}x{header.height} pixels, not {width}x{height}")
    if header.names != tuple(sorted(channels)):
        raise NotAPicture(f"its channels are {_listed(header.names)}, not {_listed(sorted(channels))}")
    order = [header.names.index(name) for name in channels]
    pixels = np.empty((height, width, len(channels)), np.float32)
    for index, top in enumerate(range(0, height, header.rows)):
        pixels[top : top + header.rows] = _block(data, header, index)[:, order].transpose(0, 2, 1)
    return pixels


def tile(path: Path, area: tuple[int, int, int, int], *, layers: bool) -> tuple[Pixels, tuple[str, ...]]:
    """A delivered tile and its channels, R G B A unless it has layers. Raises NotAPicture and OSError."""
    channels = names(path) if layers else PLAIN
    return read(path, area[2], area[3], channels), channels


def _listed(channels: Sequence[str]) -> str:
    """A few of them, cut: a report has no room for all that a stranger may call his channels."""
    more = f" and {len(channels) - 8} more" if len(channels) > 8 else ""
    return ", ".join(name[:SHORT_NAME] for name in channels[:8]) + more


def parse(data: bytes) -> Header:
    """The header of a file, without its pixels. Raises NotAPicture."""
    if not data.startswith(MAGIC) or data[5:8] not in (b"\0\0\0", bytes((LONG_NAMES, 0, 0))):
        raise NotAPicture("not a single-part scan-line OpenEXR file")
    fields, length = _attributes(data[:MAX_HEADER_BYTES])
    channels = _channels(fields.get(b"channels", b""))
    codec, window = fields.get(b"compression", b""), fields.get(b"dataWindow", b"")
    if len(codec) != 1 or codec[0] not in CODECS:
        raise NotAPicture("its compression is none of NONE, ZIPS and ZIP")
    if len(window) != struct.calcsize("<4i"):
        raise NotAPicture("it has no data window")
    left, top, right, bottom = struct.unpack("<4i", window)
    if (left, top) != (0, 0) or right < 0 or bottom < 0:
        raise NotAPicture(f"its data window is {left},{top} to {right},{bottom}")
    return Header(right + 1, bottom + 1, CODECS[codec[0]], length, channels)


def _channels(data: bytes) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    while data[at : at + 1] not in (b"", b"\0"):
        end = data.find(b"\0", at)
        if data[end : end + 17] != _FLOAT or len(found) == MAX_CHANNELS:
            raise NotAPicture(f"its channels are not 32-bit float, or more than {MAX_CHANNELS}")
        found.append(data[at:end].decode("utf-8", "replace"))
        at = end + 17
    if not found or found != sorted(set(found)):
        raise NotAPicture("its channels are none, or not in order")
    return tuple(found)


def _attributes(data: bytes) -> tuple[dict[bytes, bytes], int]:
    fields: dict[bytes, bytes] = {}
    at = len(MAGIC) + 3
    while data[at : at + 1] != b"\0":
        try:
            name_end = data.index(b"\0", at, at + 256)
            kind_end = data.index(b"\0", name_end + 1, name_end + 257)
            (size,) = struct.unpack_from("<I", data, kind_end + 1)
        except (ValueError, struct.error):
            raise NotAPicture("its header is cut off or damaged") from None
        value = kind_end + 5
        fields[data[at:name_end]] = data[value : value + size]
        at = value + size
    return fields, at + 1


def _block(data: bytes, header: Header, index: int) -> Pixels:
    row = index * header.rows
    rows = min(header.rows, header.height - row)
    raw_bytes = rows * header.width * header.pixel_bytes
    try:
        (at,) = struct.unpack_from("<Q", data, header.length + 8 * index)
        found, size = struct.unpack_from("<iI", data, at)
    except (struct.error, OverflowError):
        raise NotAPicture("a block lies outside of the file") from None
    packed = data[at + 8 : at + 8 + size]
    if found != row or len(packed) != size or size > raw_bytes:
        raise NotAPicture(f"the block of row {row} is damaged")
    raw = packed if size == raw_bytes else _unpack(packed, raw_bytes)
    return np.frombuffer(raw, "<f4").reshape(rows, len(header.names), header.width)


def _unpack(packed: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(packed, size + 1)
    except zlib.error as why:
        raise NotAPicture(f"a block does not unpack: {why}") from None
    if len(data) != size:
        raise NotAPicture("a block does not unpack to its size")
    steps = np.frombuffer(data, np.uint8) - np.uint8(128)
    steps[0] = data[0]
    halves = np.cumsum(steps, dtype=np.uint8)
    raw = np.empty(size, np.uint8)
    raw[0::2], raw[1::2] = halves[: (size + 1) // 2], halves[(size + 1) // 2 :]
    return raw.tobytes()


def _pack(raw: bytes) -> bytes:
    source = np.frombuffer(raw, np.uint8)
    halves = np.concatenate((source[0::2], source[1::2]))
    steps = np.diff(halves, prepend=halves[:1]) + np.uint8(128)
    steps[0] = halves[0]
    packed = zlib.compress(steps.tobytes(), 4)  # 4: OpenEXR's own choice; higher levels save 1 % and take twice as long
    return packed if len(packed) < len(raw) else raw


def write(path: Path, pixels: Pixels, channels: Sequence[str] = PLAIN) -> None:
    """Write a picture, ZIP-compressed; the same pixels give the same bytes."""
    height, width, _ = pixels.shape
    order = sorted(range(len(channels)), key=lambda index: channels[index])
    planes = np.ascontiguousarray(pixels[:, :, order].transpose(0, 2, 1), "<f4")
    header = _header(width, height, sorted(channels))
    tops = range(0, height, CODECS[ZIP])
    at = len(header) + 8 * len(tops)
    offsets, blocks = [], []
    for top in tops:
        packed = _pack(planes[top : top + CODECS[ZIP]].tobytes())
        offsets.append(struct.pack("<Q", at))
        blocks.append(struct.pack("<iI", top, len(packed)) + packed)
        at += len(blocks[-1])
    path.write_bytes(b"".join((header, *offsets, *blocks)))


def _header(width: int, height: int, channels: Sequence[str]) -> bytes:
    listed = [name.encode() for name in channels]
    is_long = any(len(name) > SHORT_NAME for name in listed)
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    fields = (
        (b"channels", b"chlist", b"".join(name + _FLOAT for name in listed) + b"\0"),
        (b"compression", b"compression", bytes((ZIP,))),
        (b"dataWindow", b"box2i", window),
        (b"displayWindow", b"box2i", window),
        (b"lineOrder", b"lineOrder", b"\0"),
        (b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
        (b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0)),
        (b"screenWindowWidth", b"float", struct.pack("<f", 1)),
    )
    attributes = (b"%b\0%b\0%b%b" % (name, kind, struct.pack("<I", len(data)), data) for name, kind, data in fields)
    return MAGIC + bytes((LONG_NAMES if is_long else 0, 0, 0)) + b"".join(attributes) + b"\0"
