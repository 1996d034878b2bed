"""A stranger lighter than a node: it dials whoever listens, and says what no node would."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from random import Random

from twisted.internet.interfaces import IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol

from golem.net.carrier import Carrier

MOST_BYTES = 2_000
HELD_S = 60.0  # a slow loris holds its connection for so long, a byte at a time


class Rude:
    """Dials one of `places` every `every_s` seconds; speaks garbage, or hardly speaks at all."""

    def __init__(
        self, carrier: Carrier, clock: IReactorTime, places: Sequence[str], seed: int, every_s: float = 20.0
    ) -> None:
        self._carrier = carrier
        self._clock = clock
        self._places = places
        self._random = Random(sha256(f"{seed}/rude".encode()).digest())
        self._every_s = every_s

    def start(self) -> None:
        """Begin, and never end."""
        self._clock.callLater(self._every_s, self.start)
        garbage = self._random.randbytes(self._random.randint(1, MOST_BYTES))
        is_slow = self._random.random() < 0.3
        factory = Factory.forProtocol(lambda: _Speaker(self._clock, garbage, is_slow=is_slow))
        factory.noisy = False
        dialling = self._carrier.dial(self._random.choice(self._places)).connect(factory)
        dialling.addErrback(lambda why: None)  # nobody there: next time


class _Speaker(Protocol):
    """Says its piece."""

    def __init__(self, clock: IReactorTime, garbage: bytes, *, is_slow: bool) -> None:
        self._clock = clock
        self._garbage = garbage
        self._is_slow = is_slow

    def connectionMade(self) -> None:
        """All at once, or as slowly as it goes."""
        tcp = ITCPTransport(self.transport)
        if not self._is_slow:
            tcp.write(self._garbage)
            return
        for second in range(int(HELD_S)):
            self._clock.callLater(second, tcp.write, self._garbage[second : second + 1])
