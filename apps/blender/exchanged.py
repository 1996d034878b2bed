"""Whether a delivered tile is one more render of the scene, where even the same seed gives other noise elsewhere.

What the program `exchange` counts is a coin's: heads as often as tails, if the tile was rendered as it was told. The
evidence against that is a likelihood ratio, averaged over all coins; it passes a limit at any time for an honest
provider with a chance below the limit's inverse (Ville), so counts may be summed for as long as one likes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from zope.interface import implementer

from apps.blender.verify import Work
from golem.interfaces import IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict
from golem.template import crops
from golem.verification.cheap import accepted, wrong
from golem.verification.coins import Coin, evidence
from golem.verification.measured import Measured, examined, measured

AREA = 0.01  # of the tile's pixels, rendered twice
SIDES = (16, 64)  # of a place, in pixels
FEWEST, MOST = 2, 8  # places
TESTS = 5  # of one report
CHANCE = 5e-4  # of an honest provider to be refused, by all tests of one result
WRONG_PLACE = math.log(1e6)  # evidence of one place alone; there are several in each of many results


class Place(Coin, frozen=True):
    """The place that is farthest off."""

    x: int = 0
    y: int = 0
    pixels: int = 0


class Report(Measured, frozen=True):
    """What the program `exchange` reports."""

    places: int = 0
    tests: dict[str, Coin] = {}
    worst: Place = Place()


_work = msgspec.json.Decoder(Work)
_report = msgspec.json.Decoder(Report)


@implementer(IVerifier)
class Exchanged:
    """Renders crops twice, under secret seeds."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job for all places, which may not depend on the delivered noise."""
        if not delivery.result:
            return ()
        tile = _work.decode(work.params).tile
        count, side = self.places(tile.width * tile.height)
        seeds = [int.from_bytes(sha256(salt + word).digest()[:4], "big") % 2**31 for word in (b"one", b"other")]
        look = {"places": crops(tile.width, tile.height, count, side, salt), "seeds": seeds}
        return (examined(work, delivery, "exchange", look),)

    def places(self, pixels: int) -> tuple[int, int]:
        """How many to look at in a tile, and their side."""
        count = max(FEWEST, min(MOST, int(pixels * AREA) // SIDES[0] ** 2))
        return count, max(SIDES[0], min(SIDES[1], math.isqrt(int(pixels * AREA / count)) // 4 * 4))

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG by any of the tests over all places, or by one place that is something else."""
        report = measured(delivery, reports, _report)
        return report if isinstance(report, Verdict) else _measure(report, _work.decode(work.params))


def _measure(report: Report, work: Work) -> Verdict:
    worst, limit = report.worst, math.log(TESTS / CHANCE)
    if worst.above > worst.blocks / 2 and evidence(worst) > WRONG_PLACE:
        where = f"frame {work.frame}, {worst.pixels} pixels at {work.tile.x + worst.x},{work.tile.y + worst.y}"
        said = f"{where}: evidence {evidence(worst):.1f}, at most {WRONG_PLACE:.1f} allowed"
        return wrong(f"exchange, place: {said}")
    name = max(report.tests, key=lambda name: evidence(report.tests[name]), default="")
    count = report.tests.get(name, Coin())
    found = f"exchange, {name}: frame {work.frame}: {count.above} of {count.blocks} blocks stand out"
    found = f"{found}, evidence {evidence(count):.1f}, at most {limit:.1f} allowed"
    return wrong(found) if evidence(count) > limit else accepted(found)
