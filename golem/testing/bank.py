"""The payment contract on a chain of its own, without a network: for tests of the contract and for its price list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files

from coincurve import PrivateKey
from eth_abi.abi import decode, encode
from eth_typing import Address
from twisted.internet.task import Clock

from golem.adapters.devchain.evm import CONTRACT, DevChain, Message, Receipt
from golem.model.chain import Domain, Voucher
from golem.model.ids import Address as Account
from golem.model.money import Wei
from golem.wire.account import address_of, keccak256, sign_digest
from golem.wire.transaction import Fees, Transaction, digest, signed
from golem.wire.voucher import due_digest, release_digest, seal

CHAIN_ID = 1337
ETHER = 10**18
WALLET = 1 << 98  # more than the contract counts
GWEI = 10**9
START_S = 1_700_000_000


class Bank:
    """The contract on a chain of py-evm, driven by raw transactions of four actors; a block for each."""

    def __init__(self, code: bytes = b"") -> None:
        """`code`: of another contract, to compare with."""
        self.contract = "0x" + CONTRACT.hex()
        self.secrets = [sha256(b"actor %d" % i).digest() for i in range(4)]
        self.actors = [_account(secret) for secret in self.secrets]
        made = json.loads((files("golem.adapters") / "pairbank.json").read_text())["runtime"]
        code = code or bytes.fromhex(made.removeprefix("0x"))
        funds = {_raw(actor): WALLET for actor in self.actors}
        self.clock = Clock()
        self.clock.advance(START_S)
        self.chain = DevChain(self.clock, CHAIN_ID, funds, code)
        self.nonces = [0] * len(self.actors)
        self.domain = Domain(chain_id=CHAIN_ID, contract=Account(self.contract))

    def send(self, actor: int, signature: str, *arguments: object, value: int = 0, gas: int = 16_000_000) -> Receipt:
        """Call the contract in a block of its own."""
        return self.send_to(self.contract, actor, call(signature, *arguments), value, gas)

    def send_to(self, to: str, actor: int, data: bytes, value: int, gas: int = 16_000_000) -> Receipt:
        """Send any transaction in a block of its own."""
        transaction = Transaction(
            chain_id=CHAIN_ID,
            nonce=self.nonces[actor],
            fees=Fees(most=2 * GWEI, tip=1),
            gas=gas,
            to=Account(to),
            value=value,
            data=data,
        )
        self.nonces[actor] += 1
        self.chain.add(signed(transaction, sign_digest(self.secrets[actor], digest(transaction))))
        (receipt,) = self.chain.blocks[-1].receipts
        return receipt

    def pay(self, payer: int, words: Sequence[tuple[str, int]], value: int = 0) -> Receipt:
        """Name new totals by payee."""
        packed = [(total << 160 | int(payee, 16)).to_bytes(32, "big") for payee, total in words]
        return self.send(payer, "pay(bytes32[],bytes32)", packed, bytes(32), value=value)

    def push(self, payer: int, words: Sequence[tuple[str, int]], seq: int, value: int = 0) -> Receipt:
        """Send amounts of ether to payees."""
        packed = [(amount << 160 | int(payee, 16)).to_bytes(32, "big") for payee, amount in words]
        return self.send(payer, "push(bytes32[],uint256,bytes32)", packed, seq, bytes(32), value=value)

    def claim(self, payee: int, payer: int, total: int, due_by: int, signer: int) -> Receipt:
        """Claim by a voucher of `payer`, as `signer` has signed it."""
        made = Voucher(
            payer=Account(self.actors[payer]),
            payee=Account(self.actors[payee]),
            cumulative=Wei(total),
            due_ms=due_by * 1000,
        )
        signature = self._seal(signer, due_digest(self.domain, made))
        return self.send(
            payee, "claim_overdue(address,uint256,uint256,bytes)", self.actors[payer], total, due_by, signature
        )

    def release(self, payer: int, payee: int, signer: int, gwei: int, until: int) -> Receipt:
        """Take a reserve back, as `signer` has signed it."""
        who = (Account(self.actors[payer]), Account(self.actors[payee]))
        signature = self._seal(signer, release_digest(self.domain, *who, gwei, until))
        return self.send(payer, "release(address,uint256,bytes)", who[1], until, signature)

    def _seal(self, signer: int, content: bytes) -> bytes:
        return seal(lambda signed_digest: sign_digest(self.secrets[signer], signed_digest), content)

    @property
    def now(self) -> int:
        """The latest block's time, in seconds."""
        return self.chain.head.timestamp

    def wait(self, seconds: int) -> None:
        """Let time pass, and a block be made."""
        self.clock.advance(seconds)
        self.chain.mine()

    def look(self, signature: str, *arguments: object, returns: str = "uint256") -> object:
        """Call a view."""
        message = Message(sender=Address(bytes(20)), to=CONTRACT, value=0, data=call(signature, *arguments))
        done = self.chain.call(message, -1)
        assert not done.is_error
        return decode([returns], done.output)[0]

    def balance(self, account: str) -> int:
        """What an account has outside of the contract."""
        return self.chain.vm(-1).state.get_balance(_raw(account))

    @property
    def held(self) -> int:
        """The ether that the contract has."""
        return self.balance(self.contract)


def call(signature: str, *arguments: object) -> bytes:
    """A call's data."""
    kinds = [kind for kind in signature.partition("(")[2].removesuffix(")").split(",") if kind]
    return keccak256(signature.encode())[:4] + encode(kinds, arguments)


def is_done(receipt: Receipt) -> bool:
    """Whether a transaction was carried out, not reverted."""
    return receipt.state_root == b"\x01"


def _account(secret: bytes) -> str:
    return address_of(PrivateKey(secret).public_key.format())


def _raw(account: str) -> Address:
    return Address(bytes.fromhex(account[2:]))
