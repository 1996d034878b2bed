"""Connections in their handshake: few at once, and fewer of one network, so that a crowd keeps nobody else out."""

from __future__ import annotations

from collections import Counter
from typing import Protocol as Interface

from golem.core.places import prefix
from golem.model.budgets import HANDSHAKES, HANDSHAKES_OF_ONE, Budget
from golem.net.carrier import join_place


class Stranger(Interface):
    """A connection that has not proved who it is. `host`: where it comes from."""

    host: str

    def fail(self, why: str) -> None:
        """Close it at once."""


def network_of(host: str) -> str:
    """The /24 or /48 that a peer comes from; nothing in a local network."""
    return prefix(join_place(host, 1))


class Handshakes:
    """Those under way, the oldest first."""

    def __init__(self) -> None:
        self._pending: dict[Stranger, str] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def begin(self, peer: Stranger) -> tuple[Stranger, Budget] | None:
        """Take one more; says which one must go for it, and by which limit."""
        network = network_of(peer.host)
        crowd = Counter(self._pending.values())
        self._pending[peer] = network
        if network and crowd[network] >= HANDSHAKES_OF_ONE.limit:
            return self._oldest(network), HANDSHAKES_OF_ONE
        if len(self._pending) > HANDSHAKES.limit:
            return self._oldest(crowd.most_common(1)[0][0]), HANDSHAKES
        return None

    def _oldest(self, network: str) -> Stranger:
        return next(peer for peer, its in self._pending.items() if its == network)

    def end(self, peer: Stranger) -> None:
        """It is over, whatever came of it."""
        self._pending.pop(peer, None)
