"""What the payment contract is told and what it answers. Amounts between a pair only ever grow."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from golem.model.ids import NOBODY, Address, BatchId
from golem.model.money import Wei
from golem.model.value import Value

MAX_BATCH_WORDS = 500  # 500 existing pairs cost 3.2 M gas, a fifth of a transaction's cap (docs/economics.md)


class Word(Value):
    """All that is ever owed to `payee`: the contract credits the difference to what it has credited before."""

    payee: Address
    cumulative: Wei


class Batch(Value):
    """One payment to many. Sent twice, it pays once."""

    batch_id: BatchId
    words: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=MAX_BATCH_WORDS)]


class Domain(Value):
    """Which contract, on which chain: what is signed for one counts for no other."""

    chain_id: int = 0
    contract: Address = NOBODY


class Voucher(Value):
    """A payer's promise: `payee` gets all of `cumulative` by `due_ms`, or may claim it. `signature`: by the payer."""

    payer: Address
    payee: Address
    cumulative: Wei
    due_ms: int
    signature: Annotated[bytes, Meta(max_length=65)] = b""


class Receipt(Value):
    """A mined transaction."""

    tx_hash: str
    block: int
    gas_used: int
    fee: Wei


class Funds(Value):
    """What an account has: `free` in the contract, to pay with; `claimable` in it, as payee; `wallet` outside of it."""

    free: Wei = Wei(0)
    claimable: Wei = Wei(0)
    wallet: Wei = Wei(0)


class Sighting(Value):
    """The chain as seen at one block, a few deep: what each payer has ever paid us.

    `block_ms`: the block's own time.
    """

    block: int
    block_ms: int
    funds: Funds
    paid: dict[Address, Wei] = {}
