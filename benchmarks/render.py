"""Frames of the shipped lake by two providers, verified, merged and paid, beside `xargs -P2` with the same program.

`ratio_to_xargs`: our wall-clock time over that of xargs, which starts one renderer per frame and checks nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from apps.blender import template
from benchmarks.figures import arguments, local_network, show
from golem.api import Session
from golem.cli.local import REQUESTOR
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.money import Wei
from golem.model.spec import Input, TaskSpec

SCENE = Path(template.programs).parent / "scenes" / "lake.blend"
RUN = (
    "import sys, json; sys.path.insert(0, sys.argv[1]); import render; "
    "render.run(json.load(open(sys.argv[2])), *sys.argv[3:5])"
)


def params(frames: int, width: int) -> dict[str, str]:
    """Small pictures, many of them."""
    return {"frames": f"1-{frames}", "resolution": f"{width}x{width * 9 // 16}", "samples": "16", "seed": "fixed"}


def ours(frames: int, width: int) -> float:
    """Seconds."""
    with local_network(2, "blender") as network:
        network.start()
        session = Session(network[REQUESTOR].client)
        began = time.monotonic()
        session.submit(
            "blender",
            params(frames, width),
            budget="1",
            max_price="0.1",
            resources={"scene": SCENE},
            output=network.folder / "out",
        ).wait()
        return time.monotonic() - began


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
    wanted = arguments(__doc__ or "", frames=20, width=320)
    our_s, their_s = ours(wanted.frames, wanted.width), xargs(wanted.frames, wanted.width)
    show(ratio_to_xargs=round(our_s / their_s, 3), ours_s=round(our_s, 1), xargs_s=round(their_s, 1))
