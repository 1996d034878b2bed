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

from collections.abc import Mapping, Sequence
from math import prod

import msgspec
from zope.interface import implementer

from golem.interfaces import Answer, IComparing, IVerifier, Ruling
from golem.model.drawing import happens
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Input, Job, Judgement, Verdict
from golem.model.value import evolve
from golem.template import to_json
from golem.verification.cheap import accepted, malformed, unsure
from golem.verification.comparing import Comparator, exact, judged, read


@implementer(IVerifier, IComparing)
class Redundancy:
    """`copies`: to begin with, and `most` in all. `doubt`: how likely wrong an accepted answer may be.

    `spot`: the share of agreements that the requestor looks at nevertheless, against liars that earned trust together.
    Results are reports; for files see `FileRedundancy`.
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

    def referee(self, chunk: Chunk, work: Job, answers: Sequence[Answer], salt: bytes) -> Sequence[Job]:
        """The work itself."""
        return (work,)

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """The referee."""
        return (work,)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG where the referee found something else, MALFORMED where that is like nothing."""
        if not reports:
            return unsure("referee: there is none")
        try:
            read(delivery.report)
        except ValueError as why:
            return malformed(f"report: {why}")
        what = f"referee: {chunk.label}"
        return judged(self._same, delivery.report, reports[0], what) or accepted(what)


class Compared(msgspec.Struct, frozen=True):
    """What a job reports that compared files: that they `agree`, or what it `measured` of each, by cid."""

    agree: bool
    measured: dict[str, msgspec.Raw] = {}


_compared = msgspec.json.Decoder(Compared)
_params = msgspec.json.Decoder(dict[str, msgspec.Raw])


@implementer(IVerifier, IComparing)
class FileRedundancy(Redundancy):
    """For results that are files, which are compared by a job of ours: the node opens none of them.

    `program` finds them as the inputs `result0` and so on, their cids in that order as the parameter `results`. Where
    they agree and are `believed`, it says so. Else it measures each, most of all where they differ, as `inner` would
    have it: that verifier plans one job on one file, which tells the other parameters, and judges by its report. That
    costs little, so that no third provider is asked.
    `whole`: there is one file, to be compared with all that the work itself makes.
    """

    def __init__(
        self,
        inner: IVerifier,
        program: str,
        copies: int = 2,
        *,
        doubt: float = 1e-3,
        spot: float = 0.05,
    ) -> None:
        super().__init__(copies=copies, most=copies, doubt=doubt, spot=spot)
        self._inner = inner
        self._program = program

    def compare(self, chunk: Chunk, answers: Sequence[Answer], salt: bytes) -> Ruling:
        """See `IComparing`. Equal files agree; what others are like, the job will tell."""
        return Ruling.REFEREE if p_wrong(answers) > self._doubt else super().compare(chunk, answers, salt)

    def referee(self, chunk: Chunk, work: Job, answers: Sequence[Answer], salt: bytes) -> Sequence[Job]:
        """One job for all that there is, unless there is nothing."""
        deliveries = [answer.delivery for answer in answers]
        is_drawn = len({one.result for one in deliveries}) == 1 or happens(self._spot, salt, str(chunk.index))
        is_believed = not is_drawn and p_wrong(answers) <= self._doubt
        return self._look(chunk, work, deliveries, salt, {"believed": is_believed, "whole": False})

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """The same for one file alone, to be compared with the work itself."""
        return self._look(chunk, work, [delivery], salt, {"believed": False, "whole": True})

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """As `inner` judges what was measured of a file; unchecked, where it agrees with the others."""
        if not delivery.result:
            return malformed("file: none was delivered")
        try:
            report = _compared.decode(reports[0])
        except (IndexError, msgspec.MsgspecError) as why:
            return unsure(f"our own comparison gave no report: {why}")
        if report.agree:
            reason = f"agreement: {chunk.label}: the providers' files are alike"
            return Verdict(judgement=Judgement.ACCEPT, reason=reason, checked=False)
        measured = report.measured.get(delivery.result)
        return self._inner.judge(chunk, work, delivery, () if measured is None else (bytes(measured),))

    def _look(
        self, chunk: Chunk, work: Job, deliveries: Sequence[Delivery], salt: bytes, how: Mapping[str, bool]
    ) -> Sequence[Job]:
        files = {delivery.result: delivery for delivery in deliveries if delivery.result}
        if not files:
            return ()
        (one,) = self._inner.plan(chunk, work, next(iter(files.values())), salt)
        look = {**_params.decode(one.params), "results": list(files), **how}
        results = [
            Input(name=f"result{number}", cid=cid, size_bytes=delivery.size_bytes)
            for number, (cid, delivery) in enumerate(files.items())
        ]
        return (evolve(one, program=self._program, params=to_json(look), inputs=(*work.inputs, *results)),)


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
