"""The side of a content store that gives: a gateway that listens, with its doors and its rates, and parcels."""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase

from golem.errors import ConfigError
from golem.ipfs.doors import Doors
from golem.ipfs.gateway import Gateway, Shelf, site
from golem.ipfs.parcels import Parcels
from golem.ipfs.rates import Rates
from golem.ipfs.tickets import Channels, Tickets
from golem.ipfs.workers import Workers
from golem.model.messages import Place


class Terms(NamedTuple):
    """What a store keeps and gives. `gateway`: where to listen. `is_public`: everything is for everybody.

    `rate_each`, `rate_all`: bytes a second to one address, and in all; 0 for no bound.
    """

    quota_bytes: int
    gateway: Place = "127.0.0.1:0"
    is_public: bool = False
    rate_each: int = 0
    rate_all: int = 0


class Serving:
    """A gateway, from `open` to `close`. `parcels`: what is given without being asked for."""

    def __init__(self, reactor: PosixReactorBase, terms: Terms, channels: Channels, tickets: Tickets) -> None:
        self._reactor = reactor
        self._terms = terms
        self._channels = channels
        self._tickets = tickets
        self.parcels = Parcels()

    def open(self, shelf: Shelf, workers: Workers) -> None:
        """Listen. Raises ConfigError where the address can't be had."""
        host, _, port = self._terms.gateway.rpartition(":")
        rates = Rates(self._reactor, self._terms.rate_each, self._terms.rate_all)
        inside = site(Gateway(self._reactor, workers, shelf, rates), self._reactor)
        self._doors = Doors(self._reactor, inside, self._tickets, self._channels)
        try:
            self._port: IListeningPort = self._reactor.listenTCP(int(port), self._doors, interface=host.strip("[]"))
        except CannotListenError as why:
            why.__traceback__ = None  # its frames hold the socket that could not be bound
            raise ConfigError(f"ipfs.gateway: can't listen at {self._terms.gateway}: {why.socketError}") from why

    async def close(self) -> None:
        """Listen no more, and hang up on everybody."""
        await maybeDeferred(self._port.stopListening)
        self._doors.close()

    @property
    def place(self) -> Place:
        """The same, with the host that it was told to listen at."""
        return f"{self._terms.gateway.rpartition(':')[0]}:{self.port}"

    @property
    def port(self) -> int:
        """Where it listens."""
        host = self._port.getHost()
        assert isinstance(host, IPv4Address | IPv6Address)
        return int(host.port)
