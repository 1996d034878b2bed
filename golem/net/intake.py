"""When to read from a peer, and when to let it wait: no faster than our disk takes, nor than gossip is worth."""

from __future__ import annotations

from collections import Counter, deque

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime

from golem.model.budgets import GOSSIP, SIGNATURES, UNTAKEN
from golem.model.messages import Demand, Message, PeerList, Withdrawal

MAX_UNTAKEN = UNTAKEN.limit  # a tenth of a second of turns
GOSSIP_PER_S = float(GOSSIP.limit)  # to check and journal so many takes a tenth of one core
GOSSIP_BURST = 1_000  # that many at once: what a node with many open tasks tells a new peer
SIGNATURE_COST = GOSSIP.limit // SIGNATURES.limit  # of a message, for each word in it that must be checked


def cost(message: Message) -> int:
    """How many plain messages of gossip one is worth, by the work that it makes."""
    match message:
        case Demand() | Withdrawal():
            return 1 + SIGNATURE_COST
        case PeerList(peers=records):
            return 1 + SIGNATURE_COST * len(records)
    return 1


class Intake:
    """Pauses and resumes the transport's reading. `is_holding`: the peer is made to wait now. `refused`: counts it."""

    def __init__(self, clock: IReactorTime, transport: IPushProducer, refused: Counter[str] | None = None) -> None:
        self.is_holding = False
        self._clock = clock
        self._transport = transport
        self._refused: Counter[str] = Counter() if refused is None else refused
        self._untaken: deque[int] = deque()
        self._taken = 0
        self._room = float(GOSSIP_BURST)
        self._room_at = clock.seconds()
        self._rest: IDelayedCall | None = None

    def said(self, sequence: int, cost: int = 1) -> None:
        """A message came; 0 is gossip, and has its cost."""
        if not sequence:
            self._spend(cost)
        elif sequence > self._taken:
            self._untaken.append(sequence)
        self._look()

    def taken(self, sequence: int) -> bool:
        """All messages up to this number are on disk; says whether that is news."""
        if sequence <= self._taken:
            return False
        self._taken = sequence
        while self._untaken and self._untaken[0] <= sequence:
            self._untaken.popleft()
        self._look()
        return True

    def stop(self) -> None:
        """The session is over."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _spend(self, cost: int) -> None:
        now = self._clock.seconds()
        self._room = min(GOSSIP_BURST, self._room + (now - self._room_at) * GOSSIP_PER_S) - cost
        self._room_at = now
        if self._room < 0 and self._rest is None:
            self._rest = self._clock.callLater((GOSSIP_BURST / 2 - self._room) / GOSSIP_PER_S, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._look()

    def _look(self) -> None:
        most = MAX_UNTAKEN // 2 if self.is_holding else MAX_UNTAKEN
        must_hold = self._rest is not None or len(self._untaken) >= most
        if must_hold and not self.is_holding:
            self.is_holding = True
            self._refused[(GOSSIP if self._rest is not None else UNTAKEN).name] += 1
            self._transport.pauseProducing()
        elif self.is_holding and not must_hold:
            self.is_holding = False
            self._transport.resumeProducing()
