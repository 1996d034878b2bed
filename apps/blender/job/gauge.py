"""Renders a small scene of its own: tells providers how fast they are."""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy

    from apps.blender.job import studio
else:
    import studio
    from blender import bpy


def run(params: studio.View, inputs: str, output: str) -> None:
    """Nothing but the time that it takes; the scene stays in memory."""
    if not studio.is_open():
        _begin(Path(output, "scene"))
        studio.open_scene(output, params["scene"])
        Path(output, "scene").unlink()
    studio.shoot(bpy.context.scene, params, params["tile"], output)


def _begin(path: Path) -> None:
    """Save a scene: a monkey's head in the light."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_monkey_add()
    bpy.ops.object.light_add(type="AREA", location=(2, -3, 4))
    bpy.context.object.data.energy = 500
    bpy.ops.object.camera_add(location=(0, -4, 0), rotation=(pi / 2, 0, 0))
    scene = bpy.context.scene
    scene.camera = bpy.context.object
    scene.render.engine = "CYCLES"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
