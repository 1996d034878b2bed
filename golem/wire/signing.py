"""What a node key signs, and whether it did. Every digest begins with a domain, so none can stand for another."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

from coincurve import PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from golem.errors import BadSignature
from golem.model.evidence import Evidence
from golem.model.ids import Address, NodeId, is_task_of
from golem.model.messages import Demand, PeerRecord, Withdrawal
from golem.model.value import evolve
from golem.wire import toil
from golem.wire.account import recover_address
from golem.wire.codec import encode

Sign = Callable[[bytes], bytes]
"""`IKeyring.sign`: 64 bytes over a 32-byte digest."""

Word = Demand | Withdrawal | PeerRecord | Evidence
"""What a node says to everybody: it holds by itself, whoever passes it on."""

W = TypeVar("W", Demand, Withdrawal, PeerRecord, Evidence)

SIGNATURE_BYTES = 64
PAYEE_PROOF_BYTES = 65
REMEMBERED = 4_096  # words and proofs that held, of 500 bytes: most come again, with other sessions and neighbours


def digest(domain: str, *parts: bytes) -> bytes:
    """32 bytes that depend on the domain, on every part, and on where one part ends and the next begins."""
    hasher = sha256()
    for part in (domain.encode(), *parts):
        hasher.update(len(part).to_bytes(4, "big"))
        hasher.update(part)
    return hasher.digest()


class NodeKey:
    """A node's public key, parsed once."""

    def __init__(self, node_id: NodeId) -> None:
        try:
            self._key = PublicKey(bytes.fromhex(node_id))
        except ValueError as why:
            raise BadSignature(f"{node_id} is no point of the curve") from why

    def check(self, signature: bytes, signed: bytes, what: str) -> None:
        """Raise BadSignature where `signature` is not this key's over the digest `signed`. High s is refused."""
        try:
            holds = self._key.verify(cdata_to_der(deserialize_compact(signature)), signed, hasher=None)
        except (ValueError, TypeError) as why:
            raise BadSignature(f"{what}: no signature ({why})") from why
        if not holds:
            raise BadSignature(f"{what}: the signature does not hold")


def _digest_of(network: str, word: Word) -> bytes:
    domain = f"golem {type(word).__name__.lower()} 1"
    return digest(domain, network.encode(), encode(evolve(word, signature=b"")))


def sign_word(sign: Sign, network: str, word: W) -> W:
    """Our own word, so that it holds wherever it is passed on within `network`."""
    return evolve(word, signature=sign(_digest_of(network, word)))


def verify_word(network: str, word: Word) -> None:
    """Raise BadSignature where it is not its author's word, or another network's; Cheap where its author is."""
    author = word.node if isinstance(word, PeerRecord) else word.requestor
    if author is None:
        raise BadSignature(f"a {type(word).__name__.lower()} of nobody")
    if isinstance(word, Demand | Withdrawal) and not is_task_of(author, word.task_id):
        raise BadSignature(f"a {type(word).__name__.lower()} for another's task")
    toil.check(network, author)
    _check(author, word.signature, _digest_of(network, word), type(word).__name__.lower())


@lru_cache(REMEMBERED)
def _check(author: NodeId, signature: bytes, signed: bytes, what: str) -> None:
    NodeKey(author).check(signature, signed, what)


def payee_digest(network: str, node_id: NodeId) -> bytes:
    """What the payment key signs to say: this node's income is mine."""
    return digest("golem payee 1", network.encode(), node_id.encode())


@lru_cache(REMEMBERED)
def verify_payee(network: str, node_id: NodeId, payee: Address, proof: bytes) -> None:
    """Raise BadSignature where the account never said that it takes this node's income."""
    if recover_address(payee_digest(network, node_id), proof) != payee:
        raise BadSignature(f"payee proof: not made by {payee}")
