"""pyethereum's words, and what they meant."""

from __future__ import annotations

import pytest
from eth_account import Account

from golem.testing.pyethereum import Transaction, checksum_encode, denoms, normalize_key, privtoaddr, sha3, zpad

KEY = "0x" + "46" * 32  # of EIP-155's own example
TO = bytes.fromhex("35" * 20)


def test_a_transaction_is_signed_as_eip_155_shows() -> None:
    tx = Transaction(9, 20 * denoms.gwei, 21_000, TO, denoms.ether).sign(KEY, 1)
    assert tx.raw.hex() == (
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"
        "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )
    assert tx.hash == sha3(tx.raw)
    assert Account.recover_transaction(tx.raw) == checksum_encode(tx.sender) == checksum_encode(privtoaddr(KEY))


def test_accounts_and_hashes_are_the_chains() -> None:
    assert sha3(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert zpad(b"a", 3) == b"\0\0a"
    assert checksum_encode(bytes.fromhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")) == (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    )


@pytest.mark.parametrize("key", ["", "0x", "0x" + "00" * 32, "0x" + "ff" * 32, b"1" * 31, b"1" * 33, "what"])
def test_what_is_no_key_is_refused(key: str | bytes) -> None:
    with pytest.raises(ValueError):
        normalize_key(key)
