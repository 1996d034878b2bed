"""pyethereum's words over the packages that came after it, for scripts that know them. Nodes do not use it.

tx = Transaction(nonce, gasprice, startgas, to, value, data).sign(key, chain_id)
node.send(tx.raw); print(tx.hash.hex(), tx.sender.hex())
key = keys.decode_keystore_json(json.load(file), password)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from coincurve import PrivateKey
from eth_account import Account
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from golem.model.ids import Address
from golem.wire.account import address_of, checksummed, keccak256

Key = bytes | str


class denoms:
    """Units, in wei."""

    wei = 1
    babbage = 10**3
    lovelace = 10**6
    shannon = gwei = 10**9
    szabo = 10**12
    finney = 10**15
    ether = 10**18
    turing = 2**256 - 1


def sha3(data: bytes) -> bytes:
    """The chain's hash: keccak-256, which is not what Python calls SHA-3."""
    return keccak256(data)


def zpad(data: bytes, length: int) -> bytes:
    """Zeroes in front, up to a length."""
    return data.rjust(length, b"\0")


def normalize_key(key: Key) -> bytes:
    """A private key as 32 bytes, from bytes or hex. Raises ValueError."""
    raw = bytes.fromhex(key.removeprefix("0x")) if isinstance(key, str) else key
    PrivateKey(raw)  # or raises
    if len(raw) != 32:
        raise ValueError(f"a private key has 32 bytes, not {len(raw)}")
    return raw


def privtoaddr(key: Key) -> bytes:
    """The account of a private key, 20 bytes."""
    return bytes.fromhex(address_of(PrivateKey(normalize_key(key)).public_key.format())[2:])


def checksum_encode(account: bytes) -> str:
    """An account with EIP-55's capitals."""
    return checksummed(Address("0x" + account.hex()))


def _password(pw: Key) -> bytes:
    return pw.encode() if isinstance(pw, str) else pw


class keys:
    """Key files of version 3, and what keys lead to."""

    @staticmethod
    def make_keystore_json(priv: Key, pw: Key, kdf: Literal["pbkdf2", "scrypt"] = "pbkdf2") -> Mapping[str, object]:
        """A key file's content."""
        made: Mapping[str, object] = create_keyfile_json(normalize_key(priv), _password(pw), kdf=kdf)
        return made

    @staticmethod
    def decode_keystore_json(jsondata: Mapping[str, object], pw: Key) -> bytes:
        """The key in a key file. Raises ValueError, also for a wrong password."""
        try:
            return bytes(decode_keyfile_json(dict(jsondata), _password(pw)))
        except (KeyError, TypeError, NotImplementedError) as why:
            raise ValueError(f"not a key file: {why!r}") from why

    @staticmethod
    def privtopub(priv: Key) -> bytes:
        """The public key, 65 bytes."""
        return PrivateKey(normalize_key(priv)).public_key.format(compressed=False)


class Transaction(NamedTuple):
    """A transfer or call of the old kind, with one gas price. `raw`, `hash`, `sender`: once it is signed."""

    nonce: int
    gasprice: int
    startgas: int
    to: bytes
    value: int
    data: bytes = b""
    raw: bytes = b""
    hash: bytes = b""
    sender: bytes = b""

    def sign(self, key: Key, chain_id: int) -> Transaction:
        """The same, signed for one chain (EIP-155), which pyethereum left out and every node asks for today."""
        fields = {
            "nonce": self.nonce,
            "gasPrice": self.gasprice,
            "gas": self.startgas,
            "to": checksum_encode(self.to),
            "value": self.value,
            "data": self.data,
            "chainId": chain_id,
        }
        made = Account.sign_transaction(fields, normalize_key(key))
        return self._replace(raw=bytes(made.raw_transaction), hash=bytes(made.hash), sender=privtoaddr(key))
