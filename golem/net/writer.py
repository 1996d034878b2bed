"""What is written to a peer: once per turn of the reactor, many messages under one signature, as fast as it reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from zope.interface import implementer

from golem.model import budgets
from golem.model.messages import Message
from golem.wire.codec import encode
from golem.wire.envelope import MAX_BATCH_BYTES, MAX_MESSAGES
from golem.wire.session import Phase, Session

STALLED_S = float(budgets.STALLED_S.limit)  # what it missed is sent when it is back
MAX_UNWRITTEN_BYTES = budgets.UNWRITTEN.limit  # answers owed to a peer that asks and does not read
MAX_QUEUED = 2 * budgets.OUTBOX.limit  # messages; past it the session is dropped
MAX_GOSSIP_BYTES = budgets.UNWRITTEN.limit  # unnumbered messages waiting for a slow peer; the oldest are forgotten


@implementer(IPushProducer)
class Writer:
    """Writes what a session has to say. `fail`: called with the reason where the peer is to be given up."""

    def __init__(self, transport: ITCPTransport, clock: IReactorTime, fail: Callable[[str], None]) -> None:
        self._transport = transport
        self._clock = clock
        self._fail = fail
        self._session: Session | None = None
        self._queue: deque[tuple[int, Message]] = deque()
        self._gossip: deque[bytes] = deque()
        self._gossip_bytes = 0
        self._ack = 0
        self._sent = 0
        self._is_over = self._is_paused = False
        self._flush_call: IDelayedCall | None = None
        self._stall_call: IDelayedCall | None = None

    def begin(self, session: Session) -> None:
        """Write for this session."""
        self._session = session
        self.write()

    def skip(self, received: int) -> None:
        """The peer has what is numbered up to here."""
        self._sent = received

    def send(self, sequence: int, message: Message) -> None:
        """Send a numbered message at the end of this turn; one that was sent already is skipped."""
        if self._is_over or sequence <= self._sent:
            return
        if len(self._queue) >= MAX_QUEUED:
            self._fail(f"more than {MAX_QUEUED} messages wait for it")
            return
        self._sent = sequence
        self._queue.append((sequence, message))
        self._soon()

    def gossip(self, message: bytes) -> None:
        """Send an encoded message without a number."""
        self._gossip.append(message)
        self._gossip_bytes += len(message)
        while self._gossip_bytes > MAX_GOSSIP_BYTES:
            self._gossip_bytes -= len(self._gossip.popleft())
        self._soon()

    def acknowledge(self, sequence: int) -> None:
        """Tell that messages are on disk, up to this number."""
        self._ack = sequence
        self._soon()

    def write(self) -> None:
        """Write the session's answers, if the peer reads."""
        session = self._session
        if session is None or self._is_over:
            return
        if not self._is_paused and session.waiting:
            self._transport.write(session.take())
        elif session.waiting > MAX_UNWRITTEN_BYTES:
            self._fail("it asks and does not read the answers")

    def goodbye(self, why: str) -> None:
        """Write all that waits, and that this is the end, unless the peer does not read."""
        if self._session is not None and not self._is_paused:
            self._flush()
            self._session.end(why)
            self.write()

    def stop(self) -> None:
        """Write no more."""
        self._is_over = True
        self._queue.clear()
        self._gossip.clear()
        for call in (self._flush_call, self._stall_call):
            if call is not None and call.active():
                call.cancel()

    def _soon(self) -> None:
        if self._flush_call is None and not self._is_over:
            self._flush_call = self._clock.callLater(0, self._flush)

    def _flush(self) -> None:
        """Write what waits, envelope by envelope, until the transport is full."""
        self._flush_call = None
        session = self._session
        if session is None or session.phase is not Phase.OPEN:
            return
        if self._ack:
            session.acknowledge(self._ack)
            self._ack = 0
        now_ms = int(self._clock.seconds() * 1000)
        while not self._is_paused and (self._queue or self._gossip):
            sequence, batch = self._numbered() if self._queue else (0, self._unnumbered())
            session.say(sequence, batch, now_ms)
            self.write()
        self.write()

    def _numbered(self) -> tuple[int, list[bytes]]:
        """The next messages that fit one envelope, and the number of the first."""
        first, message = self._queue.popleft()
        batch = [encode(message)]
        size = len(batch[0])
        while self._queue and len(batch) < MAX_MESSAGES:
            sequence, message = self._queue[0]
            data = encode(message)
            size += len(data)
            if size > MAX_BATCH_BYTES or sequence != first + len(batch):
                break
            batch.append(data)
            self._queue.popleft()
        return first, batch

    def _unnumbered(self) -> list[bytes]:
        """As `_numbered`."""
        batch: list[bytes] = []
        size = 0
        while (
            self._gossip and len(batch) < MAX_MESSAGES and (not batch or size + len(self._gossip[0]) <= MAX_BATCH_BYTES)
        ):
            batch.append(self._gossip.popleft())
            size += len(batch[-1])
        self._gossip_bytes -= size
        return batch

    # IPushProducer: what the transport says about our writing

    def pauseProducing(self) -> None:
        """The peer reads more slowly than we write."""
        self._is_paused = True
        if self._stall_call is None and not self._is_over:
            self._stall_call = self._clock.callLater(STALLED_S, self._fail, f"it read nothing for {STALLED_S:.0f} s")

    def resumeProducing(self) -> None:
        """There is room again."""
        self._is_paused = False
        if self._stall_call is not None and self._stall_call.active():
            self._stall_call.cancel()
        self._stall_call = None
        self._soon()

    def stopProducing(self) -> None:
        """The transport goes away; the protocol's `connectionLost` follows."""
        self._is_paused = True
