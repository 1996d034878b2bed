"""What a node of a chain in memory says of it: the truth, what was true when it stood still, or a lie."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from golem.adapters.ethereum.client import Seen
from golem.errors import ChainFault
from golem.model.chain import Funds, Receipt, Sighting
from golem.model.ids import Address, derive
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.ledger import MemoryLedger, Sight

MADE_UP = 10**17  # wei, more than a story moves


class About(Enum):
    """What a lie is about.

    BALANCE: we have more than there is. INCOME: payments that were never made. HIDDEN: none of those that were. GIVEN:
    we never paid anybody. RECEIPT: a transaction is in the chain that was never sent. FORK: blocks of another chain.
    """

    BALANCE = "balance"
    INCOME = "income"
    HIDDEN = "hidden"
    GIVEN = "given"
    RECEIPT = "receipt"
    FORK = "fork"


class Endpoint:
    """One node of the chain. `past`: what it still shows, if it is behind. `lie`: what it makes up, if anything."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self.past: Sight | None = None
        self.lie: About | None = None

    def sight(self, block: int | None = None) -> Sight:
        """What it knows. Raises ChainFault."""
        if self._ledger.is_down:
            raise ChainFault("the chain is down")
        return self.past or self._ledger.sight(block)

    async def block_hash(self, number: int) -> str:
        """See `Source.block_hash`."""
        return derive("fork" if self.lie is About.FORK else "block", number) if number <= self.sight().block else ""

    async def sighting(
        self, account: Address, payers: Sequence[Address], depth: int = 0, block: int | None = None
    ) -> Seen:
        """See `Source.sighting`. All that is in a block here is deep enough."""
        world = self.sight(block)
        paid = {payer: Wei(world.paid.get((payer, account), 0)) for payer in payers}
        seen = Sighting(
            block=world.block,
            block_ms=int(world.block * self._ledger.block_s * 1000),
            funds=Funds(
                free=Wei(world.free.get(account, 0)),
                claimable=Wei(sum(paid[payer] - world.taken.get((payer, account), 0) for payer in paid)),
                wallet=Wei(world.wallets.get(account, 0)),
            ),
            paid=paid,
            reserved={payer: Wei(kept) for payer in payers if (kept := world.reserves.get((payer, account), 0))},
            sent=world.sent.get(account, 0),
        )
        return Seen(sighting=self._told(seen), block_hash=await self.block_hash(world.block))

    def _told(self, seen: Sighting) -> Sighting:
        funds = seen.funds
        match self.lie:
            case About.BALANCE:
                return evolve(seen, funds=evolve(funds, free=Wei(funds.free + MADE_UP)))
            case About.INCOME:
                return evolve(seen, paid={payer: Wei(wei + MADE_UP) for payer, wei in seen.paid.items()})
            case About.HIDDEN:
                return evolve(seen, paid=dict.fromkeys(seen.paid, Wei(0)))
            case _:
                return seen

    async def recalled(self, account: Address, payees: Sequence[Address], seen: Sighting) -> Sighting:
        """See `Source.recalled`."""
        paid = {} if self.lie is About.GIVEN else self.sight().paid
        return evolve(seen, given={payee: Wei(paid.get((account, payee), 0)) for payee in payees})

    async def receipt(self, hashes: Sequence[str]) -> tuple[Receipt, bool] | None:
        """See `Source.receipt`."""
        return next(((self._ledger.receipts[name], True) for name in hashes if name in self._ledger.receipts), None)
