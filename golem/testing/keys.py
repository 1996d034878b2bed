"""Keys and chance for tests: fixed by a name, or by a seed."""

from __future__ import annotations

from hashlib import sha256

from coincurve import PrivateKey
from zope.interface import implementer

from golem.interfaces import IEntropy, IKeyring
from golem.model.ids import Address, NodeId
from golem.wire.account import address_of


@implementer(IKeyring)
class FixedKeyring:
    """The keys of `name`: the same in every run, and worth nothing."""

    def __init__(self, name: str) -> None:
        self._node = PrivateKey(sha256(b"golem test node key/" + name.encode()).digest())
        self._payment = PrivateKey(sha256(b"golem test payment key/" + name.encode()).digest())
        self.node_id = NodeId(self._node.public_key.format().hex())
        self.account: Address = address_of(self._payment.public_key.format())

    def sign(self, digest: bytes) -> bytes:
        """64 bytes by the node key."""
        return self._node.sign_recoverable(digest, hasher=None)[:64]

    def sign_payment(self, digest: bytes) -> bytes:
        """65 bytes by the payment key."""
        return self._payment.sign_recoverable(digest, hasher=None)


@implementer(IEntropy)
class SeededEntropy:
    """One stream of bytes per seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def token(self, size: int) -> bytes:
        """The stream's next `size` bytes."""
        data = b""
        while len(data) < size:
            self._drawn += 1
            data += sha256(f"{self._seed}/{self._drawn}".encode()).digest()
        return data[:size]
