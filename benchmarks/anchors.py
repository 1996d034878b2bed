"""What content is measured beside, on the same machine: plain hashing, plain HTTP, rsync."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from time import perf_counter, sleep

from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.client import URI, Agent
from twisted.web.iweb import IAgentEndpointFactory
from twisted.web.server import Site
from twisted.web.static import File
from zope.interface import implementer

from golem.ipfs.importer import CHUNK_BYTES
from golem.net.tls import TlsCarrier


def hash_s(path: Path) -> float:
    """Seconds to read a file and hash it by chunks, as an importer must."""
    start = perf_counter()
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(CHUNK_BYTES)
        while count := file.readinto(buffer):
            sha256(memoryview(buffer)[:count]).digest()
    return perf_counter() - start


class _Counting(Protocol):
    def __init__(self) -> None:
        self.bytes = 0
        self.ended: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.bytes += len(data)

    def connectionLost(self, reason: object = None) -> None:
        self.ended.callback(None)


class _Hashing(_Counting):
    def __init__(self) -> None:
        super().__init__()
        self.hash = sha256()

    def dataReceived(self, data: bytes) -> None:
        self.hash.update(data)


def http_s(path: Path) -> float:
    """Seconds for the same bytes from twisted.web to its client, hashed as they come."""
    return _http_s(path, lambda site: site, HostnameEndpoint, _Hashing())


def https_s(path: Path) -> float:
    """Seconds for the same bytes by TLS, not hashed."""
    carrier = TlsCarrier(reactor, reactor)

    def way(*where: object) -> IStreamClientEndpoint:
        return carrier.dialled(HostnameEndpoint(*where))

    def around(site: Factory) -> Factory:
        plain = WrappingFactory(site)
        plain.protocol = _OneOne
        return carrier.accepted(plain)

    return _http_s(path, around, way, _Counting())


@implementer(IAgentEndpointFactory)
class _Way:
    def __init__(self, way: Callable[..., IStreamClientEndpoint]) -> None:
        self._way = way

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self._way(reactor, uri.host, uri.port)


class _OneOne(ProtocolWrapper):
    """HTTP/1.1, whatever TLS calls what it carries."""

    negotiatedProtocol = b"http/1.1"


def _http_s(
    path: Path,
    around: Callable[[Factory], Factory],
    way: Callable[..., IStreamClientEndpoint],
    body: _Counting,
) -> float:
    listener = reactor.listenTCP(0, around(Site(File(str(path.parent)))), interface="127.0.0.1")
    start = perf_counter()
    url = f"http://127.0.0.1:{listener.getHost().port}/{path.name}".encode()
    response = blockon(Agent.usingEndpointFactory(reactor, _Way(way)).request(b"GET", url))
    assert response.code == 200
    response.deliverBody(body)
    blockon(body.ended)
    took = perf_counter() - start
    blockon(listener.stopListening())
    return took


def rsync_s(source: Path, folder: Path) -> float:
    """Seconds of `rsync` from its daemon."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rules = folder / "rsyncd.conf"
    rules.write_text(f"port = {port}\naddress = 127.0.0.1\nuse chroot = no\n[m]\npath = {source}\n")
    target = folder / "rsynced"
    with subprocess.Popen(["rsync", "--daemon", "--no-detach", f"--config={rules}"]) as daemon:
        try:
            sleep(0.5)
            start = perf_counter()
            subprocess.run(["rsync", "-a", f"rsync://127.0.0.1:{port}/m/", str(target)], check=True)
            return perf_counter() - start
        finally:
            daemon.terminate()
            shutil.rmtree(target, ignore_errors=True)
