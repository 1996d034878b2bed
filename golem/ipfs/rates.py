"""How fast content is given away: so many bytes a second to one address, and so many in all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twisted.internet.interfaces import IReactorTime

SLICE_BYTES = 64 << 10  # written at once where a rate holds; a fetcher's patience is measured in as many
MAX_ADDRESSES = 1024  # whose last bytes are remembered; those that wait for nothing are forgotten first


class Rates:
    """`each`, `all`: bytes a second, 0 for no bound."""

    def __init__(self, clock: IReactorTime, each: int = 0, all: int = 0) -> None:
        self._clock = clock
        self._each = each
        self._all = all
        self._free_s = 0.0  # when all that was given away is given away at the rate
        self._free_of_s: dict[str, float] = {}

    def cut(self, batch: Sequence[bytes]) -> Iterator[bytes]:
        """A batch in parts after each of which there may be a wait."""
        for part in batch:
            step = SLICE_BYTES if self._each or self._all else len(part)
            yield from (part[at : at + step] for at in range(0, len(part), step))

    def wait_s(self, address: str, size: int) -> float:
        """Count `size` bytes as given to `address`, and say how long to wait before more."""
        now_s = self._clock.seconds()
        until_s = now_s
        if self._all:
            self._free_s = until_s = max(self._free_s, now_s) + size / self._all
        if self._each:
            if len(self._free_of_s) >= MAX_ADDRESSES:
                self._free_of_s = {who: free for who, free in self._free_of_s.items() if free > now_s}
            own_s = self._free_of_s[address] = max(self._free_of_s.get(address, 0.0), now_s) + size / self._each
            until_s = max(until_s, own_s)
        return until_s - now_s
