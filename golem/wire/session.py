"""A session, without the transport: bytes in, happenings out, and bytes to write.

      both            both            dialler, acceptor     both
    GREETING --Hello--> PROVING --Proof--> RESUMING --Resume--> OPEN: Envelope, Ack, Ping, Pong, Signal (Bye anytime)

Both send Hello at once; each proves by its node key that it speaks on this very channel and heard these very hellos.
Then the dialler says up to where it has the other's messages, which is its decision to keep this connection; the
acceptor answers the same, and messages flow from there. What no row of the table allows is Malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Annotated, NamedTuple

from msgspec import Meta

from golem.errors import Incompatible, Malformed, Replayed
from golem.model.ids import Address, NodeId
from golem.model.messages import Message, Place
from golem.model.spec import Count, Name
from golem.model.value import Value
from golem.wire import toil
from golem.wire.codec import Decoder, encode
from golem.wire.doorway import Knock, Reserve, Reserved, Ring, Signal
from golem.wire.envelope import TOLERANCE_MS, Envelope, Terms, bundle, seal, unseal
from golem.wire.frame import MAX_FRAME_BYTES, FrameReader, frame
from golem.wire.signing import PAYEE_PROOF_BYTES, SIGNATURE_BYTES, NodeKey, Sign, digest, verify_payee

VERSIONS = (1,)  # of the protocol, that we speak; the highest common one is spoken
NONCE_BYTES = 16


class Hello(Value, forbid_unknown_fields=False):
    """Who I say I am. Later versions may add fields.

    `epoch`: changes when the node lost its journal. `address`: where it listens, or empty. `gateway`: where it serves
    content; of both, a missing host means the one this connection comes from. `payee_proof`: by the payment key.
    """

    network: Name
    versions: Annotated[tuple[Annotated[int, Meta(ge=1, le=2**16)], ...], Meta(min_length=1, max_length=16)]
    node_id: NodeId
    epoch: Annotated[str, Meta(max_length=64)]
    address: Place
    gateway: Place
    payee: Address
    payee_proof: Annotated[bytes, Meta(min_length=PAYEE_PROOF_BYTES, max_length=PAYEE_PROOF_BYTES)]
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    at_ms: Count


class Proof(Value):
    """By the node key, over the channel's binding, the signer's hello and the other's."""

    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


class Resume(Value):
    """The last number that its sender took from the other, in the other's epoch."""

    received: Count


class Ack(Value):
    """All messages up to this number are on disk."""

    sequence: Count


class Ping(Value):
    """Are you there?"""


class Pong(Value):
    """Yes."""


class Bye(Value):
    """The sender ends the session."""

    reason: Annotated[str, Meta(max_length=200)]


Frame = Hello | Proof | Resume | Envelope | Ack | Ping | Pong | Bye | Reserve | Reserved | Ring | Knock
_frames: Decoder[Frame] = Decoder(Frame)
_PING, _PONG = frame(encode(Ping())), frame(encode(Pong()))


class Proved(NamedTuple):
    """The other side is who it said."""

    hello: Hello


class Resumed(NamedTuple):
    """The other side wants to go on after this number of ours."""

    received: int


class Said(NamedTuple):
    """A message, each number once and in order; 0 has no order."""

    sequence: int
    message: Message


class Acknowledged(NamedTuple):
    """Our messages up to this number are on the other's disk."""

    sequence: int


class Ended(NamedTuple):
    """The other side said goodbye."""

    reason: str


class Signalled(NamedTuple):
    """The other side has a word about how it is reached."""

    signal: Signal


Happening = Proved | Resumed | Said | Acknowledged | Ended | Signalled


class Phase(Enum):
    """How far two nodes have come."""

    GREETING = "greeting"
    PROVING = "proving"
    RESUMING = "resuming"
    OPEN = "open"
    OVER = "over"


class Session:
    """One side of it. `hello`: ours. `binding`: 32 bytes that only the two ends of this channel know."""

    def __init__(self, hello: Hello, binding: bytes, sign: Sign) -> None:
        self.phase = Phase.GREETING
        self.hello = hello
        self._own_bytes = encode(hello)
        self.binding = binding
        self.sign = sign
        self._reader = FrameReader()
        self._out = bytearray(frame(self._own_bytes))
        self._other: Hello | None = None
        self._other_bytes = b""
        self._key: NodeKey | None = None
        self._sent = Terms(hello.network, 0, hello.node_id, hello.node_id)
        self._taken = 0
        self._has_resumed = self._is_resumed = False

    @property
    def waiting(self) -> int:
        """Bytes that `take` would give."""
        return len(self._out)

    def take(self) -> bytes:
        """What is to be written now."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes, now_ms: int) -> Iterator[Happening]:
        """What bytes from the other side mean, one by one; act on each before the next is asked for.

        Raises a PeerError where the other side breaks a rule; the session is of no use then.
        """
        for body in self._reader.feed(data):
            said = _frames.decode(body)
            if isinstance(said, Bye):
                self.phase = Phase.OVER
                yield Ended(said.reason)
                return
            handler = _TABLE.get((self.phase, type(said)))
            if handler is None:
                raise Malformed(f"{type(said).__name__} while {self.phase.value}")
            yield from handler(self, said, body, now_ms)

    def resume(self, received: int) -> None:
        """Say up to where we have the other's messages; the dialler once it is Proved, the acceptor once Resumed."""
        self._taken = received
        self._has_resumed = True
        self._put(Resume(received=received))
        self._open()

    def say(self, sequence: int, messages: Sequence[bytes], now_ms: int) -> None:
        """Send encoded messages, numbered from `sequence`, or 0 for all."""
        self._put(seal(self.sign, self._sent, sequence, bundle(messages), now_ms))

    def acknowledge(self, sequence: int) -> None:
        """Tell that messages up to `sequence` are on disk here."""
        self._put(Ack(sequence=sequence))

    def signal(self, signal: Signal) -> None:
        """Say how one is reached."""
        self._put(signal)

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._out += _PING

    def end(self, reason: str) -> None:
        """Say goodbye."""
        self.phase = Phase.OVER
        self._put(Bye(reason=reason[:200]))

    def _put(self, said: Frame) -> None:
        self._out += frame(encode(said))

    def _greet(self, said: Hello, body: bytes, now_ms: int) -> Iterator[Happening]:
        self._other, self._other_bytes = said, body
        self._sent = Terms(said.network, self._version(said, now_ms), self.hello.node_id, said.node_id)
        self._key = NodeKey(said.node_id)
        signed = digest("golem session 1", self.binding, self._own_bytes, self._other_bytes)
        self._put(Proof(signature=self.sign(signed)))
        self.phase = Phase.PROVING
        return iter(())

    def _version(self, other: Hello, now_ms: int) -> int:
        """The version to speak. Raises Incompatible where there is no speaking."""
        own = self.hello
        if other.network != own.network:
            raise Incompatible(f"it belongs to network {other.network!r}, this node to {own.network!r}")
        toil.check(own.network, other.node_id)
        if other.node_id == own.node_id:
            raise Incompatible("it is this node itself, or has this node's key")
        if abs(other.at_ms - now_ms) > TOLERANCE_MS:
            raise Incompatible(f"its clock and ours differ by {abs(other.at_ms - now_ms) // 1000} s")
        common = [version for version in own.versions if version in other.versions]
        if not common:
            raise Incompatible(f"it speaks versions {other.versions}, this node {own.versions}")
        return max(common)

    def _prove(self, said: Proof, body: bytes, now_ms: int) -> Iterator[Happening]:
        key, other = self._known()
        signed = digest("golem session 1", self.binding, self._other_bytes, self._own_bytes)
        key.check(said.signature, signed, "proof")
        verify_payee(other.network, other.node_id, other.payee, other.payee_proof)
        self.phase = Phase.RESUMING
        yield Proved(other)

    def _resume(self, said: Resume, body: bytes, now_ms: int) -> Iterator[Happening]:
        if self._is_resumed:
            raise Malformed("Resume twice")
        self._is_resumed = True
        yield Resumed(said.received)
        self._open()

    def _open(self) -> None:
        if self._has_resumed and self._is_resumed and self.phase is Phase.RESUMING:
            self.phase = Phase.OPEN
            self._reader.limit = MAX_FRAME_BYTES

    def _hear(self, said: Envelope, body: bytes, now_ms: int) -> Iterator[Happening]:
        key, _ = self._known()
        spoken = self._sent._replace(sender=self._sent.recipient, recipient=self._sent.sender)
        messages = unseal(said, spoken, key, now_ms)
        if not said.sequence:
            yield from (Said(0, message) for message in messages)
            return
        if self._taken and said.sequence > self._taken + 1:
            raise Replayed(f"message {said.sequence} after {self._taken}")
        for number, message in enumerate(messages, said.sequence):
            if number > self._taken:
                self._taken = number
                yield Said(number, message)

    def _answer(self, said: Ping, body: bytes, now_ms: int) -> Iterator[Happening]:
        self._out += _PONG
        return iter(())

    def _known(self) -> tuple[NodeKey, Hello]:
        assert self._key is not None and self._other is not None, "no phase after GREETING lacks them"
        return self._key, self._other


def _acknowledge(_: Session, said: Ack, body: bytes, now_ms: int) -> Iterator[Happening]:
    yield Acknowledged(said.sequence)


def _signalled(_: Session, said: Signal, body: bytes, now_ms: int) -> Iterator[Happening]:
    yield Signalled(said)


def _live(_: Session, said: Pong, body: bytes, now_ms: int) -> Iterator[Happening]:
    return iter(())


_TABLE: dict[tuple[Phase, type[Frame]], Callable[..., Iterator[Happening]]] = {
    (Phase.GREETING, Hello): Session._greet,
    (Phase.PROVING, Proof): Session._prove,
    (Phase.RESUMING, Resume): Session._resume,
    (Phase.OPEN, Envelope): Session._hear,
    (Phase.OPEN, Ack): _acknowledge,
    (Phase.OPEN, Ping): Session._answer,
    (Phase.OPEN, Pong): _live,
    (Phase.OPEN, Reserve): _signalled,
    (Phase.OPEN, Reserved): _signalled,
    (Phase.OPEN, Ring): _signalled,
    (Phase.OPEN, Knock): _signalled,
}
