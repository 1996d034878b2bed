"""Values as people read them. Whatever strangers may have written passes `display` before it reaches a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal

SHORT_TASK = 8  # hex digits of a task's id: enough to tell a user's tasks apart
SHORT_NODE = 10  # of a node's id, with its constant first two
DIGITS = 6  # of an amount; the exact one is in --json
MAX_SHOWN = 300  # characters of one piece of strangers' text
_S, _MIN, _H, _D = 1_000, 60_000, 3_600_000, 86_400_000


def display(text: str) -> str:
    """Text without anything that moves a cursor, changes colours or turns its direction."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def cut(text: str) -> str:
    """The start of text that may be very long."""
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def money(wei: str | int) -> str:
    """An amount in ether, rounded to six digits."""
    amount = Decimal(int(wei)).scaleb(-18)
    return f"{Context(prec=DIGITS).plus(amount).normalize():f} ETH"


def span(ms: int) -> str:
    """A duration in its two largest units."""
    if ms < _S:
        return f"{ms} ms"
    if ms < _MIN:
        return f"{ms / _S:.1f} s"
    if ms < _H:
        return f"{ms // _MIN} min {ms % _MIN // _S:02} s"
    if ms < _D:
        return f"{ms // _H} h {ms % _H // _MIN:02} min"
    return f"{ms // _D} d {ms % _D // _H:02} h"


def when(ms: int) -> str:
    """An instant, in UTC; nothing for 0."""
    return f"{datetime.fromtimestamp(ms / _S, UTC):%Y-%m-%d %H:%M:%S}Z" if ms else ""


def short_task(task_id: str) -> str:
    """The start of a task's id, which commands take for the whole."""
    return task_id[:SHORT_TASK]


def short_node(node_id: str) -> str:
    """The start of a node's id."""
    return node_id[:SHORT_NODE]


def count(number: int, noun: str) -> str:
    """`1 chunk`, `2 chunks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
