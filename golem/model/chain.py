"""What the payment contract is told and what it answers. Amounts between a pair only ever grow."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from golem.model.ids import Address, BatchId
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
