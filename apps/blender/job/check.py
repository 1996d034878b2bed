"""Renders small places of a tile anew, under the provider's seed, and measures how far it is from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy

    from apps.blender.job import measure, picture, show, studio
else:
    import measure
    import picture
    import show
    import studio
    from blender import bpy

OTHER_SEED = 0x2545F491

Delivered = tuple["picture.Pixels", tuple[str, ...]]
"""A picture and its channels."""


class Check(studio.View):
    """The provider's own parameters; places in the tile; and numbers that draw more of them: see `measure`."""

    places: list[measure.Area]
    draws: list[float]


def run(params: Check, inputs: str, output: str) -> measure.Report:
    """The report; where a closer look was needed, what was seen as pictures. Raises SceneRefused."""
    try:
        delivered = picture.tile(Path(inputs, "result", "tile.exr"), params["tile"], layers=params["layers"])
    except (picture.NotAPicture, OSError) as why:
        return {"ok": False, "why": str(why)}
    return examine(studio.open_scene(inputs, params["scene"]), params, delivered, output)


def examine(
    scene: bpy.types.Scene,
    params: Check,
    delivered: tuple[picture.Pixels, tuple[str, ...]],
    output: str,
    name: str = "",
) -> measure.Report:
    """The same of a file that was read. `name`: with what the names of its pictures begin."""
    tile, channels = delivered
    glance = params.copy()
    glance["samples"], glance["seed"] = max(1, params["samples"] // 4), (params["seed"] or 0) ^ OTHER_SEED

    def shoot(area: measure.Area) -> picture.Pixels:
        return place(scene, params, area, channels, output)

    examination = measure.Examination(tile, channels, shoot, lambda area: place(scene, glance, area, channels, output))
    try:
        report = examination.run(params["places"], params["draws"])
    except (picture.NotAPicture, measure.Strange) as why:
        return {"ok": False, "why": str(why)}
    for seen in examination.close:
        show.beside(seen, channels, params["tile"], f"{output}/{name}")
    return report


def place(
    scene: bpy.types.Scene, view: studio.View, area: measure.Area, channels: tuple[str, ...], room: str
) -> picture.Pixels:
    """A place of the tile, as it should be. Raises NotAPicture where what was delivered has other channels.

    Adaptive sampling goes on at a pixel while its neighbours are noisy, so those are rendered along with it.
    """
    left, top, across, down = view["tile"]
    wider = measure.widened(area, (down, across), 1) if scene.cycles.use_adaptive_sampling else area
    ours = studio.shoot(scene, view, (left + wider[0], top + wider[1], wider[2], wider[3]), room)
    if ours.channels != channels:
        raise picture.NotAPicture(f"it has {len(channels)} channels that are not the {len(ours.channels)} of the scene")
    return measure.cut(ours.pixels, (area[0] - wider[0], area[1] - wider[1], area[2], area[3]))
