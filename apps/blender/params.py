"""What a user may say of a Blender task, and what becomes of it once the scene was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor, sqrt

import msgspec

from golem.errors import BadParameters
from golem.interfaces import Parameter
from golem.template import (
    MAX_CHUNKS,
    Area,
    Form,
    Json,
    either,
    file_name,
    frame_list,
    frames,
    grid,
    number,
    one_of,
    pair,
    show_frames,
    tiles,
    to_json,
    whole,
)

MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 1 << 26  # of one frame; in floats they take 1 GiB, half of a job's memory by default
MAX_TILES = 256  # of one frame; their places must fit a job's parameters
MAX_FILM = 4_000  # frames; a job has at most 4,096 inputs
LOADING_MS = 500
NS = (2_500, 10_000)  # per pixel and sample on one core of a server, before anyone has looked: both shipped scenes
TARGET_MS = 20_000  # of one tile, where the number of tiles is ours to choose: a check costs 3 % of that, loading 5
LEAST_MS = 2_000  # of one tile: below, loading the scene and checking take more than the work
MANY = 16  # pieces that a task is cut into at least, if they are long enough, so that many can help
# formats a film can be made of
SHOWN_AS_THEY_ARE = ("EXR", "PNG", "PNG16", "JPEG", "JPEG2000", "TIFF", "TIFF16", "TARGA", "BMP", "WEBP")
FORMATS = (*SHOWN_AS_THEY_ARE, "MULTILAYER", "HDR", "DPX", "CINEON", "SCENE")


def _frames(text: str) -> Json:
    """A list of frames, or a word for those that the scene knows."""
    word = text.lower()
    return word if word in ("current", "all") else frame_list(text)


form = Form(
    (
        Parameter(
            name="frames", help="1-4;7;10-30,5: frames and ranges, with a step; all; or current", default="current"
        ),
        _frames,
    ),
    (
        Parameter(name="resolution", help="width x height of the frames, in pixels, or scene", default="scene"),
        either("scene", pair(MAX_SIDE)),
    ),
    (Parameter(name="samples", help="per pixel, or scene", default="scene"), either("scene", whole(1, 65_536))),
    (
        Parameter(name="tiles", help="columns x rows of each frame, rows alone, or auto", default="auto"),
        either("auto", grid(MAX_TILES)),
    ),
    (
        Parameter(
            name="chunk", help="seconds that a tile should take, where their number is auto; or auto", default="auto"
        ),
        either("auto", number(0.1, 86_400)),
    ),
    (
        Parameter(
            name="format",
            help="EXR: linear, with a PNG to look at; MULTILAYER: EXR with all layers and passes; or "
            "PNG, PNG16, JPEG, JPEG2000, TIFF, TIFF16, TARGA, BMP, WEBP, HDR, DPX, CINEON; SCENE: as the scene says",
            default="EXR",
        ),
        one_of(*FORMATS),
    ),
    (
        Parameter(name="compositor", help="on merged frames: as the scene says, or off", default="scene"),
        one_of("scene", "off"),
    ),
    (
        Parameter(name="denoise", help="merged frames: as the scene says, on, or off", default="scene"),
        one_of("scene", "on", "off"),
    ),
    (
        Parameter(name="video", help="a film of all frames, too: mp4, webm or mkv", default="none"),
        one_of("none", "mp4", "webm", "mkv"),
    ),
    (
        Parameter(
            name="device",
            help="cpu: processors; gpu: NVIDIA cards alone; auto: a provider's card where it has one",
            default="cpu",
        ),
        one_of("cpu", "gpu", "auto"),
    ),
    (
        Parameter(
            name="seed",
            help="bound: every attempt has its own noise, so nobody can copy; fixed: the scene's, "
            "so that frames equal those rendered at home bit for bit",
            default="bound",
        ),
        one_of("bound", "fixed"),
    ),
    (
        Parameter(
            name="check",
            help="crops: a few places of each tile are rendered again here; copies: each tile is rendered by two "
            "providers under the scene's own seed, and their pictures are compared",
            default="crops",
        ),
        one_of("crops", "copies"),
    ),
    (Parameter(name="scene", help="the .blend file, where the input is a folder", default="scene.blend"), file_name),
)


class Look(msgspec.Struct, frozen=True):
    """What the program `look` found: see there."""

    frames: tuple[int, int, int, int]
    size: tuple[int, int]
    samples: int
    fps: float
    composites: bool
    denoises: bool
    is_multilayer: bool
    ns: tuple[int, int]
    loading_ms: int
    steady: bool = True
    adaptive: bool = False


class Params(msgspec.Struct, frozen=True):
    """A task's parameters: as the user said them, and what looking at the scene made of them."""

    frames: str
    resolution: tuple[int, int] | None
    samples: int | None
    tiles: tuple[int, int] | None
    chunk: float | None
    format: str
    compositor: str
    denoise: str
    video: str
    device: str
    seed: str
    check: str
    scene: str
    composites: bool = False
    denoises: bool = False
    fps: float = 24.0
    ns: tuple[int, int] = NS
    loading_ms: int = LOADING_MS
    steady: bool = True
    adaptive: bool = False

    @property
    def has_layers(self) -> bool:
        """Whether tiles hold all layers and passes."""
        return self.composites or self.denoises or self.format == "MULTILAYER"

    @property
    def size(self) -> tuple[int, int]:
        """Of a frame, in pixels."""
        return self.resolution or (640, 360)

    @property
    def per_pixel(self) -> int:
        """Samples."""
        return self.samples or 32

    @property
    def may_use_cards(self) -> bool:
        """Whether a provider's card may render it."""
        return self.device != "cpu"

    @property
    def repeats(self) -> bool:
        """Whether the same seed gives the same noise everywhere: no card's is a processor's, or another card's."""
        return self.steady and not self.may_use_cards

    @property
    def is_bound(self) -> bool:
        """Whether every attempt has noise of its own; copies could not be compared then."""
        return self.seed == "bound" and self.check == "crops"

    def numbers(self) -> tuple[int, ...]:
        """The frames."""
        return (1,) if self.frames in ("current", "all") else frames(self.frames)

    def areas(self) -> tuple[Area, ...]:
        """The tiles of each frame. Raises ValueError."""
        return tiles(*self.size, *(self.tiles or (1, 1)))

    def work_ms(self, pixels: int, ns: float) -> int:
        """How long so many pixels take one core."""
        return int(pixels * self.per_pixel * ns / 1e6)


decoder = msgspec.json.Decoder(Params)
_look = msgspec.json.Decoder(Look)


def parse(given: Mapping[str, str]) -> bytes:
    """See `ITaskTemplate.parse`."""
    data = form.parse(given)
    return _sound(decoder.decode(data), data)


def seen(params: Params, report: bytes) -> bytes:
    """The parameters with what the scene says where the user left it to the scene. Raises BadParameters."""
    look = _look.decode(report)
    current, first, last, step = look.frames
    if params.frames == "all":
        named = show_frames(range(max(0, first), max(0, last) + 1, max(1, step))[:MAX_CHUNKS])
    else:
        named = str(max(0, current)) if params.frames == "current" else params.frames
    found = msgspec.structs.replace(
        params,
        frames=named,
        resolution=look.size,
        samples=look.samples,
        format="MULTILAYER" if params.format == "SCENE" and look.is_multilayer else params.format,
        composites=look.composites and params.compositor == "scene",
        denoises=params.denoise == "on" or (look.denoises and params.denoise == "scene"),
        fps=look.fps,
        ns=look.ns,
        loading_ms=look.loading_ms,
        steady=look.steady,
        adaptive=look.adaptive,
    )
    if max(look.size) > MAX_SIDE:
        raise BadParameters(f"resolution: the scene's {look.size[0]}x{look.size[1]} is more than {MAX_SIDE} pixels")
    found = msgspec.structs.replace(found, tiles=params.tiles or cut(found))
    return _sound(found, to_json(found))


def cut(params: Params) -> tuple[int, int]:
    """Columns and rows, so that a tile takes long enough to be worth a job, and many can help with a few frames."""
    width, height = params.size
    frame_ms = params.work_ms(width * height, sum(params.ns) / 2)
    if params.may_use_cards and not params.chunk:
        return 1, 1  # a card is done with a frame sooner than others have loaded it
    for_many = floor(min(MANY / len(params.numbers()), frame_ms / LEAST_MS))
    wanted = round(frame_ms / params.chunk / 1000) if params.chunk else max(round(frame_ms / TARGET_MS), for_many)
    pieces = max(1, min(MAX_TILES // 2, wanted, width * height, MAX_CHUNKS // len(params.numbers())))
    rows = min(height, max(1, ceil(sqrt(pieces * height / width))))
    return max(1, min(width, pieces // rows)), rows


def _sound(params: Params, data: bytes) -> bytes:
    mistakes = list(_mistakes(params))
    if mistakes:
        raise BadParameters("; ".join(mistakes))
    return data


def _mistakes(params: Params) -> Iterator[str]:
    width, height = params.size
    columns, rows = params.tiles or (1, 1)
    count = len(params.numbers())
    if width * height > MAX_PIXELS:
        yield f"resolution: {width}x{height} is more than {MAX_PIXELS} pixels"
    if columns * rows > MAX_TILES:
        yield f"tiles: {columns}x{rows} is more than {MAX_TILES} of them"
    elif params.resolution and (columns > width or rows > height):
        yield f"tiles: {columns}x{rows} of them do not fit {width}x{height} pixels"
    elif count * columns * rows > MAX_CHUNKS:
        yield f"frames: with {columns}x{rows} tiles each, more than {MAX_CHUNKS} pieces"
    yield from _unlike(params)
    if params.video != "none" and count > MAX_FILM:
        yield f"video: of at most {MAX_FILM} frames, not of {count}"
    if params.video != "none" and params.format not in SHOWN_AS_THEY_ARE:
        yield f"video: can't be made of {params.format} (take format {SHOWN_AS_THEY_ARE[0]} or {SHOWN_AS_THEY_ARE[1]})"


def _unlike(params: Params) -> Iterator[str]:
    if params.may_use_cards and params.seed == "fixed":
        yield "seed: fixed gives frames as at home on processors alone (take device cpu, or seed bound)"
    if params.may_use_cards and params.check == "copies":
        yield "check: copies are alike on processors alone (take device cpu, or check crops)"
