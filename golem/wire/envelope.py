"""Envelopes: all that one node says to another in one turn of its reactor, numbered and under one signature.

An envelope stands by itself: who said what to whom can be shown to others later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from msgspec import Meta

from golem.errors import Incompatible, Malformed, Replayed
from golem.model.budgets import ENVELOPE
from golem.model.ids import NodeId
from golem.model.messages import Message
from golem.model.spec import Count, Name
from golem.model.value import Value
from golem.wire.codec import Decoder, encode
from golem.wire.frame import MAX_FRAME_BYTES
from golem.wire.signing import SIGNATURE_BYTES, NodeKey, Sign, digest

MAX_MESSAGES = ENVELOPE.limit  # in an envelope: a signature costs 50 us, so more would save less than 0.2 us a message
MAX_BATCH_BYTES = 768 << 10  # several messages share an envelope only up to here; one alone may be larger
MAX_BODY_BYTES = MAX_FRAME_BYTES - 1024  # what stands around the body takes less than 450 bytes
LIFETIME_MS = 60_000  # an envelope is made when it is written; a stalled session is dropped after 30 s
TOLERANCE_MS = 600_000  # clocks of two nodes may differ by ten minutes

Messages = Annotated[tuple[Message, ...], Meta(min_length=1, max_length=MAX_MESSAGES)]

_bodies: Decoder[tuple[Message, ...]] = Decoder(Messages)


class Terms(NamedTuple):
    """What all envelopes from one side of a session have in common."""

    network: str
    version: int
    sender: NodeId
    recipient: NodeId


class Envelope(Value):
    """`sequence`: the number of its first message, or 0 for all where order does not matter and none is sent again.

    `body`: a MessagePack array of messages. `signature`: by the sender, over everything else.
    """

    network: Name
    version: Annotated[int, Meta(ge=1, le=2**16)]
    sender: NodeId
    recipient: NodeId
    sequence: Count
    expires_ms: Count
    body: Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


def bundle(messages: Sequence[bytes]) -> bytes:
    """A body of messages that are encoded already."""
    count = len(messages)
    head = bytes([0x90 | count]) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    return head + b"".join(messages)


def _digest(terms: Terms, sequence: int, expires_ms: int, body: bytes) -> bytes:
    numbers = b"%d %d %d" % (terms.version, sequence, expires_ms)
    names = (terms.network.encode(), terms.sender.encode(), terms.recipient.encode())
    return digest("golem envelope 1", *names, numbers, body)


def seal(sign: Sign, terms: Terms, sequence: int, body: bytes, now_ms: int) -> Envelope:
    """Sign a body, for one recipient and for a minute."""
    expires_ms = now_ms + LIFETIME_MS
    return Envelope(
        network=terms.network,
        version=terms.version,
        sender=terms.sender,
        recipient=terms.recipient,
        sequence=sequence,
        expires_ms=expires_ms,
        body=body,
        signature=sign(_digest(terms, sequence, expires_ms, body)),
    )


def unseal(envelope: Envelope, terms: Terms, key: NodeKey, now_ms: int) -> tuple[Message, ...]:
    """The messages, once everything about the envelope holds; cheap checks first, and none of it is built before.

    Raises Incompatible, Replayed, BadSignature, Malformed.
    """
    said = Terms(envelope.network, envelope.version, envelope.sender, envelope.recipient)
    if said != terms:
        raise Incompatible(f"an envelope for {said} where {terms} is spoken")
    if not now_ms - TOLERANCE_MS <= envelope.expires_ms <= now_ms + LIFETIME_MS + TOLERANCE_MS:
        raise Replayed(f"an envelope that expires {envelope.expires_ms - now_ms} ms from now")
    signed = _digest(terms, envelope.sequence, envelope.expires_ms, envelope.body)
    key.check(envelope.signature, signed, "envelope")
    messages = _bodies.decode(envelope.body)
    if encode(messages) != envelope.body:
        raise Malformed("not the canonical bytes of these messages")
    return messages
