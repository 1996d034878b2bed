"""Makes a film of finished frames, with the FFmpeg that Blender brings along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import bpy
else:
    from blender import bpy

CONTAINERS = {"mp4": ("MPEG4", "H264"), "webm": ("WEBM", "WEBM"), "mkv": ("MKV", "H264")}
PICTURES = (".png", ".jpg", ".tif", ".webp", ".tga", ".bmp", ".jp2")  # what is shown as it is; the first found is taken


class Film(TypedDict):
    """`count`: of frames; the n-th lies in the input `f<n>`. `kind`: one of CONTAINERS."""

    count: int
    size: tuple[int, int]
    fps: float
    kind: str


def run(params: Film, inputs: str, output: str) -> dict[str, int]:
    """Write film.KIND."""
    pictures = [_picture(Path(inputs, f"f{number}")) for number in range(params["count"])]
    path = Path(output, f"film.{params['kind']}")
    scene = bpy.data.scenes.new("Film")  # beside the scene that the worker may have in memory
    try:
        _film(scene, params, pictures, path)
    finally:
        bpy.data.scenes.remove(scene)
    if not path.is_file():
        raise ValueError("Blender made no film of the frames")
    return {"frames": len(pictures)}


def _film(scene: bpy.types.Scene, params: Film, pictures: list[Path], path: Path) -> None:
    render, video = scene.render, scene.render.ffmpeg
    strips = scene.sequence_editor_create().strips
    for number, shown in enumerate(pictures, start=1):
        strips.new_image(name=shown.stem, filepath=str(shown), channel=1, frame_start=number)
    scene.frame_start, scene.frame_end = 1, len(pictures)
    scene.view_settings.view_transform = "Standard"  # the frames have been through the scene's own
    width, height = params["size"]
    render.resolution_x, render.resolution_y, render.resolution_percentage = width + width % 2, height + height % 2, 100
    render.fps = max(1, round(params["fps"]))
    render.fps_base = render.fps / params["fps"]
    render.image_settings.file_format = "FFMPEG"
    video.format, video.codec = CONTAINERS[params["kind"]]
    video.constant_rate_factor = "HIGH"
    render.use_sequencer, render.use_file_extension = True, False
    render.filepath = str(path)
    bpy.ops.render.render(animation=True, scene=scene.name)


def _picture(folder: Path) -> Path:
    found = {path.suffix: path for path in sorted(folder.iterdir(), reverse=True)}
    for suffix in PICTURES:
        if suffix in found:
            return found[suffix]
    raise ValueError(f"{folder.name} has no picture that a film can show")
