"""What the Blender programs make of several providers' copies of one tile, at postage-stamp size."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

np = pytest.importorskip("numpy")

from apps.blender import template  # noqa: E402  # numpy comes with the extra `blender`
from apps.blender.job import picture  # noqa: E402
from golem.interfaces import Answer  # noqa: E402
from golem.model.ids import Cid  # noqa: E402
from golem.model.messages import Delivery  # noqa: E402
from golem.model.spec import Verdict  # noqa: E402
from tests.apps.blender_stage import PROVIDER, SCENES, SUBTASK, Stage, pixels  # noqa: E402

pytestmark = [pytest.mark.blender, pytest.mark.timeout(60)]


def compared(stage: Stage, *delivered: Path, trust: float = 0.99) -> list[Verdict]:
    """What becomes of several providers' tiles, each so far trusted."""
    chunk = stage.chunks[0]
    work = template.job(stage.spec, chunk, SUBTASK, PROVIDER)
    verifier = template.verifier(stage.spec)
    inputs = Path(tempfile.mkdtemp(dir=stage.folder))
    stage.place(stage.folder / "in" / "scene", inputs / "scene")
    answers = []
    for number, output in enumerate(delivered):
        stage.place(output, inputs / f"result{number}")
        cid = Cid("b" + "abc"[number] * 58)
        delivery = Delivery(subtask_id=SUBTASK, result=cid, size_bytes=1, report=b"{}", used_ms=1)
        answers.append(Answer(provider=PROVIDER, trust=trust, delivery=delivery))
    (job,) = verifier.referee(chunk, work, answers, b"salt")
    report = stage.worker.run(job.program, msgspec.json.decode(job.params), inputs, stage.folder / "scratch")
    return [verifier.judge(chunk, work, one.delivery, (msgspec.json.encode(report),)) for one in answers]


def judgements(verdicts: list[Verdict]) -> list[str]:
    return [verdict.judgement.value for verdict in verdicts]


@pytest.mark.parametrize("name", ["lake.blend", "marbles.blend"])
def test_copies_that_are_alike_agree_and_of_others_each_is_held_against_the_scene(
    worker: Any, tmp_path: Path, name: str
) -> None:
    stage = Stage(worker, tmp_path, SCENES / name, check="copies")
    right, again = stage.render(name="one"), stage.render(name="two")
    tile = pixels(again)
    picture.write(again / "tile.exr", tile * np.float32(1.000001))
    alike = compared(stage, right, again)
    assert judgements(alike) == ["accept", "accept"] and not any(verdict.checked for verdict in alike)
    assert judgements(compared(stage, right, again, trust=0.5)) == ["accept", "accept"], "strangers are looked at"
    few = stage.render(name="few", samples=12)
    assert judgements(compared(stage, few, right)) == ["wrong", "accept"]
    assert judgements(compared(stage, few, few, trust=0.5)) == ["wrong", "wrong"]


def test_of_copies_that_differ_in_a_small_part_that_part_tells_who_is_right(worker: Any, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend", check="copies")
    right, other = stage.render(name="right"), stage.render(name="other")
    tile = pixels(other)
    tile[8:24, 60:76] = (0.5, 0.5, 0.5, 1.0)
    picture.write(other / "tile.exr", tile)
    verdicts = compared(stage, right, other)
    assert judgements(verdicts) == ["accept", "wrong"]
    assert "crop: frame 1, 256 pixels at 60,8: 100%" in verdicts[1].reason
    assert (tmp_path / "scratch" / "result1-at-60-8.png").exists()
    (other / "tile.exr").write_bytes(b"GIF89a")
    assert judgements(compared(stage, right, other)) == ["accept", "malformed"]


def test_who_repeats_a_verdict_on_a_copy_finds_the_same_part(worker: Any, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend", check="copies")
    other = stage.render()
    tile = pixels(other)
    tile[8:24, 60:76] = (0.5, 0.5, 0.5, 1.0)
    picture.write(other / "tile.exr", tile)
    stage.place(other, tmp_path / "check-out0" / "result0")
    stage.place(tmp_path / "in" / "scene", tmp_path / "check-out0" / "scene")
    assert "256 pixels at 60,8" in stage.verdict(other).reason
