"""Whom we hear out: those who broke rules three times are sent away for ten minutes."""

from __future__ import annotations

from golem.errors import Incompatible, PeerError
from golem.net.handshakes import Handshakes

STRIKES = 3
BAN_S = 600.0
MAX_CULPRITS = 1_024  # names kept; the oldest is forgotten, so a flood of names costs memory nothing


class Admission:
    """Strikes by name: a node's id once it is proved, else the host it comes from."""

    def __init__(self) -> None:
        self.handshakes = Handshakes()
        self._strikes: dict[str, tuple[int, float]] = {}

    def strike(self, name: str, why: PeerError, now_s: float) -> bool:
        """Count a broken rule; says whether `name` is banned now. To be of another network or version is no crime."""
        if isinstance(why, Incompatible):
            return False
        count, _ = self._strikes.pop(name, (0, 0.0))
        if len(self._strikes) >= MAX_CULPRITS:
            del self._strikes[next(iter(self._strikes))]
        self._strikes[name] = (count + 1, now_s)
        return count + 1 >= STRIKES

    def is_banned(self, name: str, now_s: float) -> bool:
        """Whether `name` has used up its strikes, the last of them less than ten minutes ago."""
        count, at_s = self._strikes.get(name, (0, 0.0))
        if count and now_s - at_s >= BAN_S:
            del self._strikes[name]
        return count >= STRIKES and now_s - at_s < BAN_S
