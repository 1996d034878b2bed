"""Who may have which content: whoever knows the ticket of a task that has it here pinned; the user's own is public.

A ticket is never sent to a gateway. What is sent is its keyed hash over the channel's exporter, so that neither a
listener nor somebody in the middle learns anything that opens another channel: see docs/adr/0007-content-access.md.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import NamedTuple, Protocol

from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint, ITransport

from golem.model.ids import Ticket

PUBLIC = "user/"  # owners that begin so want to share what they pin
DIGEST_BYTES = 32
WORD_BYTES = 2 * DIGEST_BYTES


class Channels(Protocol):
    """TLS as nodes speak it; `golem.net.tls.TlsCarrier` is it."""

    def dialled(self, plain: IStreamClientEndpoint) -> IStreamClientEndpoint:
        """The same, with a channel in it."""

    def accepted(self, inner: IProtocolFactory) -> IProtocolFactory:
        """Makes channels, and the protocols of `inner` in them."""

    def binding(self, transport: ITransport) -> bytes:
        """What names a channel, and is the same at both of its ends and on no other; once its handshake is over."""


class Pass(NamedTuple):
    """A ticket, and what it is for: the owner of pins, a task."""

    owner: str
    ticket: Ticket

    def word(self, channel: bytes) -> bytes:
        """What the other end of `channel`, named by its exporter, is told to be let in."""
        return sha256(self.owner.encode()).digest() + hmac.digest(self.ticket, channel, "sha256")


class Tickets:
    """The tickets that this node knows: one for each task that it works at, or has worked on."""

    def __init__(self) -> None:
        self._passes: dict[str, Pass] = {}
        self._owners: dict[bytes, str] = {}

    def add(self, owner: str, ticket: Ticket) -> None:
        """Remember a ticket. The first of an owner stays: another's would open what came for the first."""
        if ticket and owner not in self._passes:
            self._passes[owner] = Pass(owner, ticket)
            self._owners[sha256(owner.encode()).digest()] = owner

    def drop(self, owner: str) -> None:
        """Forget a ticket."""
        self._passes.pop(owner, None)
        self._owners.pop(sha256(owner.encode()).digest(), None)

    def of(self, owner: str) -> Pass | None:
        """What opens an owner's content elsewhere."""
        return self._passes.get(owner)

    def visitor(self, word: bytes, channel: bytes) -> str:
        """For which owner a word was said rightly; empty for none: then only what is public is served."""
        known = self._passes.get(self._owners.get(word[:DIGEST_BYTES], ""))
        return known.owner if known and hmac.compare_digest(known.word(channel), word) else ""
