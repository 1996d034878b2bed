"""Not every result is checked, where its provider has earned it."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from golem.interfaces import ISampled, IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict


@implementer(IVerifier, ISampled)
class Sampled:
    """Checks as `inner` does, but maybe not all. `least`: the least share of results to check, from 0 to 1."""

    def __init__(self, inner: IVerifier, least: float = 0.0) -> None:
        if not 0 <= least <= 1:
            raise ValueError(f"least is {least}: it is a share, from 0 to 1")
        self._inner = inner
        self.least = least

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """Of a result that was drawn."""
        return self._inner.plan(chunk, work, delivery, salt)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """Of a result that was drawn."""
        return self._inner.judge(chunk, work, delivery, reports)
