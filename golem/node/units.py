"""How people write durations and sizes: `15m`, `4GiB`. Read exactly, written so that reading gives the same."""

from __future__ import annotations

import re

DURATIONS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}  # milliseconds, the longest first
SIZES = {"TiB": 1 << 40, "GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}  # bytes, the largest first
MOST = 1 << 53  # milliseconds or bytes: what golem.model.spec.Count holds

_NUMBER_AND_UNIT = re.compile(r"\s*(\d{1,16})\s*([A-Za-z]+)\s*", re.ASCII)


def _read(text: str, units: dict[str, int], example: str) -> int:
    match = _NUMBER_AND_UNIT.fullmatch(text)
    if match is None or match[2] not in units or int(match[1]) * units[match[2]] > MOST:
        raise ValueError(f"write it like {example} (a whole number, then one of {', '.join(units)})")
    return int(match[1]) * units[match[2]]


def _write(amount: int, units: dict[str, int]) -> str:
    unit = next(name for name, size in units.items() if amount % size == 0 and (amount or size == 1))
    return f"{amount // units[unit]}{unit}"


def duration(text: str) -> int:
    """Read `500ms`, `3s`, `15m`, `24h` or `7d` as milliseconds. Raises ValueError."""
    return _read(text, DURATIONS, "15m")


def show_duration(ms: int) -> str:
    """Write milliseconds exactly, in the longest unit that is."""
    return _write(ms, DURATIONS)


def size(text: str) -> int:
    """Read `4GiB`, `512MiB` … as bytes. Raises ValueError."""
    return _read(text, SIZES, "4GiB")


def show_size(amount: int) -> str:
    """Write bytes exactly, in the largest unit that is."""
    return _write(amount, SIZES)
