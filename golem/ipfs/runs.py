"""Who is asked for which leaves of a content: runs of them, handed out to whoever is free.

Everybody who fetches begins at another place, so that those who fetch together soon have something for each other. At
the end, whoever is idle takes over half of what others still have to bring, and the last block of one that is slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from golem.ipfs.cid import Key
from golem.ipfs.intake import Intake, Leaf
from golem.model.messages import Place

RUN_BYTES = 8 << 20  # asked for at once: some 10 ms of work on the same machine, 10 s at 8 Mbit/s
RUN_BLOCKS = 128  # their ids have 8 KiB in the address of a request; servers take 16 KiB
SPLIT_S = 0.5  # a run that takes longer is shared with whoever is idle
WAIT_S = 5.0  # for somebody to have something more, who is fetching as we are


class Run:
    """Leaves that one source is asked for.

    `since_s`: when it began. `is_shared`: somebody else was asked for the same.
    """

    def __init__(self, keys: Sequence[Key], now_s: float, *, is_shared: bool = False) -> None:
        self.keys = keys
        self.since_s = now_s
        self.is_shared = is_shared

    def left(self, intake: Intake) -> list[Key]:
        """What it still has to bring."""
        return [key for key in self.keys if intake.lacks(key)]


class Holding:
    """What a source has that has not everything yet, as far as it told. `told`: of how many blocks."""

    def __init__(self) -> None:
        self.told = 0
        self.keys: set[Key] = set()
        self.is_all = False


class Runs:
    """Of one transfer. `holdings`: of the sources that turned out not to have everything."""

    def __init__(self, intake: Intake, now_s: Callable[[], float], sources: Sequence[Place]) -> None:
        self.holdings: dict[Place, Holding] = {}
        self._intake = intake
        self._now_s = now_s
        self._waiting: deque[Run] = deque()
        self._under_way: list[Run] = []
        self._news_s = now_s()
        self._first, self._patience_s = (_somewhere(sources), WAIT_S) if len(sources) > 1 else (0, 0.0)

    @property
    def is_stuck(self) -> bool:
        """Whether nobody is asked for anything, and nobody has told of anything new for long."""
        return not self._under_way and self._now_s() - self._news_s >= self._patience_s

    def look(self, source: Place) -> Holding | None:
        """What a source has that tells it, as it has not everything."""
        holding = self.holdings.get(source)
        return None if holding is None or holding.is_all else holding

    def learn(self, holding: Holding, told: int, more: Sequence[Key] | None) -> bool:
        """Beyond the `told` first a source has these, or everything (None); says whether that is news."""
        holding.is_all |= more is None
        holding.told = max(holding.told, told + len(more or ()))
        holding.keys.update(key for key in more or () if self._intake.lacks(key))
        is_news = more is None or bool(more)
        self._news_s = self._now_s() if is_news else self._news_s
        return is_news

    def next(self, source: Place) -> Run | None:
        """What to ask a source for now."""
        if not self._waiting and not self._under_way:
            self._lay_out()
        if holding := self.look(source):
            run = self._picked(holding)
        else:
            run = self._waiting.popleft() if self._waiting else self._taken_over()
        if run is not None:
            run.since_s = self._now_s()
            self._under_way.append(run)
        return run

    def ended(self, run: Run) -> None:
        """A source is done with a run; what it did not bring waits for another."""
        self._under_way.remove(run)
        self._news_s = self._now_s()
        if left := run.left(self._intake):
            self._waiting.appendleft(Run(left, self._now_s()))

    def _lay_out(self) -> None:
        runs = [Run(keys, self._now_s()) for keys in _cut(self._intake.leaves())]
        first = self._first % len(runs) if runs else 0
        self._waiting.extend(runs[first:] + runs[:first])

    def _picked(self, holding: Holding) -> Run | None:
        """Of a run that waits, what a source has."""
        for at, run in enumerate(self._waiting):
            left = run.left(self._intake)
            if keys := [key for key in left if key in holding.keys]:
                del self._waiting[at]
                if rest := [key for key in left if key not in holding.keys]:
                    self._waiting.insert(at, Run(rest, run.since_s))
                return Run(keys, self._now_s())
        return None

    def _taken_over(self) -> Run | None:
        """Half of what a slow source still has to bring, or its last block."""
        now_s = self._now_s()
        for run in self._under_way:
            left = run.left(self._intake)
            if left and not run.is_shared and now_s - run.since_s >= SPLIT_S:
                half = left[len(left) // 2 :]
                run.keys, run.is_shared = left[: len(left) // 2] or half, len(left) == 1
                return Run(half, now_s, is_shared=run.is_shared)
        return None


def _somewhere(sources: Sequence[Place]) -> int:
    """A number of one's own: no two who fetch together have the same sources."""
    return int.from_bytes(sha256(" ".join(sources).encode()).digest()[:4], "big")


def _cut(leaves: Sequence[Leaf]) -> Iterator[list[Key]]:
    """Leaves in runs."""
    run: list[Key] = []
    size = 0
    for leaf in leaves:
        if run and (size + leaf.size > RUN_BYTES or len(run) == RUN_BLOCKS):
            yield run
            run, size = [], 0
        run.append(leaf.key)
        size += leaf.size
    if run:
        yield run
