"""Looks at what several providers made of one tile: whether it is alike, and where it is not, who is right.

Pictures are compared pixel by pixel, all of them. Only where they differ, or where nobody is believed, a few places are
rendered anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from apps.blender.job import check, measure, picture, studio
else:
    import check
    import measure
    import picture
    import studio


class Compare(check.Check):
    """As a check is told, and the inputs `result0` and so on, by their cids. `believed`: if alike, they are right.

    `whole`: all of the tile is rendered anew, and compared with them.
    """

    results: list[str]
    believed: bool
    whole: bool


class Report(TypedDict):
    """`measured`: by cid, unless they agree and are believed."""

    agree: bool
    measured: dict[str, measure.Report]


def run(params: Compare, inputs: str, output: str) -> Report:
    """The report, and pictures of places that were looked at closely. Raises SceneRefused."""
    read: dict[str, check.Delivered] = {}
    measured: dict[str, measure.Report] = {}
    for number, cid in enumerate(params["results"]):
        path = Path(inputs, f"result{number}", "tile.exr")
        try:
            read[cid] = picture.tile(path, params["tile"], layers=params["layers"])
        except (picture.NotAPicture, OSError) as why:
            measured[cid] = {"ok": False, "why": str(why)}
    are_alike, apart = _compared(list(read.values()))
    if params["believed"] and are_alike and not measured:
        return {"agree": True, "measured": {}}
    scene = studio.open_scene(inputs, params["scene"])
    if params["whole"]:
        ours = studio.shoot(scene, params, params["tile"], output)
        apart += _compared([*read.values(), (ours.pixels, ours.channels)])[1]
    closer = params.copy()
    closer["places"] = [*params["places"], *apart]
    for number, (cid, delivered) in enumerate(read.items()):
        measured[cid] = check.examine(scene, closer, delivered, output, f"result{number}-")
    return {"agree": False, "measured": measured}


def _compared(pictures: Sequence[check.Delivered]) -> tuple[bool, list[measure.Area]]:
    """Whether all are like the first, and the places where others are not."""
    if not pictures:
        return False, []
    (first, channels), *others = pictures
    same = [pixels for pixels, names in others if names == channels]
    apart = dict.fromkeys(area for pixels in same for area in measure.apart(pixels, first))
    return len(same) == len(others) and not apart, list(apart)
