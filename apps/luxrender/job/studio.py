"""Opens a LuxCore scene once per worker and renders parts of it, so that any part equals the same part of the whole.

Rendered by LuxCore's tile path tracer without further passes: each pixel then takes exactly a square number of samples,
whose noise depends on the pixel's place in LuxCore's film and on the film's width, and on neither threads nor tiles.
So a film that is wider than the picture, and the picture's place in it, are the seed; the camera's window is moved to
suit. What would make a pixel depend on chance or on time is switched off: light caches, adaptive sampling, denoisers.
"""

from __future__ import annotations

import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
import pyluxcore

if TYPE_CHECKING:
    from apps.luxrender.job import film
else:
    import film

ENGINES = ("PATHCPU", "PATHOCL", "TILEPATHCPU", "TILEPATHOCL", "RTPATHCPU", "RTPATHOCL")  # all trace the same paths
CAMERAS = ("perspective", "orthographic")  # others have no window that can be moved
FILES = (".file", ".ply", ".iesfile", ".mapfile")  # ends of the keys whose values name files
KEPT = ("path.", "film.filter.", "lightstrategy.", "scene.epsilon.")  # what a configuration may say of paths
DROPPED = ("path.photongi.", "path.hybridbackforward.")  # made of chance, and not for the tile path tracer
SIZE = (640, 480)  # LuxCore's own
SAMPLES = 64
BASE = 256  # pixels a film is wider by, at least; up to twice that: a seed is one of 2**20 places
ROWS = 16
POLL_S = 0.002
SHOWN = 5  # names in one message
MAX_SIDE = 65_536  # pixels; beyond, memory would end before the template refuses it


class SceneRefused(ValueError):
    """A scene that cannot be rendered so that others can check it; says why and what to change."""


class View(TypedDict):
    """What to render and how, as the template says it.

    `config`: the .cfg file inside the input folder `scene`. `size`: of the whole picture. `tile`: x, y, width and
    height in it, from the top left. `root`: each pixel takes its square of samples. `cores`: threads; the result does
    not depend on it.
    """

    config: str
    size: tuple[int, int]
    tile: tuple[int, int, int, int]
    root: int
    seed: int
    cores: int


class Opened(NamedTuple):
    """A scene in memory. `window`: of the camera, as the scene says it, or empty."""

    identity: tuple[str, int, int]
    config: pyluxcore.Properties
    scene: pyluxcore.Scene
    camera: pyluxcore.Properties
    window: tuple[float, ...]
    size: tuple[int, int]
    samples: int


_opened: list[Opened] = []  # at most one
_is_ready: list[bool] = []


def open_scene(inputs: str, name: str) -> Opened:
    """The scene in the input `scene`: a .scn file, or a folder with a .cfg file called `name`. Raises SceneRefused."""
    if not _is_ready:
        pyluxcore.Init(lambda _: None)
        _is_ready.append(True)
    path = Path(inputs, "scene")
    path = path / name if path.is_dir() else path
    if not path.is_file():
        raise SceneRefused(f"there is no {name!r} in the input 'scene'")
    identity = (str(path), path.stat().st_size, path.stat().st_mtime_ns)
    if not _opened or _opened[0].identity != identity:
        _opened[:] = []
        _opened[:] = [_load(path, identity)]
    return _opened[0]


def _load(path: Path, identity: tuple[str, int, int]) -> Opened:
    given = _read(path)
    is_alone = "scene.file" not in given.GetAllNames()
    config = pyluxcore.Properties() if is_alone else given
    file = path if is_alone else _inside(path.parent, [(given.Get("scene.file").GetString(), "scene.file")])[0]
    told = given if is_alone else _read(file)
    engine = _word(config, "renderengine.type", ENGINES[0])
    if engine not in ENGINES:
        raise SceneRefused(f"the engine {engine} can't be split so that parts can be checked; take one of {ENGINES[0]}")
    _fix_files(told, path.parent)
    window = _camera(told)
    _settle(told)
    scene = pyluxcore.Scene()
    try:
        scene.Parse(told)
    except RuntimeError as why:
        raise SceneRefused(f"{file.name} is no scene that LuxCore takes: {why}") from why
    size = (_number(config, "film.width", SIZE[0]), _number(config, "film.height", SIZE[1]))
    samples = _number(config, "batch.haltspp", SAMPLES) or SAMPLES
    return Opened(identity, config, scene, told.GetAllProperties("scene.camera"), window, size, samples)


def _read(path: Path) -> pyluxcore.Properties:
    try:
        return pyluxcore.Properties(str(path))
    except RuntimeError as why:
        raise SceneRefused(f"{path.name} is no file of LuxCore's: {why}") from why


def _word(told: pyluxcore.Properties, name: str, default: str) -> str:
    return str(told.Get(name).GetString()) if told.IsDefined(name) else default


def _number(told: pyluxcore.Properties, name: str, default: int) -> int:
    return int(told.Get(name).GetInt()) if told.IsDefined(name) else default


def _inside(root: Path, named: list[tuple[str, str]]) -> list[Path]:
    """The files that values name, all inside a folder. Raises SceneRefused."""
    paths = [root / PurePosixPath(value.replace("\\", "/")) for value, _ in named]
    away = [value for (value, _), path in zip(named, paths, strict=True) if not _is_within(path, root)]
    lost = [value for (value, _), path in zip(named, paths, strict=True) if not path.is_file()]
    told = [
        f"{what}: {_listed(names)}" for what, names in (("outside of its folder", away), ("missing", lost)) if names
    ]
    if told:
        raise SceneRefused(
            f"the scene uses files that are {'; '.join(told)}. Give the whole folder, with paths relative to it"
        )
    return paths


def _is_within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in sorted(names)[:SHOWN]) + more


def _fix_files(told: pyluxcore.Properties, root: Path) -> None:
    keys = [key for key in told.GetAllNames() if key.endswith(FILES)]
    named = [(str(told.Get(key).GetString()), str(key)) for key in keys]
    for key, path in zip(keys, _inside(root, named), strict=True):
        told.Set(pyluxcore.Property(key, [str(path)]))


def _camera(told: pyluxcore.Properties) -> tuple[float, ...]:
    if not told.GetAllNames("scene.camera"):
        raise SceneRefused("the scene has no camera")
    kind = _word(told, "scene.camera.type", CAMERAS[0])
    if kind not in CAMERAS:
        raise SceneRefused(f"a camera of type {kind!r} can't be split; take one of {', '.join(CAMERAS)}")
    if told.IsDefined("scene.camera.autofocus.enable") and told.Get("scene.camera.autofocus.enable").GetBool():
        raise SceneRefused("the camera focuses by itself, on what each part shows: set scene.camera.focaldistance")
    if not told.IsDefined("scene.camera.screenwindow"):
        return ()
    return tuple(float(side) for side in told.Get("scene.camera.screenwindow").GetFloats())


def _settle(told: pyluxcore.Properties) -> None:
    """Switch off what is computed from chance before rendering begins."""
    for key in told.GetAllNames():
        if key.endswith("visibilitymapcache.enable"):
            told.Set(pyluxcore.Property(key, [False]))


def shoot(opened: Opened, view: View, area: tuple[int, int, int, int]) -> film.Pixels:
    """Render `area`: x, y, width, height inside of the view's tile, from its top left."""
    x, y, across, down = area
    left, top, width, height = view["tile"]
    pad, at, row = view["seed"] % BASE, view["seed"] // BASE % BASE, view["seed"] // BASE**2 % ROWS
    wide = width + BASE + pad
    column, line = at + x, row + height - y - down  # LuxCore counts rows from the bottom
    low = view["size"][1] - top - y - down
    high = line + down
    window = moved(opened.window, view["size"], (left + x, low, wide, high))
    opened.camera.Set(pyluxcore.Property("scene.camera.screenwindow", list(window)))
    opened.scene.Parse(opened.camera)
    config = configuration(opened, view, wide, high)
    config.Set(pyluxcore.Property("film.subregion", [column, column + across - 1, line, line + down - 1]))
    return rendered(pyluxcore.RenderConfig(config, opened.scene), (column, line, across, down))


def moved(
    window: tuple[float, ...], size: tuple[int, int], area: tuple[int, int, int, int]
) -> tuple[float, float, float, float]:
    """The window of a camera that shows, in the first pixels of a film, what `area` is of the picture."""
    frame = size[0] / size[1]
    own = (-1.0, 1.0, -1 / frame, 1 / frame) if frame >= 1 else (-frame, frame, -1.0, 1.0)
    west, east, south, north = window or own
    across, up = (east - west) / size[0], (north - south) / size[1]
    x, y, width, height = area
    return west + x * across, west + (x + width) * across, south + y * up, south + (y + height) * up


def configuration(opened: Opened, view: View, width: int, height: int) -> pyluxcore.Properties:
    """How to render into a film of `width` by `height`."""
    config = pyluxcore.Properties()
    for key in opened.config.GetAllNames():
        if key.startswith(KEPT) and not key.startswith(DROPPED):
            config.Set(opened.config.Get(key))
    if _word(config, "lightstrategy.type", "") == "DLS_CACHE":
        config.Set(pyluxcore.Property("lightstrategy.type", ["LOG_POWER"]))
    for key, value in {
        "renderengine.type": "TILEPATHCPU",
        "sampler.type": "TILEPATHSAMPLER",
        "tilepath.sampling.aa.size": view["root"],
        "tile.multipass.enable": False,
        "tile.size": 16,
        "native.threads.count": view["cores"],
        "film.width": width,
        "film.height": height,
        "film.imagepipelines.0.0.type": "NOP",
        "film.outputs.0.type": "RGB",
        "film.outputs.0.filename": "light.exr",
        "film.outputs.1.type": "SAMPLECOUNT",
        "film.outputs.1.filename": "samples.exr",
    }.items():
        config.Set(pyluxcore.Property(key, [value]))
    return config


def rendered(config: pyluxcore.RenderConfig, place: tuple[int, int, int, int]) -> film.Pixels:
    """What comes of it at a place of the film: x, y, width and height, from the bottom left."""
    x, y, across, down = place
    session = pyluxcore.RenderSession(config)
    session.Start()
    while not session.HasDone():
        time.sleep(POLL_S)
        session.UpdateStats()
    session.Stop()
    made = session.GetFilm()
    light = np.zeros((made.GetHeight(), made.GetWidth(), 3), np.float32)
    counts = np.zeros(light.shape[:2], np.uint32)
    made.GetOutputFloat(pyluxcore.FilmOutputType.RGB, light, 0)
    made.GetOutputUInt(pyluxcore.FilmOutputType.SAMPLECOUNT, counts, 0)
    both = np.dstack((np.nan_to_num(light), counts.astype(np.float32)))
    return np.ascontiguousarray(both[y : y + down, x : x + across][::-1])
