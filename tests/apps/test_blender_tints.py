"""A tile whose light leans to one side everywhere was tinted, however strong the noise that hides it."""

from __future__ import annotations

import msgspec
import pytest

np = pytest.importorskip("numpy")

from apps.blender import template  # noqa: E402  # numpy comes with the extra `blender`
from apps.blender.job import measure  # noqa: E402
from apps.blender.verify import SeedLocked  # noqa: E402
from golem.model.ids import Cid, NodeId, SubtaskId  # noqa: E402
from golem.model.messages import Delivery  # noqa: E402
from golem.model.money import Wei  # noqa: E402
from golem.model.spec import Judgement, TaskSpec, Verdict  # noqa: E402
from golem.template import crops  # noqa: E402

SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
DELIVERY = Delivery(subtask_id=SUBTASK, result=Cid("b" + "r" * 58), size_bytes=1, report=b"{}", used_ms=1)
SIDE = 128


def night(seed: int) -> np.ndarray:
    """Dark, with noise far above what a tint changes."""
    light = np.random.default_rng(seed).exponential(0.03, (SIDE, SIDE, 4)).astype(np.float32)
    light[:, :, 3] = 1.0
    return light


def verdict(tile: np.ndarray, salt: bytes = b"") -> Verdict:
    ours, other = night(1), night(2)
    seen = measure.Examination(
        tile, ("R", "G", "B", "A"), lambda area: measure.cut(ours, area), lambda area: measure.cut(other, area)
    )
    report = seen.run(crops(SIDE, SIDE, 12, 4, salt), [0.1, 0.5])
    params = template.parse({"resolution": f"{SIDE}x{SIDE}", "tiles": "1"})
    spec = TaskSpec(template="blender", params=params, budget=Wei(0), max_price=Wei(0), output="")
    chunk = template.split(spec)[0]
    work = template.job(spec, chunk, SUBTASK, PROVIDER)
    return SeedLocked(6000).judge(chunk, work, DELIVERY, (msgspec.json.encode(report),))


@pytest.mark.parametrize(
    "colours", [(1.02, 1, 1), (1, 0.99, 1), (1.02, 1.02, 1.02)], ids=["red", "less green", "light"]
)
def test_a_slight_tint_of_a_noisy_scene_is_wrong_and_its_evidence_is_named(colours: tuple[float, ...]) -> None:
    tinted = night(1) * np.array([*colours, 1], np.float32)
    for salt in (b"a", b"b", b"c", b"d"):
        found = verdict(tinted, salt)
        assert found.judgement is Judgement.WRONG
        assert found.reason.startswith("tint: frame 1: ") and "limit 14" in found.reason


def test_paths_that_were_lost_on_another_processor_lean_to_no_side() -> None:
    chance = np.random.default_rng(3)
    lost = chance.random((SIDE, SIDE, 1)) < 0.3
    tile = np.where(lost, night(1) + 0.02 * (night(4) - night(5)), night(1)).clip(0).astype(np.float32)
    for salt in (b"a", b"b", b"c", b"d"):
        found = verdict(tile, salt)
        assert found.judgement is Judgement.ACCEPT, found.reason
        assert "looked closer" in found.reason


def test_what_leans_is_counted_the_same_whichever_way_round() -> None:
    one, other = night(1)[:, :, :3], night(2)[:, :, :3]
    here, there = measure.lean([(one, other)]), measure.lean([(other, one)])
    assert here["blocks"] == there["blocks"] == here["above"] + there["above"]
