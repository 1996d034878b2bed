"""Frames of the shipped lake by two providers, verified, merged and paid, beside `xargs -P2` with the same program.

`ratio_to_xargs`: our wall-clock time over that of xargs, which starts one renderer per frame and checks nothing.
`seam_max`: the largest difference of any value of any pixel between a still merged of tiles and the same in one piece,
under one seed. `tiles_speedup`: one larger still in one piece over the same in tiles on two providers, all told.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from apps.blender import template
from benchmarks.figures import arguments, local_network, show
from golem.api import Session
from golem.cli.local import REQUESTOR, LocalNetwork
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.money import Wei
from golem.model.spec import Input, TaskSpec

sys.path.insert(0, template.programs)  # as the sandbox does

import picture  # from there

SCENE = Path(template.programs).parent / "scenes" / "lake.blend"
RUN = (
    "import sys, json; sys.path.insert(0, sys.argv[1]); import render; "
    "render.run(json.load(open(sys.argv[2])), *sys.argv[3:5])"
)


def params(frames: int, width: int) -> dict[str, str]:
    """Small pictures, many of them."""
    return {"frames": f"1-{frames}", "resolution": f"{width}x{width * 9 // 16}", "samples": "16", "seed": "fixed"}


class Ours:
    """A network that renders. Its first task wakes it."""

    def __init__(self, network: LocalNetwork) -> None:
        self._network = network

    def seconds(self, wanted: dict[str, str], name: str = "out") -> float:
        """How long a task takes, from its submission to its last picture."""
        session = Session(self._network[REQUESTOR].client)
        began = time.monotonic()
        task = session.submit(
            "blender",
            wanted,
            budget="1",
            max_price="0.1",
            resources={"scene": SCENE},
            output=self.folder(name),
        ).wait()
        assert task.phase == "done", task.reason
        return time.monotonic() - began

    def folder(self, name: str) -> Path:
        """Where a task's pictures are."""
        return self._network.folder / name


def still(ours: Ours, width: int) -> tuple[float, float]:
    """Seam and speed-up of one still in tiles."""
    whole = params(1, width) | {"samples": "64"}
    took = {tiles: ours.seconds(whole | {"tiles": tiles}, f"tiles-{tiles}") for tiles in ("1", "2x2")}
    one, other = (read(ours.folder(f"tiles-{tiles}"), width) for tiles in took)
    return float(np.abs(one - other).max()), took["1"] / took["2x2"]


def read(folder: Path, width: int) -> picture.Pixels:
    """The only picture of a folder."""
    (file,) = folder.rglob("*.exr")
    return picture.read(file, width, width * 9 // 16)


def xargs(frames: int, width: int) -> float:
    """Seconds."""
    spec = TaskSpec(
        template="blender",
        params=template.parse(params(frames, width)),
        budget=Wei(0),
        max_price=Wei(0),
        output="",
        inputs=(Input(name="scene", cid=Cid(""), size_bytes=0),),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "in" / "scene").symlink_to(SCENE)
        lines = []
        for chunk in template.split(spec):
            job = template.job(spec, chunk, SubtaskId("0" * 32), NodeId("02" + "0" * 64))
            (folder / f"{chunk.index}.json").write_text(json.dumps(json.loads(job.params)))
            (folder / f"out{chunk.index}").mkdir()
            lines.append(f"{template.programs} {folder}/{chunk.index}.json {folder}/in {folder}/out{chunk.index}")
        began = time.monotonic()
        command = ["xargs", "-P2", "-n4", sys.executable, "-c", RUN]
        subprocess.run(command, input="\n".join(lines).encode(), check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - began


if __name__ == "__main__":
    wanted = arguments(__doc__ or "", frames=20, width=320, still=640)
    with local_network(2, "blender") as started:
        started.start()
        us = Ours(started)
        our_s = us.seconds(params(wanted.frames, wanted.width))
        seam, speedup = still(us, wanted.still)
    their_s = xargs(wanted.frames, wanted.width)
    show(
        ratio_to_xargs=round(our_s / their_s, 3),
        seam_max=seam,
        tiles_speedup=round(speedup, 2),
        ours_s=round(our_s, 1),
        xargs_s=round(their_s, 1),
    )
