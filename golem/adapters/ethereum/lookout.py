"""What is seen of the contract, and whether to believe it. Nothing here changes anything.

Payers are looked for by the contract's events, for books that were lost: nothing else needs a history. A batch's event
names its payees in its data, where no node can search for one of them: so all batches are read.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.ethereum.client import Client
from golem.adapters.ethereum.link import Link
from golem.adapters.ethereum.settings import EthereumSettings
from golem.adapters.ethereum.witness import Witness
from golem.errors import NodeFault
from golem.model.chain import Sighting, Statement
from golem.model.ids import Address

AT_ONCE = 10_000  # blocks that an Ethereum node is asked for in one call: many refuse more


class Lookout:
    """Looks for `account`. `link`: to the first Ethereum node. `witness`: whether to believe it."""

    def __init__(self, reactor: PosixReactorBase, link: Link, settings: EthereumSettings, account: Address) -> None:
        self._link = link
        self._second = Link(reactor, lambda: Client(settings.witness, settings.contract, settings.chain_id))
        self.witness = Witness(reactor, link, self._second, settings)
        self._depth = settings.confirmations
        self._account = account

    async def observe(self, payers: Sequence[Address], payees: Sequence[Address]) -> Sighting:
        """Our funds and what `payers` paid us, at the last block that counts; what we paid `payees`, at the latest."""
        seen = await self._link.sighting(self._account, payers, self._depth)
        await self.witness.confirm(self._account, payers, seen)
        return await self.witness.recall(self._account, payees, seen.sighting) if payees else seen.sighting

    async def inspect(self, payers: Sequence[Address], payees: Sequence[Address], *, is_sound: bool) -> Statement:
        """The contract's side of our books, at the last block that counts."""
        return await self._link.ask(Client.statement, self._account, payers, payees, self._depth, is_sound=is_sound)

    async def payers(self, since: int) -> Sequence[Address]:
        """Whoever has paid us in block `since` or later."""
        return await payers_since(self._link, self._account, since)

    def close(self) -> None:
        """Let go of what is this one's own."""
        self._second.close()


async def payers_since(link: Link, account: Address, since: int) -> Sequence[Address]:
    """Whoever has paid `account` in block `since` or later. What a node refuses, it is asked for by half as much."""
    head, some, found = await link.ask(Client.height), AT_ONCE, set[Address]()
    while since <= head:
        try:
            found |= await link.ask(Client.payers, account, since, min(head, since + some - 1))
            since += some
        except NodeFault:
            if some == 1:
                raise
            some //= 2
    return sorted(found)
