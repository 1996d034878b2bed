"""TLS 1.3 between nodes that know each other by key, not by certificate.

The server's certificate is made at start and says nothing: any certificate is accepted. Who the other side is, is
proved inside, by a signature of its node key over the channel's exporter (RFC 9266). Whoever sits in the middle has
two channels with two exporters, and a proof made for one does not hold on the other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    wrapClientTLS,
)
from twisted.internet.interfaces import (
    IListeningPort,
    INegotiated,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTCP,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ISystemHandle,
    ITransport,
)
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from golem.errors import Incompatible
from golem.net.carrier import BINDING_BYTES, HANDSHAKE_S, split_place
from golem.net.door import Doors, Porter, Through
from golem.wire.doorway import What, calling

ALPN = b"golem/1"
EXPORTER = b"EXPORTER-Channel-Binding"  # RFC 9266
BACKLOG = 128  # connections that the system keeps for us while we are busy


def _context() -> SSL.Context:
    """TLS 1.3 alone, with a certificate that nobody looks at. No tickets: every session is a full handshake."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "golem node")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36_500))
        .sign(key, None)
    )
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # 34 KB less for each that says nothing
    context.set_alpn_protos([ALPN])
    context.set_alpn_select_callback(lambda _, offered: ALPN if ALPN in offered else SSL.NO_OVERLAPPING_PROTOCOLS)
    return context


@implementer(IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator)
class _Creator:
    """Makes both ends' connections from one context."""

    def __init__(self) -> None:
        self._context = _context()

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """A dialler's. No server name: it would tell a listener on the line who is looked for."""
        return SSL.Connection(self._context, None)

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """An acceptor's."""
        return SSL.Connection(self._context, None)


class TlsCarrier:
    """`carrier.Carrier` over TCP and TLS. `reactor`: for sockets; `clock`: the same one, for time-outs."""

    def __init__(self, reactor: IReactorTCP, clock: IReactorTime) -> None:
        self._reactor = reactor
        self._clock = clock
        self._creator = _Creator()

    def listen(self, address: str, porter: Porter | None = None) -> IStreamServerEndpoint:
        """Where to listen; an empty host is every interface of this machine."""
        host, port = split_place(address)
        kind = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
        return _Listening(kind(self._reactor, int(port), BACKLOG, host), self, porter)

    def doors(self, sessions: IProtocolFactory, porter: Porter | None) -> IProtocolFactory:
        """Makes what each connection begins as."""
        inside = self.accepted(sessions)
        return inside if porter is None else Doors(porter, self._clock, inside)

    def dial(self, address: str) -> IStreamClientEndpoint:
        """How to reach a host by name or number, or a node through its relay. Raises ValueError."""
        place, slash, node = address.partition("/")
        plain = self.plain(place)
        if slash:
            plain = Through(plain, calling(node, What.SESSION))
        return self.dialled(plain)

    def plain(self, address: str) -> IStreamClientEndpoint:
        """How to reach a host without TLS. Raises ValueError where `address` is no "host:port"."""
        host, port = split_place(address)
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"not a host and a port: {address!r}")
        return HostnameEndpoint(self._reactor, host.encode("idna"), int(port), HANDSHAKE_S)

    def dialled(self, plain: IStreamClientEndpoint) -> IStreamClientEndpoint:
        """The same way, with a channel in it; the content store's gateways are reached so."""
        return wrapClientTLS(self._creator, plain, self._clock)

    def accepted(self, inner: IProtocolFactory) -> IProtocolFactory:
        """Makes channels, and the protocols of `inner` in them."""
        return TLSMemoryBIOFactory(self._creator, False, inner, self._clock)

    def binding(self, transport: ITransport) -> bytes:
        """The exporter, which depends on every byte of this channel's handshake."""
        if INegotiated(transport).negotiatedProtocol != ALPN:
            raise Incompatible("it speaks TLS, but not golem/1")
        connection = ISystemHandle(transport).getHandle()
        assert isinstance(connection, SSL.Connection), "what Twisted promises of a TLS transport"
        return connection.export_keying_material(EXPORTER, BINDING_BYTES, b"")


@implementer(IStreamServerEndpoint)
class _Listening:
    """A port with a door."""

    def __init__(self, plain: IStreamServerEndpoint, carrier: TlsCarrier, porter: Porter | None) -> None:
        self._plain = plain
        self._carrier = carrier
        self._porter = porter

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Begin."""
        return self._plain.listen(self._carrier.doors(protocolFactory, self._porter))
