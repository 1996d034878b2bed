"""Accounts of the chain, as far as messages need them: hashes, addresses, and who signed."""

from __future__ import annotations

from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak

from golem.errors import BadSignature
from golem.model.ids import Address


def keccak256(data: bytes) -> bytes:
    """The chain's hash, 32 bytes."""
    return keccak.new(data=data, digest_bits=256).digest()


def address_of(public_key: bytes) -> Address:
    """The account of a public key, compressed or not."""
    return Address("0x" + keccak256(PublicKey(public_key).format(compressed=False)[1:])[-20:].hex())


def checksummed(account: Address) -> str:
    """An account as people copy it: capitals that fit its digits, and most typos do not (EIP-55)."""
    digits = keccak256(account[2:].encode()).hex()
    return "0x" + "".join(c.upper() if int(d, 16) > 7 else c for c, d in zip(account[2:], digits, strict=False))


def sign_digest(secret: bytes, digest: bytes) -> bytes:
    """65 bytes r, s, recovery id (0 or 1) over a 32-byte digest; deterministic, low s."""
    return PrivateKey(secret).sign_recoverable(digest, hasher=None)


def recover_address(digest: bytes, signature: bytes) -> Address:
    """The account whose key made a 65-byte signature over a 32-byte digest. Raises BadSignature."""
    try:
        return address_of(PublicKey.from_signature_and_message(signature, digest, hasher=None).format())
    except (ValueError, TypeError) as why:
        raise BadSignature(f"no account made this signature: {why}") from why
