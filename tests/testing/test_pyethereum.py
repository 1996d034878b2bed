"""pyethereum's words, and what they meant."""

from __future__ import annotations

from typing import Literal

import pytest
from eth_account import Account

from golem.testing.pyethereum import (
    Transaction,
    checksum_encode,
    denoms,
    keys,
    normalize_key,
    privtoaddr,
    sha3,
    zpad,
)

KEY = "0x" + "46" * 32  # of EIP-155's own example
TO = bytes.fromhex("35" * 20)
SECRET = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")
PBKDF2: dict[str, object] = {  # the Web3 Secret Storage Definition's own examples
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
SCRYPT: dict[str, object] = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "p": 8,
            "r": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}


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


def test_units_are_those_of_the_chain() -> None:
    assert [denoms.wei, denoms.babbage, denoms.lovelace, denoms.shannon, denoms.szabo, denoms.finney, denoms.ether] == [
        10**power for power in (0, 3, 6, 9, 12, 15, 18)
    ]
    assert (denoms.gwei, denoms.turing) == (denoms.shannon, 2**256 - 1)


@pytest.mark.parametrize("file", [PBKDF2, SCRYPT], ids=["pbkdf2", "scrypt"])
def test_key_files_are_read_as_their_definition_shows(file: dict[str, object]) -> None:
    assert keys.decode_keystore_json(file, "testpassword") == SECRET
    with pytest.raises(ValueError, match="MAC"):
        keys.decode_keystore_json(file, "another")


@pytest.mark.parametrize("kdf", ["pbkdf2", "scrypt"])
def test_a_key_file_gives_back_the_key_that_it_was_made_of(kdf: Literal["pbkdf2", "scrypt"]) -> None:
    made = keys.make_keystore_json(KEY, b"word", kdf)
    assert keys.decode_keystore_json(made, "word").hex() == KEY[2:]
    assert made["version"] == 3


@pytest.mark.parametrize("file", [{}, {"version": 3}, {"version": 1}, {**PBKDF2, "crypto": {}}], ids=str)
def test_what_is_no_key_file_is_refused(file: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        keys.decode_keystore_json(file, "testpassword")


def test_a_public_key_leads_to_the_account() -> None:
    public = keys.privtopub(KEY)
    assert (len(public), public[0]) == (65, 4)
    assert sha3(public[1:])[-20:] == privtoaddr(KEY)
