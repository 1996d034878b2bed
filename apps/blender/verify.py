"""Whether a delivered tile is what the scene, the seed and the samples say it must be.

The same seed gives the same noise, bit for bit on one kind of processor and nearly so on another, so a few hundred
pixels tell whether all samples were taken. How the limits were measured: docs/verification.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from zope.interface import implementer

from golem.interfaces import IScaled, IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict
from golem.template import Area, crops
from golem.verification.cheap import accepted, wrong
from golem.verification.coins import Coin, evidence
from golem.verification.measured import Measured, examined, measured

AREA = 0.005  # of the tile's pixels are rendered anew
SIDES = (4, 16)  # of a place, in pixels; many tiny places see more than few large ones
FEWEST, MOST = 4, 48  # places
KEEN = 4  # one place in so many is drawn where the tile is uneven, as noise may be; the others lie anywhere
SET_UP_MS = 15  # of each place, however small
SHARE = 0.035  # of the tile's own work, at most, goes into setting up
MEDIAN_LIMIT = 1e-4  # honest at most 8e-6 on another kind of processor, but for hair and thousands of samples
SHARE_LIMIT = 0.04  # of another seed's change; honest at most 0.027 even there, 57 of 64 samples at least 0.08
BAD_LIMIT = 0.35  # of one crop; honest at most 0.09 on another kind of processor
LEAN_LIMIT = 14.0  # nats; honest blocks lean as a fair coin falls, so above it once in 400,000 looks, of three colours
ENOUGH = 32  # informative pixels, below which their median is an accident


class Work(msgspec.Struct, frozen=True):
    """What the check needs to know of the provider's parameters."""

    frame: int
    tile: Area
    samples: int


class Crop(msgspec.Struct, frozen=True):
    """One place of the closer look of the program `check`."""

    x: int
    y: int
    pixels: int
    bad: float


class Report(Measured, frozen=True):
    """What the program `check` reports: see job/measure.py."""

    places: int = 0
    pixels: int = 0
    changed: int = 0
    informative: int = 0
    median: float = 0.0
    share: float = 0.0
    lean: Coin = Coin()
    crops: tuple[Crop, ...] = ()


_work = msgspec.json.Decoder(Work)
_report = msgspec.json.Decoder(Report)


@implementer(IVerifier, IScaled)
class SeedLocked:
    """Renders small places that nobody could foresee, under the seed the provider was given.

    `ns`: what a sample of a pixel takes one core, as far as is known. `ring`: so many pixels round a place are rendered
    along with it, where the scene samples adaptively. `care`: the part of the places that is looked at.
    """

    def __init__(self, ns: float, ring: int = 0, care: float = 1.0) -> None:
        self._ns = ns
        self._ring = ring
        self._care = care

    def scaled(self, care: float) -> SeedLocked:
        """At fewer places of the same size."""
        return SeedLocked(self._ns, self._ring, care)

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job for all places, as loading the scene costs more than any of them."""
        if not delivery.result:
            return ()
        told = _work.decode(work.params)
        tile = told.tile
        count, side = self.places(tile.width * tile.height, told.samples)
        keen = count // KEEN
        look = {
            "places": crops(tile.width, tile.height, count - keen, side, salt),
            "draws": [_chance(salt, number) for number in range(keen)],
        }
        return (examined(work, delivery, "check", look),)

    def places(self, pixels: int, samples: int) -> tuple[int, int]:
        """How many to look at in a tile, and their side: as many as its time allows, as large as its area allows.

        With less care, a part of them.
        """
        work_ms, area, rings = pixels * samples * self._ns / 1e6, pixels * AREA, 2 * self._ring
        count = int(max(FEWEST, min(MOST, work_ms * SHARE / SET_UP_MS, area / (SIDES[0] + rings) ** 2)))
        side = max(SIDES[0], min(SIDES[1], math.isqrt(int(area / count)) - rings))
        return max(FEWEST, math.ceil(count * self._care)), side

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG by any of three rules: too far on the whole, or to one side, or one crop that is something else."""
        report = measured(delivery, reports, _report)
        return report if isinstance(report, Verdict) else _measure(report, _work.decode(work.params))


def _measure(report: Report, work: Work) -> Verdict:
    for crop in report.crops:
        if crop.bad > BAD_LIMIT:
            place = f"frame {work.frame}, {crop.pixels} pixels at {work.tile.x + crop.x},{work.tile.y + crop.y}"
            return wrong(f"crop: {place}: {crop.bad:.0%} of them differ, of which {BAD_LIMIT:.0%} may")
    found = f"relative median {report.median:.1e} over {report.informative} pixels of {len(report.crops)} crops"
    found = f"{found}, {report.share:.1%} of another seed's"
    if report.informative >= ENOUGH and report.median > MEDIAN_LIMIT and report.share > SHARE_LIMIT:
        limits = f"at most {MEDIAN_LIMIT:.0e} or {SHARE_LIMIT:.0%} allowed"
        return wrong(f"noise: frame {work.frame}: {found}, {limits}")
    if evidence(report.lean) > LEAN_LIMIT:
        lean = f"{report.lean.above} of {report.lean.blocks} blocks that changed are brighter in one colour"
        return wrong(f"tint: frame {work.frame}: {lean}, evidence {evidence(report.lean):.1f}, limit {LEAN_LIMIT:g}")
    seen = f"{report.changed} of {report.pixels} pixels at {report.places} places differ"
    return accepted(f"noise: frame {work.frame}: {seen}{'; looked closer: ' + found if report.crops else ''}")


def _chance(salt: bytes, number: int) -> float:
    drawn = sha256(b"uneven" + salt + number.to_bytes(8, "big")).digest()[:6]
    return int.from_bytes(drawn, "big") / 2**48
