"""Delta debugging: the least of a list of faults that still makes a run fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
MAX_RUNS = 200  # of a few seconds each; a list of 24 faults needs about 40


def shrink(faults: Sequence[T], fails: Callable[[tuple[T, ...]], bool], max_runs: int = MAX_RUNS) -> tuple[T, ...]:
    """Delete faults as long as the run fails without them; `faults` itself must fail.

    What is left is minimal, in that no single one of it can be deleted, unless `max_runs` were not enough.
    """
    left, pieces, runs = tuple(faults), 2, 0
    while left and runs < max_runs:
        size = max(1, len(left) // pieces)
        for begin in range(0, len(left), size):
            without = left[:begin] + left[begin + size :]
            runs += 1
            if fails(without):
                left, pieces = without, max(2, pieces - 1)
                break
            if runs >= max_runs:
                return left
        else:
            if size == 1:
                break
            pieces = min(len(left), pieces * 2)
    return left
