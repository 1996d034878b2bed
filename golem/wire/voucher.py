"""What payer and payee sign for the contract (EIP-712): a promise to pay by a date, and the release of a reserve."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from golem.errors import BadSignature
from golem.model.chain import Consent, Domain, Release, Voucher
from golem.model.ids import Address
from golem.model.messages import Acceptance
from golem.model.money import Wei
from golem.model.value import evolve
from golem.wire.account import keccak256, recover_address

SignPayment = Callable[[bytes], bytes]
"""`IKeyring.sign_payment`: 65 bytes r, s, recovery id over a 32-byte digest."""

SIGNATURE_BYTES = 65
V_OFFSET = 27  # the contract's `ecrecover` counts recovery ids from here, as Ethereum's first version did
_DOMAIN_TYPE = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_DUE_TYPE = keccak256(b"Due(address payer,address payee,uint96 cumulative,uint64 dueBy)")
_RELEASE_TYPE = keccak256(b"Release(address payer,address payee,uint64 gwei,uint64 until)")
_NAME, _VERSION = keccak256(b"PairBank"), keccak256(b"1")


def due_s(due_ms: int) -> int:
    """The instant of a voucher as the contract counts: in seconds, never earlier than promised."""
    return -(-due_ms // 1000)


def due_digest(domain: Domain, voucher: Voucher) -> bytes:
    """What the payer signs."""
    who = (_account(voucher.payer), _account(voucher.payee))
    return _digest(domain, _DUE_TYPE, *who, _number(voucher.cumulative), _number(due_s(voucher.due_ms)))


def release_digest(domain: Domain, payer: Address, payee: Address, gwei: int, until_s: int) -> bytes:
    """What the payee signs to let the payer take back its reserve of `gwei`, until an instant in seconds."""
    return _digest(domain, _RELEASE_TYPE, _account(payer), _account(payee), _number(gwei), _number(until_s))


def seal(sign: SignPayment, digest: bytes) -> bytes:
    """A signature as the contract reads it."""
    made = sign(digest)
    return made[:64] + bytes([made[64] + V_OFFSET])


def sign_acceptance(sign: SignPayment, domain: Domain, acceptance: Acceptance) -> Acceptance:
    """Our acceptance, with the voucher that makes it hold before the contract. Signing again makes the same bytes."""
    return evolve(acceptance, signature=seal(sign, due_digest(domain, acceptance.voucher)))


def verify_voucher(domain: Domain, voucher: Voucher) -> None:
    """Raise BadSignature where the payer did not sign it, or for another contract or chain."""
    if not _is_whole(voucher.signature):
        raise BadSignature(f"voucher of {voucher.payer}: not the {SIGNATURE_BYTES} bytes of a signature")
    if _signer(due_digest(domain, voucher), voucher.signature) != voucher.payer:
        raise BadSignature(
            f"voucher: not signed by {voucher.payer} for the contract {domain.contract} on chain {domain.chain_id}"
        )


def sign_consent(sign: SignPayment, domain: Domain, payer: Address, payee: Address, gwei: int, until_s: int) -> Consent:
    """Let `payer` have all of its reserve for us, `payee`, back at once."""
    signature = seal(sign, release_digest(domain, payer, payee, gwei, until_s))
    return Consent(amount=Wei(gwei * 10**9), until_s=until_s, signature=signature)


def is_consent(domain: Domain, payer: Address, release: Release, gwei: int) -> bool:
    """Whether the payee has signed that `payer` may have its reserve of `gwei` back."""
    digest = release_digest(domain, payer, release.payee, gwei, release.until_s)
    with suppress(BadSignature):
        return _is_whole(release.signature) and _signer(digest, release.signature) == release.payee
    return False


def _is_whole(signature: bytes) -> bool:
    return len(signature) == SIGNATURE_BYTES and signature[64] in (V_OFFSET, V_OFFSET + 1)


def _signer(digest: bytes, signature: bytes) -> Address:
    return recover_address(digest, signature[:64] + bytes([signature[64] - V_OFFSET]))


def _digest(domain: Domain, kind: bytes, *fields: bytes) -> bytes:
    return keccak256(b"\x19\x01" + _separator(domain.chain_id, domain.contract) + keccak256(kind + b"".join(fields)))


@lru_cache(maxsize=4)  # a node has one domain
def _separator(chain_id: int, contract: Address) -> bytes:
    return keccak256(_DOMAIN_TYPE + _NAME + _VERSION + _number(chain_id) + _account(contract))


def _number(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _account(account: Address) -> bytes:
    return bytes.fromhex(account[2:]).rjust(32, b"\0")
