"""Whether others can dial this node: those it dialled are asked to dial back, and whoever came is proof."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from golem.interfaces import IEntropy
from golem.net.carrier import HANDSHAKE_S
from golem.net.peer import PeerProtocol
from golem.wire.doorway import TOKEN_BYTES, Knock

ASKED = 2  # peers at once: one may be wrong, or mean it ill
PATIENCE_S = HANDSHAKE_S + 5.0  # a dial that fails, and the way to and from the peer
AGAIN_S = 600.0  # a router may have forgotten us since, or learnt of us


class Verdict(StrEnum):
    """What is known of it."""

    UNKNOWN = "not known yet"
    YES = "yes"
    NO = "no"
    SILENT = "it does not listen"


class Reachability:
    """`changed`: called when the verdict does. `port`: where we listen, as others see it, or 0 if we don't."""

    def __init__(
        self, clock: IReactorTime, entropy: IEntropy, port: Callable[[], int], changed: Callable[[], None]
    ) -> None:
        self.verdict = Verdict.UNKNOWN
        self._clock = clock
        self._entropy = entropy
        self._port = port
        self._changed = changed
        self._asked: dict[bytes, None] = {}
        self._timer: IDelayedCall | None = None
        self._since_s = 0.0

    def met(self, peer: PeerProtocol) -> None:
        """A session opened."""
        if self.verdict is Verdict.SILENT or peer.is_relayed:
            return
        if not peer.dialled:
            self._know(Verdict.YES)
        elif len(self._asked) < ASKED and not self._is_fresh():
            token = self._entropy.token(TOKEN_BYTES)
            self._asked[token] = None
            peer.signal(Knock(port=self._port(), token=token))
            if self._timer is None:
                self._timer = self._clock.callLater(PATIENCE_S, self._nobody)

    def _is_fresh(self) -> bool:
        return self.verdict is Verdict.YES and self._clock.seconds() - self._since_s < AGAIN_S

    def knocked(self, token: bytes) -> None:
        """Somebody said this at our door."""
        if token in self._asked:
            self._know(Verdict.YES)

    def _nobody(self) -> None:
        self._know(Verdict.NO)

    def _know(self, verdict: Verdict) -> None:
        self.stop()
        self._since_s = self._clock.seconds()
        if verdict is not self.verdict:
            self.verdict = verdict
            self._changed()

    def stop(self) -> None:
        """Wait for nobody any more."""
        self._asked.clear()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
