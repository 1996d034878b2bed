"""What sessions run on: TLS in production, memory in tests."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import (
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ITransport,
)

from golem.model import budgets
from golem.net.door import Porter

HANDSHAKE_S = float(budgets.HANDSHAKE_S.limit)
DIALS = budgets.DIALS
BINDING_BYTES = 32


class Carrier(Protocol):
    """Channels that nobody else can read or change.

    The protocol's `handshakeCompleted` (IHandshakeListener) is called once `binding` can be asked for.
    """

    def listen(self, address: str, porter: Porter | None = None) -> IStreamServerEndpoint:
        """Where to listen: "host:port"; port 0 takes a free one. `porter`: for those who want no session."""

    def dial(self, address: str) -> IStreamClientEndpoint:
        """How to reach "host:port", or "relay's host:port/node". Raises ValueError where `address` is no such thing."""

    def plain(self, address: str) -> IStreamClientEndpoint:
        """A connection to "host:port" that anybody on its way can read and change. Raises ValueError."""

    def accepted(self, sessions: IProtocolFactory) -> IProtocolFactory:
        """Makes, of such a connection, one of the kind that `listen` has: this side is the one that was dialled."""

    def binding(self, transport: ITransport) -> bytes:
        """32 bytes that both ends of this channel, and nobody else, can compute.

        Raises Incompatible where the other side speaks no protocol of ours.
        """


def split_place(place: str) -> tuple[str, str]:
    """Host and port, as text; the host may be empty, an IPv6 one loses its brackets."""
    host, _, port = place.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), port


def join_place(host: str, port: str | int) -> str:
    """The place "host:port", with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def seen_from(host: str, place: str) -> str:
    """Where a peer at `host` says it is; a name that only it could dial is replaced by `host`.

    What a relay carries stays as it is, and so does all that one says through a relay.
    """
    if "/" in place or not host:
        return place
    said, port = split_place(place)
    if not port or (said not in _ANY and (said not in SELF or host in SELF)):
        return place
    return join_place(host, port)


_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - what a peer may say of itself, not where we listen
SELF = ("127.0.0.1", "::1", "localhost")
