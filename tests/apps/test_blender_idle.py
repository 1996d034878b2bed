"""A worker with a scene in memory leaves the processors to others while it waits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from apps.blender import template

pytestmark = pytest.mark.blender
SCENE = Path(template.programs).parent / "scenes" / "marbles.blend"


@pytest.mark.parametrize("cores", [1, 2])
def test_a_worker_that_waits_takes_no_processor(worker: Any, tmp_path: Path, cores: int) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "scene").symlink_to(SCENE)
    view = {"scene": "", "frame": 1, "size": (40, 24), "tile": (0, 0, 40, 24), "samples": 2, "seed": 1}
    how = {"cores": cores, "device": "cpu", "layers": False, "denoise": False}
    worker.run("render", {**view, **how}, tmp_path / "in", tmp_path)
    limit_s = time.monotonic() + 5
    while worker.busy() and time.monotonic() < limit_s:
        pass
    assert not worker.busy()
