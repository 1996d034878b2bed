"""When a provider may work: spans of local time, as `22:00-06:00` or `sat-sun 00:00-24:00`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from time import localtime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 24 * 60
SPAN = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))? +)?(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


def span(text: str) -> tuple[frozenset[int], int, int]:
    """The days on which it begins, and its begin and end in minutes of the day. Raises ValueError."""
    found = SPAN.fullmatch(text)
    days = found and _days(found[1], found[2])
    begin, end = (int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])) if found else (0, 0)
    if not days or begin == end or max(begin, end) > DAY_MIN or (found and max(found[4], found[6]) > "59"):
        raise ValueError('must be like "22:00-06:00" or "sat-sun 00:00-24:00", in this machine\'s time')
    return days, begin, end


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    if first not in DAYS or (last or first) not in DAYS:
        return frozenset()
    begin = DAYS.index(first)
    count = (DAYS.index(last or first) - begin) % 7 + 1
    return frozenset((begin + day) % 7 for day in range(count))


def is_open(spans: Sequence[str], at_s: float) -> bool:
    """Whether work may begin at an instant; without spans, always. A night belongs to its first day."""
    now = localtime(at_s)
    minute = now.tm_hour * 60 + now.tm_min
    for days, begin, end in map(span, spans):
        if begin < end:
            if now.tm_wday in days and begin <= minute < end:
                return True
        elif (now.tm_wday in days and minute >= begin) or ((now.tm_wday - 1) % 7 in days and minute < end):
            return True
    return not spans
