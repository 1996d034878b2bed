"""Whether to believe an Ethereum node: it must not stand still, and a second one, where there is one, must agree."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from golem.adapters.ethereum.client import Seen
from golem.adapters.ethereum.settings import EthereumSettings
from golem.errors import ChainLies
from golem.model.chain import Receipt, Sighting
from golem.model.ids import Address

STALE_S = 600.0  # without a new block for so long, an Ethereum node has lost touch: the main chain makes 50


class Source(Protocol):
    """What an Ethereum node says, as `Client` asks for it."""

    def block_hash(self, number: int) -> Awaitable[str]:
        """Which block has this number; empty: none yet."""

    def sighting(self, account: Address, payers: Sequence[Address], depth: int, block: int | None) -> Awaitable[Seen]:
        """What the contract holds for `account`, at `block` or else `depth` blocks below the latest."""

    def recalled(self, account: Address, payees: Sequence[Address], seen: Sighting) -> Awaitable[Sighting]:
        """What was seen, and what `account` has ever paid each payee by the latest block."""

    def receipt(self, hashes: Sequence[str]) -> Awaitable[tuple[Receipt, bool] | None]:
        """What became of whichever of these was mined, and whether it did what it should; None: none was."""


class Witness:
    """Looks at what the first Ethereum node says. `second`: asked only where `settings.witness` names it."""

    def __init__(self, clock: IReactorTime, first: Source, second: Source, settings: EthereumSettings) -> None:
        self._clock = clock
        self._first = first
        self._second = second
        self._settings = settings
        self._newest = (-1, 0.0)  # the highest block seen, and when

    async def agree(self, head: int) -> None:
        """Before money moves. `head`: the latest block. Raises ChainLies."""
        self._goes_on(head)
        if self._settings.witness:
            number = max(0, head - self._settings.confirmations)
            await self._is_same_block(number, await self._first.block_hash(number))

    async def confirm(self, account: Address, payers: Sequence[Address], seen: Seen) -> None:
        """Before what was seen is believed. Raises ChainLies."""
        self._goes_on(seen.sighting.block)
        if self._settings.witness:
            number = seen.sighting.block
            await self._is_same_block(number, seen.block_hash)
            if await self._second.sighting(account, payers, 0, number) != seen:
                raise self._lies(f"do not say the same of block {number}")

    async def recall(self, account: Address, payees: Sequence[Address], seen: Sighting) -> Sighting:
        """What was seen, and what `account` has ever paid each payee, by both. Raises ChainLies."""
        recalled = await self._first.recalled(account, payees, seen)
        if self._settings.witness and await self._second.recalled(account, payees, seen) != recalled:
            raise self._lies(f"do not say the same of what {account} has paid")
        return recalled

    async def attest(self, receipt: Receipt) -> None:
        """Before a transaction is believed to be in the chain. Raises ChainLies."""
        if self._settings.witness:
            theirs = await self._second.receipt([receipt.tx_hash])
            if theirs is None or theirs[0] != receipt:
                raise self._lies(f"do not say the same of transaction {receipt.tx_hash}")

    def _goes_on(self, block: int) -> None:
        now = self._clock.seconds()
        if block > self._newest[0]:
            self._newest = (block, now)
        if now - self._newest[1] > STALE_S:
            raise ChainLies(
                f"{self._settings.rpc} has had no new block for {STALE_S / 60:.0f} minutes: it has lost touch with its "
                "chain, or the chain stands still; no money moves before it goes on"
            )

    async def _is_same_block(self, number: int, block_hash: str) -> None:
        other = await self._second.block_hash(number)
        if not other:
            raise self._lies(f"are not at one height: the second has no block {number} yet")
        if other != block_hash:
            raise self._lies(f"are not on one chain: block {number} is {block_hash[:16]} and {other[:16]}")

    def _lies(self, what: str) -> ChainLies:
        return ChainLies(
            f"payment.rpc and payment.witness, {self._settings.rpc} and {self._settings.witness}, {what}; no money "
            "moves before they agree"
        )
