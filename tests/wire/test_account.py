"""Hashes, addresses and signatures, held against eth-hash, eth-account and eth-keys."""

from __future__ import annotations

from contextlib import suppress

from coincurve import PrivateKey
from eth_account import Account as Wallet
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey as OtherKey
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import BadSignature
from golem.model.ids import Address
from golem.wire.account import address_of, checksummed, keccak256, recover_address, sign_digest

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
secrets = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32)


@given(st.binary(max_size=300))
def test_the_hash_is_the_chains(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


@given(secrets)
def test_a_key_has_the_address_that_other_wallets_give_it(secret: bytes) -> None:
    key = PrivateKey(secret).public_key
    assert (
        address_of(key.format()) == address_of(key.format(compressed=False)) == Wallet.from_key(secret).address.lower()
    )


@given(secrets)
def test_an_account_has_the_capitals_that_other_wallets_give_it(secret: bytes) -> None:
    other = Wallet.from_key(secret).address
    assert checksummed(Address(other.lower())) == other


@given(secrets, digests)
def test_a_signature_is_what_other_wallets_make_and_names_its_signer(secret: bytes, digest: bytes) -> None:
    signature = sign_digest(secret, digest)
    assert signature == OtherKey(secret).sign_msg_hash(digest).to_bytes()
    assert recover_address(digest, signature) == address_of(PrivateKey(secret).public_key.format())


@given(secrets, digests, st.integers(0, 64 * 8 - 1))
def test_a_signature_changed_by_a_bit_never_names_its_signer(secret: bytes, digest: bytes, bit: int) -> None:
    changed = bytearray(sign_digest(secret, digest))
    changed[bit // 8] ^= 1 << bit % 8
    with suppress(BadSignature):
        assert recover_address(digest, bytes(changed)) != address_of(PrivateKey(secret).public_key.format())


@given(st.binary(max_size=70), st.binary(max_size=40))
def test_garbage_is_a_bad_signature_and_nothing_worse(signature: bytes, digest: bytes) -> None:
    with suppress(BadSignature):
        recover_address(digest, signature)
