"""How noisy a film of four slices is beside one run of LuxCore's own with as many samples.

`noise_ratio`: the merged film's noise over that of LuxCore's default path tracer (PATHCPU, Sobol) at home. Both are
root mean squares over pixels of how far runs of different seeds differ; the home run's is scaled to the very samples,
as it ends a little late. What each scene gave goes to standard error; the figure is the larger.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyluxcore

from apps.luxrender import template
from benchmarks.figures import arguments, show

sys.path.insert(0, template.programs)  # as the sandbox does

import film  # from there
import merge
import studio

SCENES = {"pyramid": (96, 54), "room": (72, 72)}
SLICES = 4


def slices(opened: studio.Opened, size: tuple[int, int], root: int, first: int) -> Iterator[film.Pixels]:
    """Slices of ever other seeds."""
    for number in range(SLICES):
        seed = (first * SLICES + number) * 104_729 + 1
        view: studio.View = {"config": "", "size": size, "tile": (0, 0, *size), "root": root, "seed": seed, "cores": 1}
        yield studio.shoot(opened, view, (0, 0, *size))


def merged(opened: studio.Opened, size: tuple[int, int], root: int, first: int) -> film.Pixels:
    """What the program `merge` makes of them."""
    with tempfile.TemporaryDirectory() as folder:
        for number, pixels in enumerate(slices(opened, size, root, first)):
            Path(folder, f"t{number}").mkdir()
            film.write(Path(folder, f"t{number}", "film.exr"), pixels)
        params: merge.Sum = {
            "size": size,
            "tiles": [(0, 0, *size)],
            "parts": [],
            "count": SLICES,
            "has_film": False,
            "is_preview": False,
        }
        merge.run(params, folder, folder)
        return film.read(Path(folder, "film.exr"), *size)


def at_home(opened: studio.Opened, size: tuple[int, int], samples: int, seed: int) -> film.Pixels:
    """One run as LuxCore does it by itself; it ends a few samples late."""
    view: studio.View = {"config": "", "size": size, "tile": (0, 0, *size), "root": 1, "seed": 0, "cores": 1}
    config = studio.configuration(opened, view, *size)
    for key, value in (
        ("renderengine.type", "PATHCPU"),
        ("renderengine.seed", seed),
        ("sampler.type", "SOBOL"),
        ("batch.haltspp", samples),
    ):
        config.Set(pyluxcore.Property(key, [value]))
    opened.camera.Set(
        pyluxcore.Property("scene.camera.screenwindow", list(studio.moved(opened.window, size, (0, 0, *size))))
    )
    opened.scene.Parse(opened.camera)
    return studio.rendered(pyluxcore.RenderConfig(config, opened.scene), (0, 0, *size))


def noise(pictures: list[film.Pixels]) -> float:
    """Root mean square of what pixels are off by, from how the pictures differ."""
    return float(np.sqrt(np.var([one[:, :, :3].astype(np.float64) for one in pictures], axis=0, ddof=1).mean()))


def main() -> None:
    """Print the figure."""
    options = arguments(__doc__ or "", root=4, rounds=6)
    samples = SLICES * options.root**2
    ratios = []
    for name, size in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "scene").symlink_to(Path(template.programs).parent / "scenes" / name)
            opened = studio.open_scene(folder, "render.cfg")
            ours = noise([merged(opened, size, options.root, n) for n in range(options.rounds)])
            homes = [at_home(opened, size, samples, 11 + n) for n in range(options.rounds)]
            took = float(np.mean([one[:, :, 3].mean() for one in homes]))
            theirs = noise(homes) * (took / samples) ** 0.5
            ratios.append(ours / theirs)
            print(f"{name}: {samples} samples: {ours:.6f} beside {theirs:.6f}: {ratios[-1]:.4f}", file=sys.stderr)
    show(noise_ratio=round(max(ratios), 4))


if __name__ == "__main__":
    main()
