"""Several verifiers as one. How many jobs each plans must not depend on the salt, by which reports are told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zope.interface import implementer

from golem.interfaces import IDistinct, IEscalating, ISampled, IScaled, IVerifier, scaled
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Verdict
from golem.verification.cheap import unsure


@implementer(IVerifier, IScaled)
class _Several:
    """Verifiers in their order; the first whose verdict `ends` it has the last word."""

    def __init__(self, *verifiers: IVerifier) -> None:
        if not verifiers:
            raise ValueError("no verifier was given")
        self._verifiers = verifiers

    def scaled(self, care: float) -> IVerifier:
        """Each that can do with less."""
        return type(self)(*(scaled(verifier, care) for verifier in self._verifiers))

    def ends(self, verdict: Verdict) -> bool:
        """Whether those that follow need not be heard."""
        raise NotImplementedError

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """The jobs of all, up to one that has the last word without any."""
        jobs: list[Job] = []
        for verifier in self._verifiers:
            more = verifier.plan(chunk, work, delivery, salt)
            jobs += more
            if not more and self.ends(verifier.judge(chunk, work, delivery, ())):
                break
        return jobs

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """The verdict of the one with the last word, else of all."""
        verdicts: list[Verdict] = []
        for verdict in self._verdicts(chunk, work, delivery, reports):
            if self.ends(verdict):
                return verdict
            verdicts.append(verdict)
        return self.summed(verdicts)

    def summed(self, verdicts: Sequence[Verdict]) -> Verdict:
        """The verdict where nobody had the last word."""
        raise NotImplementedError

    def _verdicts(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Iterator[Verdict]:
        passed = 0
        for verifier in self._verifiers:
            count = len(verifier.plan(chunk, work, delivery, b""))
            yield verifier.judge(chunk, work, delivery, reports[passed : passed + count])
            passed += count


class All(_Several):
    """ACCEPT only what all accept. WRONG and MALFORMED are heard at once, UNSURE at the end."""

    def ends(self, verdict: Verdict) -> bool:
        """A fault that one sees is a fault."""
        return verdict.judgement in (Judgement.WRONG, Judgement.MALFORMED)

    def summed(self, verdicts: Sequence[Verdict]) -> Verdict:
        """ACCEPT, for all reasons together; or the first that is UNSURE."""
        doubts = [verdict for verdict in verdicts if verdict.judgement is Judgement.UNSURE]
        reasons = "; ".join(verdict.reason for verdict in verdicts)
        return doubts[0] if doubts else Verdict(judgement=Judgement.ACCEPT, reason=reasons[:4096])


class FirstDecisive(_Several):
    """The first verdict that is not UNSURE; all of them are asked for their jobs at once."""

    def ends(self, verdict: Verdict) -> bool:
        """Whoever is sure."""
        return verdict.judgement is not Judgement.UNSURE

    def summed(self, verdicts: Sequence[Verdict]) -> Verdict:
        """Nobody was."""
        return unsure("; ".join(verdict.reason for verdict in verdicts))


@implementer(IVerifier, IEscalating)
class Escalate:
    """The first verifier, and the next where that one is UNSURE, and so on: whose jobs are planned only then."""

    def __init__(self, *steps: IVerifier) -> None:
        if not steps:
            raise ValueError("no verifier was given")
        self.steps = steps

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """Of the first step."""
        return self.steps[0].plan(chunk, work, delivery, salt)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """Of the first step."""
        return self.steps[0].judge(chunk, work, delivery, reports)


@implementer(IVerifier, IDistinct, IScaled)
class Distinct:
    """Checks as `inner` does, of a task of which no two right results are the same: each has chance of its own in it.

    Who hands in one result for several chunks, or another's, is caught without any check. It goes inside of `Sampled`.
    """

    def __init__(self, inner: IVerifier) -> None:
        self._inner = inner
        self.plan, self.judge = inner.plan, inner.judge

    def scaled(self, care: float) -> IVerifier:
        """If `inner` can do with less."""
        return Distinct(scaled(self._inner, care))

    def are_distinct(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> bool:
        """All are."""
        return True


@implementer(IVerifier, ISampled, IEscalating)
class Sampled:
    """Checks as `inner` does, but maybe not all. `least`: the least share of results to check, from 0 to 1.

    `strict`: checks those of providers that have not earned it, and those of which `inner` is UNSURE.
    """

    def __init__(self, inner: IVerifier, least: float = 0.0, strict: IVerifier | None = None) -> None:
        if not 0 <= least <= 1:
            raise ValueError(f"least is {least}: it is a share, from 0 to 1")
        self.steps: Sequence[IVerifier] = IEscalating(inner).steps if IEscalating.providedBy(inner) else (inner,)
        self.strict = len(self.steps) if strict else 0
        self.steps = (*self.steps, strict) if strict else self.steps
        self.least = least

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """Of a result that was drawn."""
        return self.steps[0].plan(chunk, work, delivery, salt)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """Of a result that was drawn."""
        return self.steps[0].judge(chunk, work, delivery, reports)
