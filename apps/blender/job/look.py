"""Looks at a scene before anyone is hired: can it be rendered, what does it say, how long may it take.

Where the scene uses other files and Blender can pack them, the packed scene is the result, and providers get that.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import bpy

    from apps.blender.job import measure, project, studio
else:
    import measure
    import project
    import studio
    from blender import bpy

PROBES = 9  # places in a grid; together they take about a second
PROBE_SIDE = 24  # pixels
PROBE_SAMPLES = 8
STEADY = 0.05  # of a place's pixels, at most, may change when it is rendered again by more threads
LEAST_NS = 1  # per pixel and sample, so that no estimate is zero


class Look(TypedDict):
    """What to look at. `size`, `samples`: None for the scene's own."""

    scene: str
    size: tuple[int, int] | None
    samples: int | None
    cores: int


class Found(TypedDict):
    """What the scene says. `frames`: the current, first, last, and the step. `ns`: per pixel and sample of one core,
    the fastest and the slowest half of the places tried. `loading_ms`: until the first pixel. `steady`: whether the
    same seed gives the same noise again. `adaptive`: whether the scene samples so."""

    frames: tuple[int, int, int, int]
    size: tuple[int, int]
    samples: int
    fps: float
    composites: bool
    denoises: bool
    is_multilayer: bool
    ns: tuple[int, int]
    loading_ms: int
    steady: bool
    adaptive: bool


def run(params: Look, inputs: str, output: str) -> Found:
    """Raises SceneRefused."""
    began = time.monotonic()
    scene = studio.open_scene(inputs, params["scene"])
    render = scene.render
    size, wishes = params["size"] or studio.wishes().size, studio.wishes()
    found: Found = {
        "frames": (wishes.frame, scene.frame_start, scene.frame_end, scene.frame_step),
        "size": size,
        "samples": params["samples"] or wishes.samples,
        "fps": render.fps / render.fps_base,
        "composites": wishes.composites,
        "denoises": wishes.denoises,
        "is_multilayer": wishes.files["file_format"] == "OPEN_EXR_MULTILAYER",
        "ns": (LEAST_NS, LEAST_NS),
        "loading_ms": 0,
        "steady": True,
        "adaptive": bool(scene.cycles.use_adaptive_sampling),
    }
    if project.outside_files() and Path(inputs, "scene").is_dir():
        _pack(Path(output, "scene.blend"))
    if max(size) <= studio.MAX_SIDE:
        _probe(scene, found, params["scene"], output, began)
    if not found["steady"]:
        print("the same seed gives other noise each time: results are compared with renders under other seeds")
    return found


def _pack(path: Path) -> None:
    if project.pack():
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=True, relative_remap=False)


def _probe(scene: bpy.types.Scene, found: Found, name: str, output: str, began: float) -> None:
    """Time a few places of the frame, and how long the first pixel took; whether one comes out the same again."""
    samples = min(found["samples"], PROBE_SAMPLES)
    view: studio.View = {
        "scene": name,
        "frame": found["frames"][0],
        "size": found["size"],
        "tile": (0, 0, 1, 1),
        "samples": samples,
        "seed": 1,
        "cores": 1,
        "device": "cpu",
        "layers": False,
        "denoise": False,
    }
    _shoot_s(scene, view, (0, 0, 1, 1), output)
    found["loading_ms"] = int((time.monotonic() - began) * 1000)
    set_up = _shoot_s(scene, view, (0, 0, 1, 1), output)
    (width, height), per = found["size"], []
    across, down = min(PROBE_SIDE, width), min(PROBE_SIDE, height)
    for place in range(PROBES):
        x, y = ((width - across) * (2 * (place % 3) + 1) // 6, (height - down) * (2 * (place // 3) + 1) // 6)
        took = max(0.0, _shoot_s(scene, view, (x, y, across, down), output) - set_up)
        per.append(took * 1e9 / (across * down * samples))
    per.sort()
    low, high = (sum(half) / len(half) for half in (per[: PROBES // 2 + 1], per[PROBES // 2 :]))
    found["ns"] = (max(LEAST_NS, int(low)), max(LEAST_NS, int(high)))
    found["steady"] = _is_steady(scene, view, (x, y, across, down), output)


def _is_steady(scene: bpy.types.Scene, view: studio.View, area: tuple[int, int, int, int], output: str) -> bool:
    first = studio.shoot(scene, view, area, output).pixels
    threaded = view.copy()
    threaded["cores"] = 2
    again = studio.shoot(scene, threaded, area, output).pixels
    return float((measure.change(again, first).max(axis=2) > measure.SLIGHT).mean()) <= STEADY


def _shoot_s(scene: bpy.types.Scene, view: studio.View, area: tuple[int, int, int, int], output: str) -> float:
    began = time.monotonic()
    studio.shoot(scene, view, area, output)
    return time.monotonic() - began
