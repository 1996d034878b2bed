"""Shows Blender a picture that was rendered elsewhere as if it had rendered it just now.

An engine that copies pixels takes the place of Cycles, so that compositor, output nodes and file formats are Blender's
own, and see every layer and pass as after a render at home.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    import bpy

    from apps.blender.job import picture, studio
else:
    import picture
    import studio
    from blender import bpy

ORDER = "RGBArgbaXYZWUV"  # in which Blender keeps the channels of a pass
COMBINED = "Combined"
ODD = re.compile(r"[^A-Za-z0-9._#-]")  # what a result's file names may not have


class Replay(bpy.types.RenderEngine):  # type: ignore[misc]  # bpy has no types
    """Copies what is in `shown`."""

    bl_idname = "GOLEM_REPLAY"
    bl_label = "Pictures from golem"
    bl_use_postprocess = True
    shown: ClassVar[list[studio.Picture]] = []

    def update_render_passes(self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> None:
        """Say which passes there are."""
        for name, letters in passes(self.shown[0].channels, layer.name).items():
            kind = "VALUE" if len(letters) == 1 else "COLOR" if letters[0] in "Rr" else "VECTOR"
            self.register_pass(scene, layer, name, len(letters), letters, kind)

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Copy one view layer."""
        layer, (pixels, channels) = depsgraph.view_layer.name, self.shown[0]
        height, width, _ = pixels.shape
        wanted = passes(channels, layer)
        result = self.begin_result(0, 0, width, height, layer=layer)
        for one in result.layers[0].passes:
            if one.name in wanted:
                order = [channels.index(f"{layer}.{one.name}.{letter}") for letter in wanted[one.name]]
                one.rect.foreach_set(np.ascontiguousarray(pixels[::-1, :, order]).ravel())  # its rows begin below
        self.end_result(result)


def passes(channels: tuple[str, ...], layer: str) -> dict[str, str]:
    """The passes of a layer, each with the letters of its channels."""
    found: dict[str, str] = {}
    for channel in channels:
        where, name, letter = channel.rsplit(".", 2)
        if where == layer:
            found[name] = "".join(sorted(found.get(name, "") + letter, key=ORDER.index))
    return found


def develop(scene: bpy.types.Scene, shown: studio.Picture, light: Path, kind: str, *, composites: bool) -> Path:
    """Write a picture with all its layers in a format, composited if asked; where. Output nodes write beside it."""
    if not Replay.is_registered:
        bpy.utils.register_class(Replay)
    render = scene.render
    path = light.with_suffix(studio.file_settings(scene, kind))
    Replay.shown[:] = [shown]
    render.engine, render.use_compositing, render.use_border = Replay.bl_idname, composites, False
    render.use_single_layer = False
    render.use_file_extension = True  # output nodes have no other way to theirs
    render.filepath = str(path)
    if composites:
        _redirect(scene.node_tree, light.parent)
    try:
        bpy.ops.render.render(write_still=True)
    finally:
        render.engine, render.use_compositing, render.use_border = "CYCLES", False, True
        render.use_file_extension = False
        studio.linear(render.image_settings)
        Replay.shown.clear()
    return path


def _redirect(tree: bpy.types.NodeTree, folder: Path) -> None:
    for node in tree.nodes:
        if node.type == "OUTPUT_FILE":
            node.base_path = str(folder)
            for slot in node.file_slots:
                slot.path = ODD.sub("_", slot.path).lstrip("._") or "output"


def denoise(shown: studio.Picture, prefilter: str, room: Path) -> None:
    """Denoise each layer's picture in place, with Blender's own denoiser and the passes rendered for it."""
    pixels, channels = shown
    for layer in sorted({name.rsplit(".", 2)[0] for name in channels}):
        light = [channels.index(f"{layer}.{COMBINED}.{letter}") for letter in "RGBA"]
        files = {
            "Image": (light, picture.PLAIN),
            "Albedo": ([channels.index(f"{layer}.Denoising Albedo.{letter}") for letter in "RGB"], ("R", "G", "B")),
            "Normal": ([channels.index(f"{layer}.Denoising Normal.{letter}") for letter in "XYZ"], ("R", "G", "B")),
        }
        for socket, (order, names) in files.items():
            picture.write(room / f"{socket}.exr", pixels[:, :, order], names)
        pixels[:, :, light[:3]] = _denoised(room, prefilter, pixels.shape[1], pixels.shape[0])[:, :, :3]
        for socket in files:
            (room / f"{socket}.exr").unlink()


def _denoised(room: Path, prefilter: str, width: int, height: int) -> picture.Pixels:
    scene = bpy.data.scenes.new("Denoise")
    images = {socket: bpy.data.images.load(str(room / f"{socket}.exr")) for socket in ("Image", "Albedo", "Normal")}
    try:
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        node, end = tree.nodes.new("CompositorNodeDenoise"), tree.nodes.new("CompositorNodeComposite")
        node.prefilter, node.use_hdr = prefilter, True
        for socket, image in images.items():
            source = tree.nodes.new("CompositorNodeImage")
            source.image = image
            tree.links.new(source.outputs["Image"], node.inputs[socket])
        tree.links.new(node.outputs["Image"], end.inputs["Image"])
        return _composited(scene, room / "denoised.exr", width, height)
    finally:
        bpy.data.scenes.remove(scene)
        for image in images.values():
            bpy.data.images.remove(image)


def _composited(scene: bpy.types.Scene, path: Path, width: int, height: int) -> picture.Pixels:
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.use_compositing, render.use_sequencer, render.use_file_extension = True, False, False
    render.compositor_precision = "FULL"
    render.filepath = str(path)
    studio.linear(render.image_settings)
    bpy.ops.render.render(write_still=True, scene=scene.name)
    pixels = picture.read(path, width, height)
    path.unlink()
    return pixels
