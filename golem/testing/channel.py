"""A channel through somebody else's hands, as TLS is one: both ends know what nobody between them was told to make.

What passes is not hidden: in memory nobody looks. Each end says a secret of its own first; the binding is made of both.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from twisted.internet.interfaces import IAddress, IHandshakeListener, IProtocol, IProtocolFactory, ITransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

SECRET_BYTES = 32


class Channel(ProtocolWrapper):
    """One end. `binding`: empty until the handshake is over."""

    def __init__(self, factory: Channels, inner: IProtocol) -> None:
        super().__init__(factory, inner)
        self.binding = b""
        self._own = factory.secret()
        self._is_dialled = factory.is_dialled
        self._heard = b""

    def makeConnection(self, transport: ITransport) -> None:
        """Begin the handshake."""
        super().makeConnection(transport)
        transport.write(self._own)

    def dataReceived(self, data: bytes) -> None:
        """The other's secret, and then what is meant for the protocol inside."""
        if not self.binding:
            self._heard += data
            theirs, data = self._heard[:SECRET_BYTES], self._heard[SECRET_BYTES:]
            if len(theirs) < SECRET_BYTES:
                return
            both = (self._own, theirs) if self._is_dialled else (theirs, self._own)
            self.binding = sha256(b"".join(both)).digest()
            IHandshakeListener(self.wrappedProtocol).handshakeCompleted()
        if data:
            super().dataReceived(data)


class Channels(WrappingFactory[Channel]):
    """Makes ends. `secret`: drawn for each. `is_dialled`: of the dialler's side."""

    protocol = Channel
    noisy = False

    def __init__(self, inner: IProtocolFactory, secret: Callable[[], bytes], *, is_dialled: bool) -> None:
        super().__init__(inner)
        self.secret = secret
        self.is_dialled = is_dialled

    def buildProtocol(self, addr: IAddress | None) -> Channel:
        """An end for a new connection."""
        inner = self.wrappedFactory.buildProtocol(addr)
        assert inner is not None, "factories of this project never refuse"
        return Channel(self, inner)
