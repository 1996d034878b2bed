"""Whether a delivered tile is one more render of the scene, where even the same seed gives other noise elsewhere.

What the program `exchange` counts is a coin's: heads as often as tails, if the tile was rendered as it was told. The
evidence against that is a likelihood ratio, averaged over all coins; it passes a limit at any time for an honest
provider with a chance below the limit's inverse (Ville). One result may tell little: so it is summed besides, over all
results of a provider, how far each coin leans.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec
from zope.interface import implementer

from apps.blender.verify import Work
from golem.interfaces import IDistinct, ISumming, IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Verdict
from golem.template import crops
from golem.verification.cheap import accepted, wrong
from golem.verification.coins import BIASES, Coin, evidence, summed
from golem.verification.measured import Measured, examined, measured

AREA = 0.01  # of the tile's pixels, rendered twice
SIDES = (16, 64)  # of a place, in pixels
FEWEST, MOST = 2, 8  # places
TESTS = 5  # of one report
CHANCE = 5e-4  # of an honest provider to be refused, by all tests of one result
SUM_CHANCE = 1e-4  # of an honest result to be the one that brings a sum above its limit
SUM_LIMIT = math.log(TESTS * 2 * len(BIASES) / SUM_CHANCE)
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


@implementer(IVerifier, ISumming, IDistinct)
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

    def are_distinct(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> bool:
        """Where two of our own renders differ: there is noise, and nobody's is another's."""
        return any(coin.blocks for coin in _report.decode(reports[0]).tests.values())

    def weigh(
        self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes], before: Mapping[str, float]
    ) -> tuple[Verdict, Mapping[str, float]]:
        """See `ISumming`. WRONG also by what has gathered; what is no picture adds nothing to it."""
        verdict = self.judge(chunk, work, delivery, reports)
        if verdict.judgement is not Judgement.ACCEPT:
            return verdict, before
        sums = summed(before, _report.decode(reports[0]).tests)
        most = max(sums, key=lambda name: sums[name], default="")
        if sums.get(most, 0.0) <= SUM_LIMIT:
            return verdict, sums
        said = f"frame {_work.decode(work.params).frame} and results before it: evidence {sums[most]:.1f}"
        return wrong(f"exchange, summed, {most}: {said}, at most {SUM_LIMIT:.1f} allowed"), sums


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
