"""Whether to believe an Ethereum node: it must not stand still, and a second one, where there is one, must agree."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from golem.adapters.ethereum.client import Client, Head, Seen
from golem.adapters.ethereum.link import Link
from golem.adapters.ethereum.settings import EthereumSettings
from golem.errors import ChainLies
from golem.model.ids import Address

STALE_S = 600.0  # without a new block for so long, an Ethereum node has lost touch: the main chain makes 50


class Witness:
    """Looks at what the first Ethereum node says. `second`: asked only where `settings.witness` names it."""

    def __init__(self, clock: IReactorTime, first: Link, second: Link, settings: EthereumSettings) -> None:
        self._clock = clock
        self._first = first
        self._second = second
        self._settings = settings
        self._newest = (-1, 0.0)  # the highest block seen, and when

    async def agree(self, head: Head) -> None:
        """Before money moves. Raises ChainLies."""
        self._goes_on(head.block)
        if self._settings.witness:
            number = max(0, head.block - self._settings.confirmations)
            await self._is_same_block(number, await self._first.ask(Client.block_hash, number))

    async def confirm(self, account: Address, payers: Sequence[Address], seen: Seen) -> None:
        """Before what was seen is believed. Raises ChainLies."""
        self._goes_on(seen.sighting.block)
        if self._settings.witness:
            number = seen.sighting.block
            await self._is_same_block(number, seen.block_hash)
            if await self._second.ask(Client.sighting, account, payers, 0, number) != seen:
                raise self._lies(f"do not say the same of block {number}")

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
        other = await self._second.ask(Client.block_hash, number)
        if not other:
            raise self._lies(f"are not at one height: the second has no block {number} yet")
        if other != block_hash:
            raise self._lies(f"are not on one chain: block {number} is {block_hash[:16]} and {other[:16]}")

    def _lies(self, what: str) -> ChainLies:
        return ChainLies(
            f"payment.rpc and payment.witness, {self._settings.rpc} and {self._settings.witness}, {what}; no money "
            "moves before they agree"
        )
