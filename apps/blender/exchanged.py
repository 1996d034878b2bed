"""Whether a delivered tile is one more render of the scene, where even the same seed gives other noise elsewhere.

The program `exchange` compares it with two renders of our own, and sums what speaks against its being like them: an
honest provider's evidence passes a limit with a chance below the limit's inverse. One result may tell little: so what
speaks against a provider is summed besides, over all of its results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec
from zope.interface import implementer

from apps.blender.verify import Work
from golem.interfaces import IBeside, IDistinct, IScaled, ISumming, IVerifier
from golem.model.drawing import some
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Input, Job, Judgement, Verdict
from golem.model.value import evolve
from golem.template import crops
from golem.verification.cheap import accepted, unsure, wrong
from golem.verification.measured import Measured, examined, measured
from golem.verification.swaps import Swap, evidence, likeliest, summed

AREA = 0.01  # of the tile's pixels, rendered twice
SIDES = (16, 64)  # of a place, in pixels
FEWEST, MOST = 2, 8  # places
TESTS = 5  # of one report
BIASES = 8  # of each test
CHANCE = 5e-4  # of an honest provider to be refused, by all tests of one result
SUM_CHANCE = 1e-4  # of an honest result to be the one that brings a sum above its limit
SUM_LIMIT = math.log(TESTS * BIASES / SUM_CHANCE)
COPY = "copy "  # with what the tests that compare with other results begin
NEAR = 2  # frames, and results of the provider's own, to compare with
OTHERS = 2 * NEAR
REACH = 64  # frames, within which the nearest are looked for
COPY_LIMIT = math.log(OTHERS / 1e-4)  # one honest result in 10,000 is done again
WRONG_PLACE = math.log(1e6)  # evidence of one test at one place; there are several of both in each of many results


class Place(msgspec.Struct, frozen=True):
    """The place that is farthest off, by one test."""

    x: int = 0
    y: int = 0
    pixels: int = 0
    test: str = ""
    nats: dict[str, float] = {}


class Report(Measured, frozen=True):
    """What the program `exchange` reports."""

    places: int = 0
    tests: dict[str, Swap] = {}
    worst: Place = Place()

    @property
    def own(self) -> Mapping[str, Swap]:
        """The tests that compare with our own renders alone."""
        return {name: test for name, test in self.tests.items() if not name.startswith(COPY)}

    @property
    def likeness(self) -> float:
        """The most evidence that it is nearer to another result than chance has it, in nats."""
        found = (test.nats for name, test in self.tests.items() if name.startswith(COPY))
        nearer = ({bias: nats for bias, nats in each.items() if bias.startswith("-")} for each in found)
        return max(map(evidence, nearer), default=0.0)


_work = msgspec.json.Decoder(Work)
_report = msgspec.json.Decoder(Report)


@implementer(IVerifier, ISumming, IDistinct, IScaled, IBeside)
class Exchanged:
    """Renders crops twice, under secret seeds. `tiles`: of each frame.

    `care`: the part of the crops that is rendered. `others`: accepted results of the same tile, to compare with.
    """

    def __init__(self, tiles: int = 1, care: float = 1.0, others: Sequence[Delivery] = ()) -> None:
        self._tiles = tiles
        self._care = care
        self._others = others

    def scaled(self, care: float) -> Exchanged:
        """Fewer crops of the same size; what they do not tell, the sum over results will."""
        return Exchanged(self._tiles, care, self._others)

    def beside(
        self, chunk: Chunk, own: Mapping[int, Delivery], accepted: Mapping[int, Delivery], salt: bytes
    ) -> Exchanged:
        """Compares with the nearest frames, and with some of the provider's own."""
        frames = (chunk.index + step * self._tiles for step in sorted(range(-REACH, REACH + 1), key=abs))
        near = [accepted[index] for index in frames if index in accepted][:NEAR]
        mine = [own[index] for index in sorted(own) if (index - chunk.index) % self._tiles == 0]
        drawn = [mine[place] for place in some(len(mine), NEAR, salt)]
        others = {one.result: one for one in (*near, *drawn)}
        return Exchanged(self._tiles, self._care, [*others.values()])

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job for all places, which may not depend on the delivered noise."""
        if not delivery.result:
            return ()
        tile = _work.decode(work.params).tile
        count, side = self.places(tile.width * tile.height)
        seeds = [int.from_bytes(sha256(salt + word).digest()[:4], "big") % 2**31 for word in (b"one", b"other")]
        places = crops(tile.width, tile.height, count, side, salt)
        look = {"places": places, "seeds": seeds, "others": len(self._others)}
        job = examined(work, delivery, "exchange", look)
        others = [
            Input(name=f"other{number}", cid=one.result, size_bytes=one.size_bytes)
            for number, one in enumerate(self._others)
        ]
        return (evolve(job, inputs=(*job.inputs, *others)),)

    def places(self, pixels: int) -> tuple[int, int]:
        """How many to look at in a tile, and their side."""
        count = max(FEWEST, min(MOST, int(pixels * AREA) // SIDES[0] ** 2))
        side = max(SIDES[0], min(SIDES[1], math.isqrt(int(pixels * AREA / count)) // 4 * 4))
        return max(FEWEST, math.ceil(count * self._care)), side

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG by any of the tests over all places, or by one place that is something else."""
        report = measured(delivery, reports, _report)
        return report if isinstance(report, Verdict) else _measure(report, _work.decode(work.params))

    def are_distinct(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> bool:
        """Where two of our own renders differ: there is noise, and nobody's is another's."""
        return any(test.units for test in _report.decode(reports[0]).own.values())

    def weigh(
        self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes], before: Mapping[str, float]
    ) -> tuple[Verdict, Mapping[str, float]]:
        """See `ISumming`. WRONG also by what has gathered; what is no picture adds nothing to it."""
        verdict = self.judge(chunk, work, delivery, reports)
        if verdict.judgement is not Judgement.ACCEPT:
            return verdict, before
        sums = summed(before, _report.decode(reports[0]).own)
        most = max(sums, key=lambda name: sums[name], default="")
        if sums.get(most, 0.0) <= SUM_LIMIT:
            return verdict, sums
        said = f"frame {_work.decode(work.params).frame} and results before it: evidence {sums[most]:.1f}"
        return wrong(f"exchange, summed, {most}: {said}, at most {SUM_LIMIT:.1f} allowed"), sums


def _measure(report: Report, work: Work) -> Verdict:
    worst, limit = report.worst, math.log(TESTS / CHANCE)
    if evidence(worst.nats) > WRONG_PLACE:
        where = f"frame {work.frame}, {worst.pixels} pixels at {work.tile.x + worst.x},{work.tile.y + worst.y}"
        said = f"{where}: {worst.test}, evidence {evidence(worst.nats):.1f}, at most {WRONG_PLACE:.1f} allowed"
        return wrong(f"exchange, place: {said}")
    name = max(report.own, key=lambda name: evidence(report.tests[name].nats), default="")
    test = report.tests.get(name, Swap())
    found = f"exchange, {name} {likeliest(test.nats)}: frame {work.frame}: {test.units} swapped"
    found = f"{found}, evidence {evidence(test.nats):.1f}, at most {limit:.1f} allowed"
    if evidence(test.nats) > limit:
        return wrong(found)
    if report.likeness > COPY_LIMIT:
        said = f"frame {work.frame}: noise like that of another result, evidence {report.likeness:.1f}"
        return unsure(f"copy: {said}, at most {COPY_LIMIT:.1f} allowed; it is not paid, and who copied nobody can tell")
    return accepted(found)
