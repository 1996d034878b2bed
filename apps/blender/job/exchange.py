"""Renders places of a tile twice, under seeds of our own, and counts where the delivered one stands out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.blender.job import check, measure, picture, show, studio, swap
else:
    import check
    import measure
    import picture
    import show
    import studio
    import swap


class Exchange(studio.View):
    """The provider's own parameters; places in the tile; two seeds. A card is used where there is one.

    `others`: how many results there are to compare with, as the inputs `other0` and so on.
    """

    places: list[measure.Area]
    seeds: tuple[int, int]
    others: int


def run(params: Exchange, inputs: str, output: str) -> swap.Report:
    """The report, and a picture of the place that is farthest off. Raises SceneRefused."""
    try:
        tile, channels = _read(params, inputs, "result")
    except (picture.NotAPicture, OSError) as why:
        return {"ok": False, "why": str(why)}
    others = [_read(params, inputs, f"other{number}")[0] for number in range(params["others"])]
    scene = studio.open_scene(inputs, params["scene"])
    views = []
    for seed in params["seeds"]:
        views.append(params.copy())
        views[-1]["seed"] = seed
        views[-1]["device"] = "cpu" if params["device"] == "cpu" else "auto"
    seen, tally = {}, swap.Tally()
    try:
        measure.refuse_strange(
            tile[:, :, measure.visible(channels)],
            lambda area: check.place(scene, params, area, channels, output),
            measure.visible(channels),
        )
        for x, y, width, height in params["places"]:
            area = (x, y, width, height)
            one, other = (check.place(scene, view, area, channels, output) for view in views)
            delivered = measure.cut(tile, area)
            beside = [show.light(measure.cut(there, area), channels) for there in others]
            three = [show.light(pixels, channels) for pixels in (delivered, one, other)]
            tally.add(area, three[0], three[1], three[2], beside)
            seen[x, y] = measure.Seen(area, delivered, one)
    except (picture.NotAPicture, measure.Strange) as why:
        return {"ok": False, "why": str(why)}
    if tally.worst is None:
        raise ValueError("there is no place to compare")
    show.beside(seen[tally.worst["x"], tally.worst["y"]], channels, params["tile"], f"{output}/")
    return {"ok": True, "places": len(seen), "tests": tally.tests, "worst": tally.worst}


def _read(params: Exchange, inputs: str, name: str) -> tuple[picture.Pixels, tuple[str, ...]]:
    return picture.tile(Path(inputs, name, "tile.exr"), params["tile"], layers=params["layers"])
