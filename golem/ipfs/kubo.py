"""A client of an IPFS daemon's RPC (Kubo's, `/api/v0`), in Twisted style: every command answers with a Deferred.

Names are the daemon's: `client.cat(...)`, `client.pin.add(...)`, `client.dag.import_(...)`. An answer that stalls,
breaks off or says no is a DaemonFault. A daemon may fail in the midst of an answer that looks whole, so
what matters is checked by content: ids by whoever reads blocks, roots here. Cancel a Deferred, and the transfer stops.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from twisted.internet.base import ReactorBase
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web import http
from twisted.web.client import URI, Agent, HTTPConnectionPool, RequestTransmissionFailed, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from golem.errors import ConfigError, DaemonFault, TooLarge
from golem.ipfs.body import PATIENCE_S, Body
from golem.ipfs.importer import CHUNK_BYTES
from golem.ipfs.upload import BOUNDARY, Batch, Upload
from golem.model.ids import Cid

T = TypeVar("T")

CONNECT_S = 10.0
MAX_ANSWER_BYTES = 1 << 20  # of JSON: 10,000 pins
MAX_MESSAGE_BYTES = 4096  # of what a daemon says of an error
_FAULTS = (
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    ConnectingCancelledError,
    ResponseFailed,
    RequestTransmissionFailed,
    TookTooLong,
)


class _Message(msgspec.Struct):
    text: str = msgspec.field(name="Message", default="")


class _Link(msgspec.Struct):
    cid: str = msgspec.field(name="/")


class _Root(msgspec.Struct):
    cid: _Link = msgspec.field(name="Cid")
    pin_error: str = msgspec.field(name="PinErrorMsg", default="")


class _Imported(msgspec.Struct):
    root: _Root | None = msgspec.field(name="Root", default=None)


class _Added(msgspec.Struct):
    cid: Cid = msgspec.field(name="Hash")


class _Pins(msgspec.Struct):
    keys: dict[str, object] = msgspec.field(name="Keys", default_factory=dict)


class Version(msgspec.Struct):
    """What a daemon is."""

    version: str = msgspec.field(name="Version")


class Identity(msgspec.Struct):
    """Who a daemon is, and where other daemons find it."""

    id: str = msgspec.field(name="ID")
    addresses: list[str] = msgspec.field(name="Addresses", default_factory=list)


class Stat(msgspec.Struct):
    """How much a daemon keeps."""

    bytes: int = msgspec.field(name="RepoSize")


class Client:
    """One daemon. `api`: "http://host:port", or "unix:/path". `authorization`: "name:password", or a bearer token."""

    def __init__(self, reactor: ReactorBase, api: str, authorization: str = "") -> None:
        """Raises ConfigError where `api` is neither."""
        self.api = api
        self._clock = reactor
        self._pool = HTTPConnectionPool(reactor)
        self._headers = {"user-agent": ["golem"]}
        if authorization:
            is_pair = ":" in authorization
            word = "Basic " + b64encode(authorization.encode()).decode() if is_pair else f"Bearer {authorization}"
            self._headers["authorization"] = [word]
        parts = urlsplit(api)
        if parts.scheme == "unix" and parts.path.startswith("/"):
            endpoints = _Socket(reactor, parts.path)
            self._agent = Agent.usingEndpointFactory(reactor, endpoints, self._pool)
            self._base = "http://localhost"
        elif parts.scheme in ("http", "https") and parts.hostname:
            self._agent = Agent(reactor, connectTimeout=CONNECT_S, pool=self._pool)
            self._base = api.rstrip("/")
        else:
            raise ConfigError(f"ipfs.api: {api!r} is neither http://host:port nor unix:/path")
        self.pin, self.dag, self.block = Pin(self), Dag(self), Block(self)
        self.repo, self.swarm = Repo(self), Swarm(self)

    def close(self) -> Deferred[None]:
        """Let go of idle connections."""
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed

    def version(self) -> Deferred[Version]:
        """Which daemon this is."""
        return self.ask("version", Version)

    def id(self) -> Deferred[Identity]:
        """Who it is."""
        return self.ask("id", Identity)

    def add(self, batch: Batch, **options: str) -> Deferred[Cid]:
        """Give the daemon a file, batch by batch, and have it pinned; says its id, unchecked.

        It is cut as we cut files, as long as it is below a gibibyte. `options`: the daemon's own.
        """
        cut = {"cid-version": "1", "cid-base": "base32", "raw-leaves": "true", "chunker": f"size-{CHUNK_BYTES}"}

        async def added() -> Cid:
            lines = (await self.send("add", Upload(batch), **(cut | options))).splitlines()
            return _parsed("add", lines[-1] if lines else b"", _Added).cid

        return Deferred.fromCoroutine(added())

    def cat(self, cid: Cid, limit: int, offset: int = 0) -> Deferred[bytes]:
        """The bytes of a file, as the daemon says they are: unchecked. Raises TooLarge past `limit`."""
        return self.read("cat", limit, arg=cid, offset=str(offset))

    def ask(self, command: str, kind: type[T], **options: str) -> Deferred[T]:
        """A command that answers with one JSON object."""

        async def asked() -> T:
            return _parsed(command, await self.read(command, MAX_ANSWER_BYTES, **options), kind)

        return Deferred.fromCoroutine(asked())

    def read(self, command: str, limit: int, **options: str) -> Deferred[bytes]:
        """A command's whole answer; raises TooLarge past `limit`."""

        async def taken() -> bytes:
            return await self._taken(await self._call(command, options), command, limit)

        return Deferred.fromCoroutine(taken())

    def stream(self, command: str, **options: str) -> Deferred[IResponse]:
        """A command whose answer the caller reads as it comes; it must."""
        return Deferred.fromCoroutine(self._call(command, options))

    def send(self, command: str, upload: Upload, **options: str) -> Deferred[bytes]:
        """A command that takes a file."""

        async def sent() -> bytes:
            return await self._taken(await self._call(command, options, upload), command, MAX_ANSWER_BYTES)

        return Deferred.fromCoroutine(sent())

    async def _call(self, command: str, options: dict[str, str], upload: Upload | None = None) -> IResponse:
        url = f"{self._base}/api/v0/{command}?{urlencode(options, quote_via=quote)}"
        headers = Headers(self._headers)
        if upload is not None:
            headers.setRawHeaders("content-type", [f"multipart/form-data; boundary={BOUNDARY}"])
        answer: Deferred[IResponse] = self._agent.request(b"POST", url.encode(), headers, upload)
        if upload is not None:
            upload.watch(self._clock, answer.cancel)
        else:
            answer.addTimeout(PATIENCE_S, self._clock)
        try:
            response = await answer
        except (*_FAULTS, CancelledError) as why:
            raise DaemonFault(f"{self.api}: {command}: no answer: {type(why).__name__} {why} (ipfs.api)") from why
        finally:
            if upload is not None:
                upload.end()
        if response.code == http.OK:
            return response
        said = await self._taken(response, command, MAX_MESSAGE_BYTES)
        with suppress(msgspec.MsgspecError):  # some errors are plain text
            said = msgspec.json.decode(said, type=_Message).text.encode() or said
        text = said.decode("utf-8", "replace").strip()[:200]
        raise DaemonFault(f"{self.api}: {command}: HTTP {response.code}: {text}")

    async def _taken(self, response: IResponse, command: str, limit: int) -> bytes:
        data = bytearray()

        async def take(more: list[bytes]) -> None:
            if len(data) + sum(map(len, more)) > limit:
                raise TooLarge(f"{self.api}: {command}: an answer of more than {limit} bytes")
            data.extend(b"".join(more))

        body = Body(self._clock, lambda more: Deferred.fromCoroutine(take(more)))
        response.deliverBody(body)
        if ended := await body.ended:
            raise DaemonFault(f"{self.api}: {command}: the answer broke off: {ended}")
        return bytes(data)


class Pin:
    """`client.pin`: what the daemon keeps."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(self, cid: Cid) -> Deferred[bytes]:
        """Keep a graph."""
        return self._client.read("pin/add", MAX_ANSWER_BYTES, arg=cid)

    def rm(self, cid: Cid) -> Deferred[bytes]:
        """Let go of it."""
        return self._client.read("pin/rm", MAX_ANSWER_BYTES, arg=cid)

    def ls(self) -> Deferred[list[str]]:
        """The ids of all graphs kept."""
        options = {"type": "recursive", "cid-base": "base32"}
        return self._client.ask("pin/ls", _Pins, **options).addCallback(lambda pins: sorted(pins.keys))


class Dag:
    """`client.dag`: graphs as CARs."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def export(self, cid: Cid) -> Deferred[IResponse]:
        """A CAR, depth first, each block once, to be checked by whoever reads it."""
        return self._client.stream("dag/export", arg=cid)

    def import_(self, batch: Batch, root: Cid) -> Deferred[None]:
        """Give the daemon a CAR, batch by batch, and have `root` pinned.

        Raises DaemonFault unless the daemon says that it is.
        """

        async def imported() -> None:
            lines = (await self._client.send("dag/import", Upload(batch), **{"pin-roots": "true"})).splitlines()
            answers = [_parsed("dag/import", line, _Imported) for line in lines if line.strip()]
            for answer in answers:
                if answer.root is not None and answer.root.cid.cid == root and not answer.root.pin_error:
                    return
            errors = [answer.root.pin_error for answer in answers if answer.root is not None]
            raise DaemonFault(f"{self._client.api}: dag/import: {root} was not pinned: {errors}")

        return Deferred.fromCoroutine(imported())


class Block:
    """`client.block`: single blocks."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, cid: Cid, limit: int) -> Deferred[bytes]:
        """One block, unchecked."""
        return self._client.read("block/get", limit, arg=cid)


class Repo:
    """`client.repo`: the daemon's disk."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def stat(self) -> Deferred[Stat]:
        """How much it keeps."""
        return self._client.ask("repo/stat", Stat, **{"size-only": "true"})

    def gc(self) -> Deferred[bytes]:
        """Drop what nothing pins."""
        return self._client.read("repo/gc", MAX_ANSWER_BYTES, quiet="true")


class Swarm:
    """`client.swarm`: other daemons."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def connect(self, address: str) -> Deferred[bytes]:
        """Connect to a daemon by its multiaddress."""
        return self._client.read("swarm/connect", MAX_ANSWER_BYTES, arg=address)


@implementer(IAgentEndpointFactory)
class _Socket:
    def __init__(self, reactor: ReactorBase, path: str) -> None:
        self._reactor = reactor
        self._path = path

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """The socket, whatever the address."""
        return UNIXClientEndpoint(self._reactor, self._path, timeout=CONNECT_S)


def _parsed(command: str, data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind, strict=False)  # js-ipfs writes numbers as text
    except msgspec.MsgspecError as why:
        raise DaemonFault(f"ipfs.api: {command}: no answer of an IPFS daemon: {why}") from why
