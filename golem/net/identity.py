"""Who a node is to others, and how it introduces itself on a channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime, ITransport

from golem.interfaces import IEntropy, IKeyring
from golem.model.chain import Domain
from golem.model.messages import Place
from golem.wire.seals import payee_proof
from golem.wire.session import NONCE_BYTES, VERSIONS, Hello, Session


class Identity(NamedTuple):
    """Who we are. `listen`: "host:port", port 0 takes a free one; or empty: nobody dials us.

    `address`: how others reach that, or empty if so. `gateway`, `epoch`: asked for at each handshake; without an epoch
    yet, others are sent away. `shelf`: our gateway as we reach it ourselves. `domain`: what the vouchers that we take
    are for. `relay`: whether we carry for others.
    """

    keyring: IKeyring
    network: str
    listen: Place
    address: Place
    gateway: Callable[[], Place]
    epoch: Callable[[], str]
    domain: Domain = Domain()
    shelf: Callable[[], Place] = str
    relay: bool = True


class Introduction:
    """Makes our side of sessions. `binding`: of a channel; `where`: our address and our gateway, as of now."""

    def __init__(
        self,
        identity: Identity,
        binding: Callable[[ITransport], bytes],
        clock: IReactorTime,
        entropy: IEntropy,
        where: Callable[[], tuple[Place, Place]],
    ) -> None:
        self._identity = identity
        self._binding = binding
        self._clock = clock
        self._entropy = entropy
        self._where = where
        self._payee_proof = b""

    def __call__(self, transport: ITransport) -> Session:
        """See `golem.net.peer.Owner.introduce`."""
        identity = self._identity
        self._payee_proof = self._payee_proof or payee_proof(identity.keyring, identity.network)
        address, gateway = self._where()
        hello = Hello(
            network=identity.network,
            versions=VERSIONS,
            node_id=identity.keyring.node_id,
            epoch=identity.epoch(),
            address=address,
            gateway=gateway,
            payee=identity.keyring.account,
            payee_proof=self._payee_proof,
            nonce=self._entropy.token(NONCE_BYTES),
            at_ms=int(self._clock.seconds() * 1000),
        )
        return Session(hello, self._binding(transport), identity.keyring.sign)
