"""What a scenario expects: `job.phase == done`, and what becomes of such a sentence as time passes."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

TASK_FIELDS = ("phase", "chunks", "pending", "running", "accepted", "rejected", "lost", "spent")
NODE_FIELDS = ("is_up", "peers", "paid", "earned")
ORDERS: Mapping[str, Callable[[int, int], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_SHAPE = re.compile(r"\s*([\w-]+)\.(\w+)\s*(==|!=|<=|>=|<|>)\s*(\S+)\s*")
_PLACE = re.compile(r"([\w-]+)\.(\w+)")

Look = Callable[[str, str], object]
"""The present value of a subject's field; None where there is none yet."""


class Condition(NamedTuple):
    """`left operator right`. `right`: a number, a word, or another subject and field."""

    left: tuple[str, str]
    sign: str
    right: tuple[str, str] | int | bool | str

    def __str__(self) -> str:
        right = ".".join(self.right) if isinstance(self.right, tuple) else self.right
        return f"{'.'.join(self.left)} {self.sign} {right}"

    def holds(self, look: Look) -> bool | None:
        """Whether it is so now; None where it can't be said."""
        one = look(*self.left)
        other = look(*self.right) if isinstance(self.right, tuple) else self.right
        if one is None or other is None:
            return None
        if self.sign in ORDERS:
            return ORDERS[self.sign](one, other) if isinstance(one, int) and isinstance(other, int) else None
        return (one == other) is (self.sign == "==")


def parse(text: str, tasks: Mapping[str, object], nodes: Mapping[str, object]) -> Condition:
    """Read a condition. Raises ValueError, with what there is."""
    found = _SHAPE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no condition; write: job.phase == done")
    subject, field, sign, right = found.groups()
    _known(subject, field, tasks, nodes)
    other = _PLACE.fullmatch(right)
    if other and other[1] in {**tasks, **nodes}:
        _known(other[1], other[2], tasks, nodes)
        return Condition((subject, field), sign, (other[1], other[2]))
    if right in ("true", "false"):
        return Condition((subject, field), sign, right == "true")
    try:
        return Condition((subject, field), sign, int(right.replace("_", "")))
    except ValueError:
        return Condition((subject, field), sign, right)


def _known(subject: str, field: str, tasks: Mapping[str, object], nodes: Mapping[str, object]) -> None:
    if subject not in tasks and subject not in nodes:
        raise ValueError(f"no task or node {subject!r}; there are: {', '.join([*tasks, *nodes])}")
    fields = TASK_FIELDS if subject in tasks else NODE_FIELDS
    if field not in fields:
        raise ValueError(f"{subject} has no {field!r}; it has: {', '.join(fields)}")


class Expectation(NamedTuple):
    """`kind`: eventually, always, never, leads_to (the first condition, then the second). `line`: where it stands."""

    kind: str
    conditions: tuple[Condition, ...]
    within_ms: int
    line: int

    def __str__(self) -> str:
        limit = f" within {self.within_ms / 1000:g} s" if self.kind in ("eventually", "leads_to") else ""
        return f"{self.kind} {' -> '.join(map(str, self.conditions))}{limit}"


class Watch:
    """One expectation while a scenario runs. `broken`: empty, or what went wrong. `was_said`: once it had a value."""

    def __init__(self, expectation: Expectation) -> None:
        self.expectation = expectation
        self.broken = ""
        self.is_met = False
        self.was_said = False
        self._since_ms: int | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the run must go on for its sake."""
        if self.broken:
            return False
        return not self.is_met if self.expectation.kind == "eventually" else self._since_ms is not None

    def look(self, now_ms: int, look: Look) -> None:
        """Judge the present moment."""
        kind, first = self.expectation.kind, self.expectation.conditions[0].holds(look)
        self.was_said = self.was_said or first is not None
        if self.broken or self.is_met:
            return
        if kind == "eventually":
            self._eventually(now_ms, is_so=bool(first))
        elif kind == "leads_to":
            self._leads_to(now_ms, look, is_so=bool(first))
        elif first is (kind == "never"):
            self.broken = f"{'it was so' if first else 'it was not so'} at {now_ms / 1000:.3f} s"

    def end(self) -> None:
        """The run is over. What was never known did not hold."""
        if not self.broken and self.is_pending:
            self.broken = "the run ended before"
        if not self.broken and not self.was_said:
            self.broken = "it could never be looked at: no such moment came"

    def _eventually(self, now_ms: int, *, is_so: bool) -> None:
        self.is_met = is_so
        if not is_so and now_ms > self.expectation.within_ms:
            self.broken = f"not so after {self.expectation.within_ms / 1000:g} s"

    def _leads_to(self, now_ms: int, look: Look, *, is_so: bool) -> None:
        if self._since_ms is None and is_so:
            self._since_ms = now_ms
        if self._since_ms is not None and self.expectation.conditions[1].holds(look):
            self._since_ms = None
        if self._since_ms is not None and now_ms - self._since_ms > self.expectation.within_ms:
            self.broken = f"it began at {self._since_ms / 1000:.3f} s, and the other did not follow"
