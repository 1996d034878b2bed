"""What a user may say of a LuxCore task, and what becomes of it once the scene was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor, isqrt, sqrt

import msgspec

from golem.errors import BadParameters
from golem.interfaces import Parameter
from golem.template import Area, Form, either, file_name, grid, number, pair, tiles, to_json, whole

MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 1 << 25  # a film of them takes half a gigabyte, and merging holds three
MAX_TILES = 256  # their places must fit a job's parameters
MAX_SAMPLES = 1 << 20  # per pixel, far more than anyone waits for
MAX_SLICES = 1024
MAX_PIECES = 4_000  # a job has at most 4,096 inputs, and the merge takes all pieces
SLICES = 4  # enough to tell the noise from how they differ
ROUNDS = 16  # slices where a noise is wanted: rounds end close to it
NS = (400, 4_000)  # per pixel and sample on one core of a server, before anyone has looked
LOADING_MS = 300
TARGET_MS = 20_000  # of one piece: loading the scene and checking take a few percent of that
LEAST_MS = 2_000  # of one piece: below, loading the scene and checking take more than the work
MANY = 16  # pieces that a task is cut into at least, if they are long enough, so that many can help

form = Form(
    (
        Parameter(name="resolution", help="width x height of the picture, in pixels, or scene", default="scene"),
        either("scene", pair(MAX_SIDE)),
    ),
    (
        Parameter(name="samples", help="per pixel, or scene; with a noise wanted, the most", default="scene"),
        either("scene", whole(1, MAX_SAMPLES)),
    ),
    (
        Parameter(
            name="noise", help="end when the picture's relative noise, in percent, is below; or none", default="none"
        ),
        either("none", number(0.01, 100)),
    ),
    (
        Parameter(name="slices", help="parts the samples are cut into, each of another seed, or auto", default="auto"),
        either("auto", whole(1, MAX_SLICES)),
    ),
    (
        Parameter(name="tiles", help="columns x rows of the picture, rows alone, or auto", default="auto"),
        either("auto", grid(MAX_TILES)),
    ),
    (
        Parameter(
            name="chunk", help="seconds that a tile should take, where their number is auto; or auto", default="auto"
        ),
        either("auto", number(0.1, 86_400)),
    ),
    (Parameter(name="config", help="the .cfg file, where the input is a folder", default="render.cfg"), file_name),
)


class Look(msgspec.Struct, frozen=True):
    """What the program `look` found: see there."""

    size: tuple[int, int]
    samples: int
    ns: tuple[int, int]
    loading_ms: int


class Params(msgspec.Struct, frozen=True):
    """A task's parameters: as the user said them, and what looking at the scene made of them.

    `root`: each slice takes its square of samples per pixel. `wanted`: slices so far called for; 0 before the look.
    """

    resolution: tuple[int, int] | None
    samples: int | None
    noise: float | None
    slices: int | None
    tiles: tuple[int, int] | None
    chunk: float | None
    config: str
    wanted: int = 0
    ns: tuple[int, int] = NS
    loading_ms: int = LOADING_MS

    @property
    def size(self) -> tuple[int, int]:
        """Of the picture, in pixels."""
        return self.resolution or (640, 480)

    @property
    def most(self) -> int:
        """Slices, all together."""
        return self.slices or (1 if self.noise is None else ROUNDS)

    @property
    def root(self) -> int:
        """Each slice takes its square of samples per pixel."""
        return isqrt(max(0, ceil((self.samples or 64) / self.most) - 1)) + 1

    @property
    def made(self) -> int:
        """Slices called for."""
        return self.wanted or (self.most if self.noise is None else min(SLICES, self.most))

    def areas(self) -> tuple[Area, ...]:
        """The tiles. Raises ValueError."""
        return tiles(*self.size, *(self.tiles or (1, 1)))

    def work_ms(self, pixels: int, ns: float) -> int:
        """How long one slice of so many pixels takes one core."""
        return int(pixels * self.root**2 * ns / 1e6)


decoder = msgspec.json.Decoder(Params)
_look = msgspec.json.Decoder(Look)


def parse(given: Mapping[str, str]) -> bytes:
    """See `ITaskTemplate.parse`."""
    data = form.parse(given)
    return _sound(decoder.decode(data), data)


def seen(params: Params, report: bytes) -> bytes:
    """The parameters with what the scene says where the user left it to the scene. Raises BadParameters."""
    look = _look.decode(report)
    if max(look.size) > MAX_SIDE or min(look.size) < 1:
        raise BadParameters(f"resolution: the scene's {look.size[0]}x{look.size[1]} is not 1 to {MAX_SIDE} pixels")
    found = msgspec.structs.replace(
        params,
        resolution=look.size,
        samples=min(MAX_SAMPLES, look.samples),
        ns=look.ns,
        loading_ms=look.loading_ms,
    )
    found = msgspec.structs.replace(found, tiles=params.tiles or cut(found), wanted=found.made)
    return _sound(found, to_json(found))


def cut(params: Params) -> tuple[int, int]:
    """Columns and rows, so that a piece takes no longer than it should, and many can help with a few slices."""
    width, height = params.size
    slice_ms = params.work_ms(width * height, sum(params.ns) / 2)
    for_many = floor(min(MANY / params.made, slice_ms / LEAST_MS))
    wanted = round(slice_ms / params.chunk / 1000) if params.chunk else max(round(slice_ms / TARGET_MS), for_many)
    pieces = max(1, min(MAX_TILES // 2, MAX_PIECES // params.most, width * height, wanted))
    rows = min(height, max(1, ceil(sqrt(pieces * height / width))))
    return max(1, min(width, pieces // rows)), rows


def more(params: Params, noise: float) -> Params:
    """The parameters with the slices that lead to the wanted noise, as far as they may; it falls as their root."""
    if params.noise is None or noise <= params.noise:
        return params
    needed = ceil(params.made * (noise / params.noise) ** 2) if noise < 1e6 else params.most
    return msgspec.structs.replace(params, wanted=min(params.most, needed, 2 * params.made))


def _sound(params: Params, data: bytes) -> bytes:
    mistakes = list(_mistakes(params))
    if mistakes:
        raise BadParameters("; ".join(mistakes))
    return data


def _mistakes(params: Params) -> Iterator[str]:
    width, height = params.size
    columns, rows = params.tiles or (1, 1)
    if width * height > MAX_PIXELS:
        yield f"resolution: {width}x{height} is more than {MAX_PIXELS} pixels"
    if columns * rows > MAX_TILES:
        yield f"tiles: {columns}x{rows} is more than {MAX_TILES} of them"
    elif params.resolution and (columns > width or rows > height):
        yield f"tiles: {columns}x{rows} of them do not fit {width}x{height} pixels"
    elif columns * rows * params.most > MAX_PIECES:
        yield f"slices: {params.most} of {columns}x{rows} tiles are more than {MAX_PIECES} pieces"
    if params.noise is not None and params.most < 2:
        yield "noise: is told from how slices differ: take at least 2"
