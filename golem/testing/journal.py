"""A journal in memory, which outlives the node that writes it: what is on disk after a kill."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from golem.interfaces import IJournal


@implementer(IJournal)
class MemoryJournal:
    """Turns and a snapshot in lists."""

    def __init__(self) -> None:
        self._snapshot: bytes | None = None
        self._turns: list[bytes] = []

    def append(self, turns: Sequence[bytes]) -> None:
        """Keep turns."""
        self._turns.extend(turns)

    def snapshot(self, state: bytes) -> None:
        """Replace all turns so far."""
        self._snapshot, self._turns = state, []

    def replay(self) -> tuple[bytes | None, Sequence[bytes]]:
        """The last snapshot, and the turns after it."""
        return self._snapshot, list(self._turns)

    def close(self) -> None:
        """Nothing to let go of."""
