"""IEntropy from the operating system: the one place that asks it for chance."""

from __future__ import annotations

from secrets import token_bytes

from zope.interface import implementer

from golem.interfaces import IEntropy

POOL_BYTES = 4096  # one system call serves 256 salts


@implementer(IEntropy)
class OsEntropy:
    """Reads ahead, since every event takes a salt."""

    def __init__(self) -> None:
        self._pool = b""

    def token(self, size: int) -> bytes:
        """`size` unpredictable bytes, each given once."""
        if size > POOL_BYTES // 16:
            return token_bytes(size)
        if len(self._pool) < size:
            self._pool = token_bytes(POOL_BYTES)
        token, self._pool = self._pool[:size], self._pool[size:]
        return token
