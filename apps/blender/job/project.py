"""The files that a scene uses beside itself: all inside its folder, or the scene is refused with their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy
else:
    from blender import bpy

SHOWN = 5  # names in one message
TOKENS = ("<UDIM>", "<UVTILE>")  # stand for the numbers of an image's tiles


def outside_files() -> list[tuple[str, Path]]:
    """What is not packed: each path as the scene says it, and where that leads."""
    said = bpy.utils.blend_paths(absolute=False, packed=False, local=False)
    led = bpy.utils.blend_paths(absolute=True, packed=False, local=False)
    return sorted({(name, Path(path)) for name, path in zip(said, led, strict=True)})


def strays(folder: Path) -> str:
    """Which files the scene needs and can't have, and what to do; empty where there are none."""
    root = folder.resolve()
    lost = [name for name, path in outside_files() if not _is_there(path)]
    away = [name for name, path in outside_files() if _is_there(path) and not path.resolve().is_relative_to(root)]
    told = [
        f"{what}: {_listed(names)}" for what, names in (("missing", lost), ("outside of its folder", away)) if names
    ]
    if not told:
        return ""
    return (
        f"the scene uses files that are {'; '.join(told)}. Pack them (File, External Data, Pack Resources), or give "
        "the whole folder as input, with paths relative to the scene"
    )


def _is_there(path: Path) -> bool:
    for token in TOKENS:
        if token in path.name:
            return any(path.parent.glob(path.name.replace(token, "*")))
    return path.exists()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + more


def pack() -> bool:
    """Take all files into the scene, as far as Blender can; whether that is all of them."""
    bpy.ops.file.pack_all()
    bpy.ops.file.pack_libraries()
    return not outside_files()
