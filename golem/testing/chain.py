"""A chain in memory: the contract's rules, a block at a time, and what an account believes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from golem.adapters.ethereum.settings import EthereumSettings
from golem.adapters.ethereum.witness import Witness
from golem.errors import NotFound
from golem.interfaces import IChain
from golem.model.chain import (
    Batch,
    Consent,
    Domain,
    Order,
    PutIn,
    Receipt,
    Sighting,
    Statement,
    Voucher,
)
from golem.model.ids import NOBODY, Address
from golem.model.money import NOTHING, Wei
from golem.testing.endpoint import About, Endpoint
from golem.testing.ledger import MemoryLedger
from golem.wire.voucher import verify_voucher

__all__ = ["MemoryChain", "MemoryLedger"]

DOMAIN = Domain()
NODES = EthereumSettings(  # what is in a block here counts
    rpc="the first",
    witness="the second",
    contract=DOMAIN.contract,
    chain_id=DOMAIN.chain_id,
    folder="",
    confirmations=0,
)


@implementer(IChain)
class MemoryChain:
    """IChain over a MemoryLedger. `node`: the node of the chain that is asked; a second, honest one is the witness."""

    def __init__(self, ledger: MemoryLedger, account: Address, wallet: int) -> None:
        """`wallet`: wei that an account begins with which was not there before."""
        ledger.wallets.setdefault(account, wallet)
        self._ledger = ledger
        self.account = account
        self.domain = DOMAIN
        self.node = Endpoint(ledger)
        self._witness = Witness(ledger.clock, self.node, Endpoint(ledger), NODES)

    def observe(self, payers: Sequence[Address], payees: Sequence[Address] = ()) -> Deferred[Sighting]:
        """Our funds, what each payer has paid us, and we each payee."""
        return Deferred.fromCoroutine(self._observe(payers, payees))

    async def _observe(self, payers: Sequence[Address], payees: Sequence[Address] = ()) -> Sighting:
        seen = await self.node.sighting(self.account, payers)
        await self._witness.confirm(self.account, payers, seen)
        return await self._witness.recall(self.account, payees, seen.sighting) if payees else seen.sighting

    async def _mined(self, what: str, do: Callable[[], None]) -> Receipt:
        """Have something done by a transaction. Raises ChainFault."""
        await self._witness.agree(self.node.sight().block)
        if self.node.lie is About.RECEIPT:
            receipt = self._ledger.receipt(what)
        else:
            receipt = await self._ledger.mined(what, self.account)
            do()
        await self._witness.attest(receipt)
        return receipt

    def deposit(self, key: str, amount: Wei) -> Deferred[Receipt]:
        """Move money into the contract, once per key."""
        return Deferred.fromCoroutine(self._order(key, PutIn(amount=amount)))

    def pay(self, batch: Batch, most_fee: Wei = NOTHING) -> Deferred[Receipt]:
        """Credit the differences, all or nothing."""
        return Deferred.fromCoroutine(self._pay(batch))

    async def _pay(self, batch: Batch) -> Receipt:
        for word in batch.words:
            self._ledger.pooled[self.account, word.payee] = word.cumulative
        return await self._mined(batch.batch_id, lambda: self._ledger.pay(self.account, batch))

    def claim(self, voucher: Voucher) -> Deferred[Receipt]:
        """Credit what the payer has, from its reserve for us first."""
        return Deferred.fromCoroutine(self._claim(voucher))

    async def _claim(self, voucher: Voucher) -> Receipt:
        verify_voucher(self.domain, voucher)
        return await self._mined("claim", lambda: self._ledger.claim(self.account, voucher))

    def order(self, key: str, order: Order) -> Deferred[Receipt]:
        """Move what is free; an unlock takes no time here."""
        return Deferred.fromCoroutine(self._order(key, order))

    async def _order(self, key: str, order: Order) -> Receipt:
        world = self._ledger
        receipt = await self._mined(key, lambda: None if key in world.orders else world.move(self.account, order))
        return world.orders.setdefault(key, receipt)

    def consent(self, payer: Address) -> Deferred[Consent]:
        """Signed by nobody: here a release needs no more than a reserve."""
        reserved = self._ledger.reserves.get((payer, self.account), 0)
        if not reserved:
            return fail(NotFound(f"{payer} has reserved nothing for {self.account}"))
        return succeed(Consent(amount=Wei(reserved), until_s=2**40, signature=b"s" * 65))

    def inspect(self, payers: Sequence[Address], payees: Sequence[Address]) -> Deferred[Statement]:
        """The ledger's side."""
        return Deferred.fromCoroutine(self._inspect(payers, payees))

    async def _inspect(self, payers: Sequence[Address], payees: Sequence[Address]) -> Statement:
        world, seen = self._ledger, (await self.node.sighting(self.account, payers)).sighting
        rest = sum(world.paid[pair] - world.taken.get(pair, 0) for pair in world.paid)
        return Statement(
            block=seen.block,
            held=sum(world.free.values()) + rest + sum(world.reserves.values()),
            free=seen.funds.free,
            claimable=seen.funds.claimable,
            paid={payee: Wei(world.paid.get((self.account, payee), 0)) for payee in payees},
            received=seen.paid,
            reserved=Wei(sum(world.reserves.get((self.account, payee), 0) for payee in payees)),
        )

    def payers(self, since: int = 0) -> Deferred[Sequence[Address]]:
        """Whoever has paid us, in any block."""
        return Deferred.fromCoroutine(self._payers())

    async def _payers(self) -> Sequence[Address]:
        return sorted(payer for payer, payee in self.node.sight().paid if payee == self.account)

    def withdraw(self, payers: Sequence[Address], to: Address = NOBODY) -> Deferred[Receipt]:
        """Take out what these payers have paid us."""
        return Deferred.fromCoroutine(self._withdraw(payers, self.account if to == NOBODY else to))

    async def _withdraw(self, payers: Sequence[Address], to: Address) -> Receipt:
        return await self._mined("withdraw", lambda: self._ledger.take(self.account, payers, to))

    def close(self) -> None:
        """Nothing to let go of."""
