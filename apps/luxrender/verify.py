"""Whether a delivered slice is what the scene, the seed and the samples say it must be.

A seed gives the same noise everywhere, but for the last bits of floats, so a few hundred pixels tell whether all
samples were taken. How the limits were measured: README.md beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from zope.interface import implementer

from golem.interfaces import IVerifier
from golem.model.ids import SubtaskId, check_id
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Input, Job, Judgement, Verdict
from golem.model.value import evolve
from golem.template import Area, crops, to_json

CROP_SIDE = 16  # pixels
FEWEST, MOST = 4, 12  # crops, by the tile's size
PIXELS_PER_CROP = 16_384  # of the tile
MEDIAN_LIMIT = 1e-4  # honest: at most 5e-7; 49 samples of 64, or a picture 2 % brighter: at least 1e-2
BAD_LIMIT = 0.5  # of one crop; honest: at most 0.03, where floats' last bits send a path elsewhere
ENOUGH = 32  # informative pixels, below which their median is an accident


class Work(msgspec.Struct, frozen=True):
    """What the check needs to know of the provider's parameters."""

    tile: Area


class Crop(msgspec.Struct, frozen=True):
    """A finding of the program `check`."""

    x: int
    y: int
    pixels: int
    bad: float


class Report(msgspec.Struct, frozen=True):
    """What the program `check` reports."""

    ok: bool
    why: str = ""
    informative: int = 0
    median: float = 0.0
    crops: tuple[Crop, ...] = ()


_work = msgspec.json.Decoder(Work)
_params = msgspec.json.Decoder(dict[str, msgspec.Raw])
_report = msgspec.json.Decoder(Report)


@implementer(IVerifier)
class SeedLocked:
    """Renders crops at places nobody could foresee, under the seed the provider was given."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job for all crops, as loading the scene costs more than any of them."""
        if not delivery.result:
            return ()
        tile = _work.decode(work.params).tile
        count = min(MOST, max(FEWEST, math.ceil(tile.width * tile.height / PIXELS_PER_CROP)))
        places = crops(tile.width, tile.height, count, CROP_SIDE, salt)
        result = Input(name="result", cid=delivery.result, size_bytes=delivery.size_bytes)
        check = evolve(
            work,
            job_id=check_id(SubtaskId(work.job_id), 0),
            program="check",
            params=to_json({**_params.decode(work.params), "crops": places}),
            inputs=(*work.inputs, result),
        )
        return (check,)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG by any of two rules: too far on the whole, or one crop that is something else."""
        if not delivery.result:
            return Verdict(judgement=Judgement.MALFORMED, reason="file: no film was delivered")
        try:
            report = _report.decode(reports[0])
        except (IndexError, msgspec.MsgspecError) as why:
            return Verdict(judgement=Judgement.UNSURE, reason=f"our own check gave no report: {why}"[:4096])
        if not report.ok:
            return Verdict(judgement=Judgement.MALFORMED, reason=f"film: {report.why}"[:4096])
        return _measure(report, _work.decode(work.params).tile, chunk.label)


def _measure(report: Report, tile: Area, label: str) -> Verdict:
    for crop in report.crops:
        if crop.bad > BAD_LIMIT:
            place = f"{label}, {crop.pixels} pixels at {tile.x + crop.x},{tile.y + crop.y}"
            return _wrong(f"crop: {place}: {crop.bad:.0%} of them differ, of which {BAD_LIMIT:.0%} may")
    found = f"relative median {report.median:.1e} over {report.informative} pixels of {len(report.crops)} crops"
    if report.informative >= ENOUGH and report.median > MEDIAN_LIMIT:
        return _wrong(f"noise: {label}: {found}, at most {MEDIAN_LIMIT:.0e} allowed")
    return Verdict(judgement=Judgement.ACCEPT, reason=f"noise: {label}: {found}")


def _wrong(reason: str) -> Verdict:
    return Verdict(judgement=Judgement.WRONG, reason=reason)
