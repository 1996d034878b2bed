"""How noisy a film of four pieces is beside one run of LuxCore's own with as many samples.

`noise_ratio`: of four tiles, as pictures are cut unless told otherwise; `slices_ratio`: of four slices of the samples,
each of another seed. The merged film's noise is taken over that of LuxCore's default path tracer (PATHCPU, Sobol) at
home: root mean squares over pixels of how far runs of different seeds differ; the home run's is scaled to the very
samples, as it ends a little late. What each scene gave goes to standard error; the figures are the larger ones.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyluxcore

from apps.luxrender import template
from benchmarks.figures import arguments, show
from golem.template import Area, tiles

sys.path.insert(0, template.programs)  # as the sandbox does

import film  # from there
import merge
import studio

SCENES = {"pyramid": (96, 54), "room": (72, 72)}
PIECES = 4


def merged(
    opened: studio.Opened, size: tuple[int, int], root: int, areas: Sequence[Area], seeds: Sequence[int]
) -> film.Pixels:
    """What the program `merge` makes of the areas' pieces, each rendered under each of the seeds."""
    with tempfile.TemporaryDirectory() as folder:
        pieces = [(seed, area) for seed in seeds for area in areas]
        for number, (seed, area) in enumerate(pieces):
            view: studio.View = {"config": "", "size": size, "tile": area, "root": root, "seed": seed, "cores": 1}
            Path(folder, f"t{number}").mkdir()
            film.write(Path(folder, f"t{number}", "film.exr"), studio.shoot(opened, view, (0, 0, *area[2:])))
        params: merge.Sum = {
            "size": size,
            "tiles": list(areas),
            "parts": [],
            "count": len(pieces),
            "has_film": False,
            "is_preview": False,
        }
        merge.run(params, folder, folder)
        return film.read(Path(folder, "film.exr"), *size)


def seeds(first: int, count: int) -> list[int]:
    """So many that no other `first` gives."""
    return [(first * PIECES + number) * 104_729 + 1 for number in range(count)]


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
    """Print the figures."""
    options = arguments(__doc__ or "", root=8, rounds=6)
    samples, rounds = options.root**2, range(options.rounds)
    of_tiles, of_slices = [], []
    for name, size in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "scene").symlink_to(Path(template.programs).parent / "scenes" / name)
            opened = studio.open_scene(folder, "render.cfg")
            whole, parts = tiles(*size, 1, 1), tiles(*size, 2, 2)
            tiled = noise([merged(opened, size, options.root, parts, seeds(n, 1)) for n in rounds])
            sliced = noise([merged(opened, size, options.root // 2, whole, seeds(n, PIECES)) for n in rounds])
            homes = [at_home(opened, size, samples, 11 + n) for n in rounds]
            took = float(np.mean([one[:, :, 3].mean() for one in homes]))
            theirs = noise(homes) * (took / samples) ** 0.5
            of_tiles.append(tiled / theirs)
            of_slices.append(sliced / theirs)
            told = f"tiles {tiled:.6f}, slices {sliced:.6f} beside {theirs:.6f}"
            print(f"{name}: {samples} samples: {told}: {of_tiles[-1]:.4f}, {of_slices[-1]:.4f}", file=sys.stderr)
    show(noise_ratio=round(max(of_tiles), 4), slices_ratio=round(max(of_slices), 4))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # an interpreter that ends by itself crashes in LuxCore's destructors
