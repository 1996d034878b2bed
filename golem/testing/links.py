"""What lies between nodes in memory: latency, loss, cuts and walls; the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from random import Random

LATENCY_S = 0.005  # of a link that nothing was said about
TAIL = 0.001  # of all writes take long, where `has_tail`: a lost packet that is sent again
TAIL_S = 1.0
MOST_PIECES = 12  # small ones of one write: through a frame's head and into its body; more only cost time


class Links:
    """All of them. `chop`: the most bytes of a piece that a write begins with; 0: it is whole.

    `has_tail`: a few writes take much longer than the rest.
    """

    def __init__(self, seed: str, chop: int) -> None:
        self.chop = chop
        self.has_tail = False
        self._random = Random(sha256(f"{seed}/network".encode()).digest())
        self._latency: dict[frozenset[str], float] = {}
        self._clog: dict[frozenset[str], float] = {}
        self._loss: dict[frozenset[str], float] = {}
        self._cut: dict[tuple[str, str], None] = {}
        self._frozen: dict[str, None] = {}
        self._walls: dict[str, None] = {}

    def slow(self, one: str, other: str, latency_s: float) -> None:
        """Let bytes between two nodes take so long from now on, one way."""
        self._latency[frozenset((one, other))] = latency_s

    def clog(self, one: str, other: str, delay_s: float) -> None:
        """Let them take so much longer than that; 0 ends it."""
        self._clog[frozenset((one, other))] = delay_s

    def lose(self, one: str, other: str, rate: float) -> None:
        """Let connections between two nodes break under so many of all writes; 0 ends it."""
        self._loss.pop(frozenset((one, other)), None)
        if rate:
            self._loss[frozenset((one, other))] = rate

    def cut(self, one: str, other: str, *, one_way: bool = False) -> None:
        """Nothing passes from one node to the other any more, nor back, and neither is told."""
        self._cut[one, other] = None
        if not one_way:
            self._cut[other, one] = None

    def freeze(self, host: str) -> None:
        """A node's process stands still; what comes for it waits in its kernel."""
        self._frozen[host] = None

    def wall(self, host: str) -> None:
        """Let a router stand before a node that forwards nothing: who dials it hears nothing."""
        self._walls[host] = None

    def is_cut(self, route: tuple[str, str]) -> bool:
        """Whether bytes on this way are lost."""
        return route in self._cut

    def is_walled(self, host: str) -> bool:
        """Whether nobody can dial a node."""
        return host in self._walls

    def is_frozen(self, host: str) -> bool:
        """Whether a node stands still."""
        return host in self._frozen

    def delay_s(self, pair: frozenset[str]) -> float:
        """How long the next bytes take between these nodes, one way."""
        late = TAIL_S * self._random.random() if self.has_tail and self._random.random() < TAIL else 0.0
        return self._latency.get(pair, LATENCY_S) + self._clog.get(pair, 0.0) + late

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What arrives of one write, each by itself: small pieces at first, and the rest whole."""
        for _ in range(MOST_PIECES if self.chop else 0):
            if len(data) <= 1:
                break
            size = self._random.randint(1, self.chop)
            yield data[:size]
            data = data[size:]
        if data:
            yield data
