"""What the payment contract is told and what it answers. Amounts between a pair only ever grow."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from golem.model.ids import NOBODY, Address, BatchId
from golem.model.money import Wei
from golem.model.spec import Count
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
    due_ms: Count
    signature: Annotated[bytes, Meta(max_length=65)] = b""


class Receipt(Value):
    """A mined transaction."""

    tx_hash: str
    block: int
    gas_used: int
    fee: Wei


class Funds(Value):
    """What an account has: `free` in the contract, to pay with; `claimable` in it, by the payers asked; `wallet`."""

    free: Wei = Wei(0)
    claimable: Wei = Wei(0)
    wallet: Wei = Wei(0)


class Sighting(Value):
    """The chain as seen at one block, a few deep: what each payer has ever paid us.

    `block_ms`: the block's own time. `base_fee`: wei per unit of gas. `reserved`: what a payer has set aside for us
    and can't take back before we see it begin to; payers without are left out. `given`: what we have ever paid each of
    the payees asked for, by the latest block. `sent`: how many transactions of ours were mined.
    """

    block: int
    block_ms: int
    funds: Funds
    paid: dict[Address, Wei] = {}
    base_fee: Wei = Wei(0)
    reserved: dict[Address, Wei] = {}
    given: dict[Address, Wei] = {}
    sent: int = 0


class Statement(Value):
    """What the contract holds of one account, for audits. `held`: by the contract, of everybody.

    `paid`: by us, to each payee; `received`: by each payer, to us; `reserved`: of ours, for all these payees.
    `is_sound`: what we signed and keep has one content for each purpose, and no gap in its nonces.
    """

    block: int
    held: int
    free: Wei
    claimable: Wei
    paid: dict[Address, Wei]
    received: dict[Address, Wei]
    reserved: Wei = Wei(0)
    is_sound: bool = True


class PutIn(Value):
    """Move some of the wallet into the contract."""

    amount: Wei


class SetAside(Value):
    """Reserve some of our free balance for one payee; whole gwei, rounded up."""

    payee: Address
    amount: Wei


class Unlock(Value):
    """Begin to take reserves back: from two days on, `Reclaim` does it."""


class Reclaim(Value):
    """Make the reserve for a payee free again."""

    payee: Address


class Consent(Value):
    """A payee lets a payer have its reserve of `amount` back at once, until an instant by the chain's clock."""

    amount: Wei
    until_s: Count
    signature: Annotated[bytes, Meta(max_length=65)]


class Release(Value):
    """Make the reserve for a payee free again at once, as it has signed in a Consent."""

    payee: Address
    until_s: Count
    signature: Annotated[bytes, Meta(max_length=65)]


class TakeBack(Value):
    """Move some of our free balance back into the wallet."""

    amount: Wei


Order = PutIn | SetAside | Unlock | Reclaim | Release | TakeBack
"""What a payer does with its deposit, other than to pay."""
