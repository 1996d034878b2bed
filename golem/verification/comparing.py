"""When two results are the same: byte by byte, as JSON, or to within a tolerance. Each says what is not, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from golem.model.spec import Verdict
from golem.template import Json, to_json
from golem.verification.cheap import malformed, unsure, wrong

Comparator = Callable[[bytes, bytes], str]
"""Compares a report with another: an empty text where they agree, else place, metric, value and threshold."""

MAX_SHOWN = 80  # characters of a value that a reason quotes


def exact(one: bytes, other: bytes) -> str:
    """Agree byte by byte."""
    return "" if one == other else f"bytes: {_short(one)} against {_short(other)}"


def canonical(one: bytes, other: bytes) -> str:
    """Agree as JSON, however it is written. Raises ValueError where either is none."""
    return exact(to_json(read(one)), to_json(read(other)))


def near(absolute: float = 0.0, relative: float = 0.0, spare: float = 0.0) -> Comparator:
    """Agree as JSON of the same shape, of whose numbers at most the share `spare` differs by more than

    `absolute + relative * |the other's|`. A NaN agrees with a NaN. Raises ValueError where either is no JSON.
    """

    def compare(one: bytes, other: bytes) -> str:
        pairs: list[tuple[str, float, float]] = []
        try:
            where = _walk(read(one), read(other), pairs)
        except OverflowError as why:
            raise ValueError(f"the report has a number out of range ({why})") from why
        if where:
            return f"shape: at {where}"
        bad = [pair for pair in pairs if not _is_near(pair[1], pair[2], absolute + relative * abs(pair[2]))]
        if len(bad) <= spare * len(pairs):
            return ""
        where, here, there = bad[0]
        return f"numbers: {len(bad)} of {len(pairs)} differ, {spare:.1%} may; at {where}: {here} against {there}"

    return compare


def judged(same: Comparator, theirs: bytes, ours: bytes, what: str) -> Verdict | None:
    """None where they are the same; else WRONG, MALFORMED where theirs can't be compared, UNSURE where ours can't."""
    try:
        same(ours, ours)
    except ValueError as why:
        return unsure(f"{what}: of our own check {why}")
    try:
        difference = same(theirs, ours)
    except ValueError as why:
        return malformed(f"{what}: {why}")
    return wrong(f"{what}: {difference}") if difference else None


def read(report: bytes) -> Json:
    """A report as JSON; raises ValueError where it is none, or nested too deeply."""
    try:
        found: Json = msgspec.json.decode(report)
    except (msgspec.DecodeError, RecursionError) as why:
        raise ValueError(f"the report is no JSON ({why})") from why
    return found


def _is_near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance or one == other or (math.isnan(one) and math.isnan(other))


def _walk(one: Json, other: Json, pairs: list[tuple[str, float, float]]) -> str:
    """Gather the numbers of two values, however deep; says where their shapes differ, if anywhere."""
    todo: list[tuple[str, Json, Json]] = [("", one, other)]
    while todo:
        where, here, there = todo.pop()
        if isinstance(here, dict) and isinstance(there, dict) and here.keys() == there.keys():
            todo += [(f"{where}.{key}", here[key], there[key]) for key in sorted(here, reverse=True)]
        elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
            steps = [(f"{where}[{index}]", *both) for index, both in enumerate(zip(here, there, strict=True))]
            todo += reversed(steps)
        elif _is_number(here) and _is_number(there):
            pairs.append((where or "the top", float(here), float(there)))  # type: ignore[arg-type]  # both are numbers
        elif isinstance(here, dict | list) or type(here) is not type(there) or here != there:
            return where or "the top"
    return ""


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(data: bytes) -> str:
    text = data.decode(errors="replace")
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
