"""Opens a scene once per worker and renders parts of its frames, so that any part equals the same part of the whole.

What would make a part depend on its surroundings, on time or on the machine is switched off: compositor, sequencer,
denoiser, path guiding, time limits. Everything else is as the scene says. Compositor and denoiser have their turn once
the parts are together: `finish`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict, cast

if TYPE_CHECKING:
    import bpy

    from apps.blender.job import cards, picture, project
else:
    import cards
    import picture
    import project
    from blender import bpy

# what a scene says of the files it writes
FILE_SETTINGS = ("file_format", "color_mode", "color_depth", "quality", "compression", "exr_codec", "tiff_codec")
OPAQUE = ("JPEG", "BMP", "HDR", "CINEON", "DPX")  # formats without an alpha channel
DEPTHS = {"PNG": "8", "PNG16": "16", "TIFF": "8", "TIFF16": "16", "JPEG2000": "8"}  # bits, in formats that have several


class View(TypedDict):
    """What to render and how, as the template says it.

    `scene`: the file inside the input folder `scene`. `size`: of the whole frame. `tile`: x, y, width and height in it,
    from the top left. `seed`: None for the scene's own. `cores`: threads; the result does not depend on it. `device`:
    see `cards`. `layers`: all view layers with all their passes, not only the picture; `denoise`: and what a denoiser
    needs.
    """

    scene: str
    frame: int
    size: tuple[int, int]
    tile: tuple[int, int, int, int]
    samples: int
    seed: int | None
    cores: int
    device: str
    layers: bool
    denoise: bool


class Wishes(NamedTuple):
    """What a scene wants of what is switched off or set anew, and how it wants its files."""

    frame: int
    size: tuple[int, int]
    samples: int
    composites: bool
    denoises: bool
    files: dict[str, object]


class Picture(NamedTuple):
    """Pixels, and the names of their channels: R, G, B and A, or "layer.pass.channel"."""

    pixels: picture.Pixels
    channels: tuple[str, ...]


class _Opened(NamedTuple):
    path: Path
    identity: tuple[int, int]
    is_self_contained: bool
    seed: tuple[int, bool]
    wishes: Wishes


_opened: list[_Opened] = []  # at most one: the scene that is in memory


MAX_SIDE = 65_536  # pixels; Blender itself takes no more


class SceneRefused(ValueError):
    """A scene that cannot be rendered so that others can check it; says why and what to change."""


def open_scene(inputs: str, name: str) -> bpy.types.Scene:
    """The scene in the input `scene`: a file, or a folder with a file called `name`. Raises SceneRefused.

    A scene stays in memory between the jobs of one worker. One that reads other files is loaded anew when it lies
    elsewhere than before, as Blender reads those files late, from beside the place where it opened the scene.
    """
    path = Path(inputs, "scene")
    if path.is_dir():
        path = path / name
    if not path.is_file():
        raise SceneRefused(f"there is no {name!r} in the input 'scene'")
    identity = (path.stat().st_size, path.stat().st_mtime_ns)
    last = _opened[0] if _opened else None
    if last is None or last.identity != identity or not (last.is_self_contained or last.path == path):
        _opened[:] = []
        _opened[:] = [_load(path, identity)]
    return bpy.context.scene


def is_open() -> bool:
    """Whether there is a scene in memory."""
    return bool(_opened)


def wishes() -> Wishes:
    """What the scene that is in memory wants."""
    return _opened[0].wishes


def _load(path: Path, identity: tuple[int, int]) -> _Opened:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
    except RuntimeError as why:
        raise SceneRefused(f"{path.name} does not open: {str(why).strip()}") from why
    scene = bpy.context.scene
    if scene.render.engine != "CYCLES":
        raise SceneRefused(f"the scene uses {scene.render.engine}; only Cycles gives every machine the same picture")
    if scene.camera is None:
        raise SceneRefused("the scene has no camera")
    if problem := project.strays(path.parent):
        raise SceneRefused(problem)
    wanted = _wishes(scene)
    _settle(scene)
    seed = (scene.cycles.seed, scene.cycles.use_animated_seed)
    return _Opened(path, identity, not project.outside_files(), seed, wanted)


def _wishes(scene: bpy.types.Scene) -> Wishes:
    used = [layer for layer in scene.view_layers if layer.use]
    render = scene.render
    scale = render.resolution_percentage / 100
    files = {name: getattr(render.image_settings, name) for name in FILE_SETTINGS}
    if render.is_movie_format:
        files["file_format"] = "PNG"
    return Wishes(
        frame=scene.frame_current,
        samples=scene.cycles.samples,
        size=(max(1, int(render.resolution_x * scale)), max(1, int(render.resolution_y * scale))),
        composites=bool(render.use_compositing and scene.use_nodes and scene.node_tree.nodes),
        denoises=scene.cycles.use_denoising and any(layer.cycles.use_denoising for layer in used),
        files=files,
    )


def _settle(scene: bpy.types.Scene) -> None:
    """Switch off what makes a part of a picture depend on more than the scene, the seed and the samples."""
    render, cycles = scene.render, scene.cycles
    cycles.time_limit = 0
    cycles.use_denoising = cycles.use_guiding = cycles.use_sample_subset = False
    render.use_compositing = render.use_sequencer = render.use_stamp = render.use_multiview = False
    render.use_freestyle = False
    render.use_persistent_data = True
    render.use_border = render.use_crop_to_border = True
    render.resolution_percentage = 100
    render.use_file_extension = False
    linear(render.image_settings)


def linear(settings: bpy.types.ImageFormatSettings, *, layers: bool = False) -> None:
    """Have renders written as they are: scene light, 32-bit float."""
    settings.file_format = "OPEN_EXR_MULTILAYER" if layers else "OPEN_EXR"
    settings.color_mode, settings.color_depth, settings.exr_codec = "RGBA", "32", "ZIP"
    settings.color_management = "FOLLOW_SCENE"


def shoot(scene: bpy.types.Scene, view: View, area: tuple[int, int, int, int], room: str) -> Picture:
    """Render `area` (x, y, width, height, from the frame's top left) under `view`. `room`: a folder to write in."""
    cycles, render = scene.cycles, scene.render
    cycles.device = cards.choose(view["device"], bpy.context.preferences.addons["cycles"].preferences)
    own_seed, is_animated = _opened[0].seed
    cycles.seed = own_seed if view["seed"] is None else view["seed"]
    cycles.use_animated_seed = view["seed"] is None and is_animated
    cycles.samples = view["samples"]
    render.threads_mode = "AUTO" if view["cores"] == 1 else "FIXED"  # see job/blender.py
    render.threads = view["cores"]
    render.resolution_x, render.resolution_y = view["size"]
    if scene.frame_float != view["frame"]:
        scene.frame_set(view["frame"])
    render.use_single_layer = not view["layers"]
    for layer in scene.view_layers:
        layer.cycles.denoising_store_passes = view["denoise"]
    linear(render.image_settings, layers=view["layers"])
    _aim(render, view["size"], area)
    path = Path(room, "blender.exr")
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    channels = picture.names(path) if view["layers"] else picture.PLAIN
    pixels = picture.read(path, area[2], area[3], channels)
    path.unlink()
    return Picture(pixels, channels)


def _aim(render: bpy.types.RenderSettings, size: tuple[int, int], area: tuple[int, int, int, int]) -> None:
    """Set the border; Blender cuts its fractions down to pixels, so each is set to the middle of the pixel it names."""
    (width, height), (x, y, across, down) = size, area
    render.border_min_x = (x + 0.5) / width if x else 0.0
    render.border_max_x = min((x + across + 0.5) / width, 1.0)
    below = height - y - down  # Blender counts rows from the bottom
    render.border_min_y = (below + 0.5) / height if below else 0.0
    render.border_max_y = min((below + down + 0.5) / height, 1.0)


def file_settings(scene: bpy.types.Scene, kind: str) -> str:
    """Have files written in a format, `SCENE` for the scene's own; the ending of their names."""
    render, settings = scene.render, scene.render.image_settings
    if kind == "SCENE":
        for name in FILE_SETTINGS:
            setattr(settings, name, wishes().files[name])
    elif kind in ("OPEN_EXR", "OPEN_EXR_MULTILAYER"):
        linear(settings, layers=kind == "OPEN_EXR_MULTILAYER")
    else:
        settings.file_format = kind.removesuffix("16")
        settings.color_mode = "RGBA" if render.film_transparent and kind not in OPAQUE else "RGB"
        settings.color_depth = DEPTHS.get(kind, settings.color_depth)
    return cast("str", render.file_extension)


def develop(scene: bpy.types.Scene, light: Path, kind: str) -> Path:
    """Write a picture in scene light through the scene's view transform, in a format, beside it; where."""
    shown = light.with_suffix(file_settings(scene, kind))
    image = bpy.data.images.load(str(light))
    try:
        image.save_render(str(shown), scene=scene)
    finally:
        bpy.data.images.remove(image)
        linear(scene.render.image_settings)
    return shown
