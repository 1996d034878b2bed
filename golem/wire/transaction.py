"""Transactions of the chain: their bytes (EIP-1559 over RLP), the contract's words, and what to offer for gas. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from golem.model.chain import Word
from golem.model.ids import Address
from golem.model.value import Value, evolve
from golem.wire.account import keccak256

DYNAMIC_FEE = b"\x02"  # the type of EIP-1559's transactions
BASE_GAS = 60_000  # gas limits, with a fifth to spare over benchmarks/gas.py; what is not used costs nothing
NEW_PAIR_GAS = 26_000
USED_PAIR_GAS = 7_500
DEPOSIT_GAS = 60_000
TAKE_GAS = 15_000  # by withdraw, for each payer
CLAIM_GAS = 90_000
ORDER_GAS = 80_000  # reserve of a new pair takes 52,000; the others less
MAX_TX_GAS = 1 << 24  # EIP-7825
BUMP = (9, 8)  # nodes take a replacement that offers 10 % more; 12.5 % is what web3 asks for

Rlp = bytes | int | Sequence["Rlp"]


class Fees(Value):
    """Wei per unit of gas: the most to pay, and the part of it that goes to whoever makes the block."""

    most: Annotated[int, Meta(ge=0)]
    tip: Annotated[int, Meta(ge=0)]


class Transaction(Value):
    """A call of a contract, not signed. `value`: wei sent along. `data`: which function, with what."""

    chain_id: int
    nonce: int
    fees: Fees
    gas: int
    to: Address
    value: int
    data: bytes


def rlp(item: Rlp) -> bytes:
    """Recursive length prefix: how the chain writes bytes, numbers and lists of them."""
    if isinstance(item, int):
        return rlp(item.to_bytes((item.bit_length() + 7) // 8, "big"))
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _prefix(0x80, len(item)) + item
    body = b"".join(map(rlp, item))
    return _prefix(0xC0, len(body)) + body


def _prefix(offset: int, size: int) -> bytes:
    if size < 56:
        return bytes([offset + size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(digits)]) + digits


def _fields(t: Transaction) -> list[Rlp]:
    fees: list[Rlp] = [t.fees.tip, t.fees.most]
    return [t.chain_id, t.nonce, *fees, t.gas, bytes.fromhex(t.to[2:]), t.value, t.data, []]


def digest(transaction: Transaction) -> bytes:
    """The 32 bytes to sign."""
    return keccak256(DYNAMIC_FEE + rlp(_fields(transaction)))


def signed(transaction: Transaction, signature: bytes) -> bytes:
    """What to send. `signature`: 65 bytes r, s, recovery id over the digest."""
    r, s = (int.from_bytes(signature[i : i + 32], "big") for i in (0, 32))
    return DYNAMIC_FEE + rlp([*_fields(transaction), signature[64], r, s])


def word(w: Word) -> bytes:
    """One payment as the contract reads it: the total in 96 bits, then the payee."""
    return w.cumulative.to_bytes(12, "big") + bytes.fromhex(w.payee[2:])


def pay_gas(new_pairs: int, used_pairs: int) -> int:
    """The gas limit of a batch."""
    return BASE_GAS + NEW_PAIR_GAS * new_pairs + USED_PAIR_GAS * used_pairs


def offer(base_fee: int, tips: Sequence[int]) -> Fees:
    """What to offer: covers five full blocks in a row, after each of which the base fee grows by an eighth."""
    median = sorted(tips)[(len(tips) - 1) // 2] if tips else 0
    tip = max(1, median)
    return Fees(most=2 * base_fee + tip, tip=tip)


def raised(old: Fees, now: Fees) -> Fees:
    """What to offer instead of `old`, which was too little: enough now, and enough more that nodes take it."""
    more, part = BUMP
    return Fees(most=max(now.most, -(-old.most * more // part)), tip=max(now.tip, -(-old.tip * more // part)))


def replaced(old: Transaction, now: Fees) -> Transaction:
    """The same call at the same nonce, with more for gas: only one of the two can be mined."""
    return evolve(old, fees=raised(old.fees, now))
