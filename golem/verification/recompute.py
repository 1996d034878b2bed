"""A part of a result, drawn by chance, is computed again here and compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from zope.interface import implementer

from golem.interfaces import IScaled, IVerifier
from golem.model.drawing import some
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Verdict
from golem.template import Json, to_json
from golem.verification.cheap import accepted, malformed, unsure
from golem.verification.comparing import Comparator, exact, judged, read

Narrow = Callable[[Job, Sequence[int]], Job]
"""Makes of the work on a chunk a check on some of its items, whose report is an object: item to value."""


@implementer(IVerifier, IScaled)
class PartialRecompute:
    """For a chunk that maps a list of items to a list of values, which is the report, each by itself.

    `items`: how many a chunk has. `narrow`: see `Narrow`. `count`: how many are drawn. Who gets a share q of the items
    wrong is caught with probability 1 - (1 - q) ** count, or better.
    """

    def __init__(self, items: Callable[[Chunk], int], narrow: Narrow, count: int = 4, same: Comparator = exact) -> None:
        if count < 1:
            raise ValueError(f"count is {count}: one item at least is computed again")
        self._items = items
        self._narrow = narrow
        self._count = count
        self._same = same

    def scaled(self, care: float) -> PartialRecompute:
        """Fewer items, at least one."""
        return PartialRecompute(self._items, self._narrow, math.ceil(self._count * care), self._same)

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """One job, unless the delivery is not of the right form."""
        if isinstance(self._values(chunk, delivery), Verdict):
            return ()
        return (self._narrow(work, some(self._items(chunk), self._count, salt)),)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """WRONG where one of the items drawn has another value here."""
        values = self._values(chunk, delivery)
        if isinstance(values, Verdict):
            return values
        try:
            ours = read(reports[0])
        except (IndexError, ValueError) as why:
            return unsure(f"recompute: our own check gave nothing to compare: {why}")
        if not isinstance(ours, dict) or not ours:
            return unsure("recompute: our own check gave no items")
        for index, value in ours.items():
            theirs, what = to_json(values[int(index)]), f"recompute: {chunk.label}, item {index}"
            if verdict := judged(self._same, theirs, to_json(value), what):
                return verdict
        return accepted(f"recompute: {chunk.label}: {len(ours)} of {len(values)} items are the same here")

    def _values(self, chunk: Chunk, delivery: Delivery) -> Sequence[Json] | Verdict:
        try:
            values = read(delivery.report)
        except ValueError as why:
            return malformed(f"report: {why}")
        count = self._items(chunk)
        if not isinstance(values, list) or len(values) != count:
            found = f"{len(values)} values" if isinstance(values, list) else "no list"
            return malformed(f"report: {found}, {count} wanted")
        return values
