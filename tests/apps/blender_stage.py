"""A Blender task on one scene, at postage-stamp size, and everything that requestor and providers do for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from apps.blender import template
from apps.blender.job import picture
from golem.interfaces import IBeside
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import TaskSpec, Verdict

SCENES = Path(__file__).parents[2] / "apps" / "blender" / "scenes"
SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
WIDTH, HEIGHT = 83, 41  # at five columns and rows, floats just miss some borders between pixels


class Stage:
    """A task on one scene, and everything that a requestor and its providers do for it, in folders."""

    def __init__(self, worker: Any, folder: Path, source: Path, /, **params: str) -> None:
        given = {"resolution": f"{WIDTH}x{HEIGHT}", "samples": "16", **params}
        self.spec = TaskSpec(
            template="blender", params=template.parse(given), budget=Wei(0), max_price=Wei(0), output=""
        )
        self.chunks = template.split(self.spec)
        self.worker, self.folder = worker, folder
        self.place(source, folder / "in" / "scene")

    @staticmethod
    def place(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)

    def params(self, index: int = 0) -> dict[str, Any]:
        """What a provider is told."""
        job = template.job(self.spec, self.chunks[index], SUBTASK, PROVIDER)
        return dict(msgspec.json.decode(job.params))

    def render(self, index: int = 0, name: str = "", **changes: object) -> Path:
        """What a provider delivers, who may change what it was told."""
        output = self.folder / (name or f"out{index}")
        self.worker.run("render", {**self.params(index), **changes}, self.folder / "in", output)
        return output

    def verdict(self, delivered: Path, index: int = 0, salt: bytes = b"salt", accepted: Path | None = None) -> Verdict:
        """What the requestor thinks of a delivery. `accepted`: what it took before, of the next frame."""
        verifier, chunk = template.verifier(self.spec), self.chunks[index]
        work = template.job(self.spec, chunk, SUBTASK, PROVIDER)
        delivery = Delivery(subtask_id=SUBTASK, result=Cid("b" + "r" * 58), size_bytes=1, report=b"{}", used_ms=1)
        if accepted:
            verifier = IBeside(verifier).beside(chunk, {}, {index + 1: delivery}, salt)
        (job,) = verifier.plan(chunk, work, delivery, salt)
        inputs = self.folder / f"check-{delivered.name}"
        if not inputs.exists():
            self.place(self.folder / "in" / "scene", inputs / "scene")
            self.place(delivered, inputs / "result")
            self.place(accepted or delivered, inputs / "other0")
        report = self.worker.run(job.program, msgspec.json.decode(job.params), inputs, self.folder / "scratch")
        return verifier.judge(chunk, work, delivery, (msgspec.json.encode(report),))

    def merge(self) -> Path:
        """All chunks rendered, and the one frame made of them."""
        deliveries = {}
        for chunk in self.chunks:
            self.place(self.render(chunk.index), self.folder / "parts" / f"t{chunk.index}")
            deliveries[chunk.index] = Delivery(
                subtask_id=SUBTASK, result=Cid(""), size_bytes=1, report=b"{}", used_ms=1
            )
        self.place(self.folder / "in" / "scene", self.folder / "parts" / "scene")
        (merge,) = template.merges(self.spec)
        params = msgspec.json.decode(template.merge(self.spec, merge, deliveries).params)
        self.worker.run("merge", params, self.folder / "parts", self.folder / "merged")
        return self.folder / "merged"


def pixels(output: Path, width: int = WIDTH, height: int = HEIGHT) -> picture.Pixels:
    return picture.read(output / "tile.exr", width, height)
