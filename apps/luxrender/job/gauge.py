"""Renders a small scene of its own: tells providers how fast they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.luxrender.job import studio
else:
    import studio

SCENE = """
scene.camera.lookat.orig = 0 -4 1.5
scene.camera.lookat.target = 0 0 0.5
scene.materials.floor.type = matte
scene.materials.floor.kd = 0.7 0.7 0.7
scene.materials.tent.type = glossy2
scene.materials.tent.kd = 0.6 0.1 0.05
scene.materials.lamp.type = matte
scene.materials.lamp.emission = 12 10 8
scene.objects.floor.material = floor
scene.objects.floor.vertices = -4 -4 0 4 -4 0 4 4 0 -4 4 0
scene.objects.floor.faces = 0 1 2 0 2 3
scene.objects.tent.material = tent
scene.objects.tent.vertices = -1 -1 0 1 -1 0 1 1 0 -1 1 0 0 0 1.5
scene.objects.tent.faces = 0 1 4 1 2 4 2 3 4 3 0 4
scene.objects.lamp.material = lamp
scene.objects.lamp.vertices = -1 -1 3 -1 1 3 1 1 3 1 -1 3
scene.objects.lamp.faces = 0 1 2 0 2 3
"""


def run(params: studio.View, inputs: str, output: str) -> None:
    """Nothing but the time that it takes."""
    path = Path(output, "scene")
    path.write_text(SCENE)
    scene = studio.open_scene(output, params["config"])
    path.unlink()
    studio.shoot(scene, params, (0, 0, *params["size"]))
