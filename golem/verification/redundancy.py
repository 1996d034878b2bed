"""Several providers do the same chunk, and what they answer is compared: where they agree and are believed, no more.

How far they are believed follows from the trust in each. All may be one and the same liar, so what they would agree on
by chance is not counted for them (`docs/verification.md`):

    P(wrong | all agree) = X / (X + product of trust),   X = product of (1 - trust)

Two strangers never make a right answer. Where that is not enough, one more is asked; where that does not help, or
where they contradict each other, the requestor does the chunk itself, and that is the measure for all.
A delivery is signed, names its result, and is seen by its requestor alone: it commits its provider before any other's
is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from zope.interface import implementer

from golem.interfaces import Answer, IComparing, IVerifier, Ruling
from golem.model.drawing import happens
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict
from golem.verification.cheap import accepted, malformed, unsure, wrong
from golem.verification.comparing import Comparator, exact, read


@implementer(IVerifier, IComparing)
class Redundancy:
    """`copies`: to begin with, and `most` in all. `doubt`: how likely wrong an accepted answer may be.

    `spot`: the share of agreements that the requestor looks at nevertheless, against liars that earned trust together.
    Results are reports; a template with files puts their digests there, or says by another verifier what they are.
    """

    def __init__(
        self, same: Comparator = exact, copies: int = 2, most: int = 3, *, doubt: float = 1e-3, spot: float = 0.05
    ) -> None:
        if not 2 <= copies <= most:
            raise ValueError(f"copies is {copies} and most is {most}: at least 2, and no more than most")
        self._same = same
        self.copies = copies
        self.most = most
        self._doubt = doubt
        self._spot = spot

    def compare(self, chunk: Chunk, answers: Sequence[Answer], salt: bytes) -> Ruling:
        """See `IComparing`. An answer that can't be compared is for the referee."""
        if len(cluster(answers, self._same)) < len(answers):
            return Ruling.REFEREE
        if p_wrong(answers) <= self._doubt:
            return Ruling.REFEREE if happens(self._spot, salt, str(chunk.index)) else Ruling.AGREED
        return Ruling.MORE if len(answers) < self.most else Ruling.REFEREE

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """The referee: the work itself."""
        return (work,)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG where the referee found something else."""
        if not reports:
            return unsure("referee: there is none")
        try:
            read(delivery.report)
        except ValueError as why:
            return malformed(f"report: {why}")
        try:
            difference = self._same(delivery.report, reports[0])
        except ValueError as why:
            return unsure(f"referee: {why}")
        return wrong(f"referee: {chunk.label}: {difference}") if difference else accepted(f"referee: {chunk.label}")


def p_wrong(answers: Sequence[Answer]) -> float:
    """How likely an answer is wrong in which all of these agree."""
    bad, good = prod(1 - answer.trust for answer in answers), prod(answer.trust for answer in answers)
    return bad / (bad + good) if bad + good else 1.0


def cluster(answers: Sequence[Answer], same: Comparator) -> list[int]:
    """Who agrees with the medoid: the answer that the most trust agrees with, among equals the first."""

    def agreeing(medoid: Answer) -> list[int]:
        return [index for index, answer in enumerate(answers) if _agree(medoid, answer, same)]

    def weight(members: Sequence[int]) -> float:
        return sum(answers[index].trust for index in members)

    return max((agreeing(answer) for answer in answers), key=weight)


def _agree(one: Answer, other: Answer, same: Comparator) -> bool:
    if one.delivery.result != other.delivery.result:
        return False
    try:
        return not same(one.delivery.report, other.delivery.report)
    except ValueError:
        return False
