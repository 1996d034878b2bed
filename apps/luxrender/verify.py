"""Whether a delivered slice is what the scene, the seed and the samples say it must be.

A seed gives the same noise everywhere, but for the last bits of floats, so a few hundred pixels tell whether all
samples were taken. How the limits were measured: README.md beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from zope.interface import implementer

from golem.interfaces import IScaled, IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict
from golem.template import Area, crops
from golem.verification.cheap import accepted, wrong
from golem.verification.measured import Measured, examined, measured

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


class Report(Measured, frozen=True):
    """What the program `check` reports."""

    informative: int = 0
    median: float = 0.0
    crops: tuple[Crop, ...] = ()


_work = msgspec.json.Decoder(Work)
_report = msgspec.json.Decoder(Report)


@implementer(IVerifier, IScaled)
class SeedLocked:
    """Renders crops at places nobody could foresee, under the seed the provider was given.

    `care`: the part of them that is rendered.
    """

    def __init__(self, care: float = 1.0) -> None:
        self._care = care

    def scaled(self, care: float) -> SeedLocked:
        """At fewer places."""
        return SeedLocked(care)

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job for all crops, as loading the scene costs more than any of them."""
        if not delivery.result:
            return ()
        tile = _work.decode(work.params).tile
        count = max(FEWEST, math.ceil(self._care * min(MOST, tile.width * tile.height / PIXELS_PER_CROP)))
        places = crops(tile.width, tile.height, count, CROP_SIDE, salt)
        return (examined(work, delivery, "check", {"crops": places}),)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG by any of two rules: too far on the whole, or one crop that is something else."""
        report = measured(delivery, reports, _report)
        if isinstance(report, Verdict):
            return report
        return _measure(report, _work.decode(work.params).tile, chunk.label)


def _measure(report: Report, tile: Area, label: str) -> Verdict:
    for crop in report.crops:
        if crop.bad > BAD_LIMIT:
            place = f"{label}, {crop.pixels} pixels at {tile.x + crop.x},{tile.y + crop.y}"
            return wrong(f"crop: {place}: {crop.bad:.0%} of them differ, of which {BAD_LIMIT:.0%} may")
    found = f"relative median {report.median:.1e} over {report.informative} pixels of {len(report.crops)} crops"
    if report.informative >= ENOUGH and report.median > MEDIAN_LIMIT:
        return wrong(f"noise: {label}: {found}, at most {MEDIAN_LIMIT:.0e} allowed")
    return accepted(f"noise: {label}: {found}")
