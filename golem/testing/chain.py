"""A chain in memory: the contract's rules, a block at a time, on a Twisted clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from golem.errors import ChainFault, NotEnoughFunds, NotFound
from golem.interfaces import IChain
from golem.model.chain import (
    Batch,
    Consent,
    Domain,
    Funds,
    Order,
    PutIn,
    Receipt,
    Reclaim,
    Release,
    SetAside,
    Sighting,
    Statement,
    TakeBack,
    Unlock,
    Voucher,
)
from golem.model.ids import NOBODY, Address, derive
from golem.model.money import NOTHING, Wei
from golem.wire.voucher import verify_voucher


class Sight(NamedTuple):
    """What a node of the chain knows: all of it as of one block."""

    block: int
    wallets: dict[Address, int]
    free: dict[Address, int]
    paid: dict[tuple[Address, Address], int]
    taken: dict[tuple[Address, Address], int]


class MemoryLedger:
    """What the contract holds. `is_down`: every call fails. `payments`: each (payer, payee, difference), in order.

    `depth`: blocks on top of one before what is in it counts. `fee`: what a transaction costs, in wei. `pooled`:
    payments that do not count yet.
    """

    def __init__(self, clock: IReactorTime, block_s: float = 1.0) -> None:
        self.clock = clock
        self.block_s = block_s
        self.depth = 0
        self.fee = 0
        self.is_down = False
        self.wallets: dict[Address, int] = {}
        self.free: dict[Address, int] = {}
        self.paid: dict[tuple[Address, Address], int] = {}
        self.taken: dict[tuple[Address, Address], int] = {}
        self.reserves: dict[tuple[Address, Address], int] = {}
        self.payments: list[tuple[Address, Address, int]] = []
        self.pooled: dict[tuple[Address, Address], int] = {}
        self.deposits: dict[str, Receipt] = {}
        self.sent: dict[Address, int] = {}
        self._reorgs = 0

    def account(self, address: Address, wallet: int) -> MemoryChain:
        """The chain as one account sees it, with `wallet` wei to begin with."""
        self.wallets.setdefault(address, wallet)
        return MemoryChain(self, address)

    def block(self) -> int:
        """The number of the latest block."""
        return int(self.clock.seconds() / self.block_s)

    def sight(self, *, is_copy: bool = False) -> Sight:
        """What a node of the chain shows now, or, as a copy, will go on showing."""
        if is_copy:
            return Sight(self.block(), {**self.wallets}, {**self.free}, {**self.paid}, {**self.taken})
        return Sight(self.block(), self.wallets, self.free, self.paid, self.taken)

    def reorganise(self) -> None:
        """Undo all blocks that are not deep enough to count; what was in them is mined anew."""
        self._reorgs += 1

    async def mined(self, what: str, account: Address) -> Receipt:
        """Wait until a transaction is deep enough to count, and charge its fee. Raises ChainFault while down."""
        reorgs = -1
        while reorgs != self._reorgs:
            reorgs = self._reorgs
            await deferLater(self.clock, self.block_s * (1 + self.depth), lambda: None)
            if self.is_down:
                raise ChainFault("the chain is down")
        self.wallets[account] -= self.fee
        self.sent[account] = self.sent.get(account, 0) + 1
        return Receipt(
            tx_hash="0x" + derive("tx", what, self.block()), block=self.block(), gas_used=0, fee=Wei(self.fee)
        )


@implementer(IChain)
class MemoryChain:
    """IChain over a MemoryLedger. `past`: what this account's node of the chain still shows, if it is behind."""

    def __init__(self, ledger: MemoryLedger, account: Address) -> None:
        self._ledger = ledger
        self.account = account
        self.domain = Domain()
        self.past: Sight | None = None

    def observe(self, payers: Sequence[Address], payees: Sequence[Address] = ()) -> Deferred[Sighting]:
        """Our funds, what each payer has paid us, and we each payee."""
        return Deferred.fromCoroutine(self._observe(payers, payees))

    async def _observe(self, payers: Sequence[Address], payees: Sequence[Address] = ()) -> Sighting:
        if self._ledger.is_down:
            raise ChainFault("the chain is down")
        world = self.past or self._ledger.sight()
        mine = [pair for pair in world.paid if pair[0] in payers and pair[1] == self.account]
        claimable = sum(world.paid[pair] - world.taken.get(pair, 0) for pair in mine)
        return Sighting(
            block=world.block,
            block_ms=int(world.block * self._ledger.block_s * 1000),
            funds=Funds(
                free=Wei(world.free.get(self.account, 0)),
                claimable=Wei(claimable),
                wallet=Wei(world.wallets.get(self.account, 0)),
            ),
            paid={payer: Wei(world.paid.get((payer, self.account), 0)) for payer in payers},
            reserved={p: Wei(kept) for p in payers if (kept := self._ledger.reserves.get((p, self.account), 0))},
            given={payee: Wei(self._ledger.paid.get((self.account, payee), 0)) for payee in payees},
            sent=self._ledger.sent.get(self.account, 0),
        )

    def deposit(self, key: str, amount: Wei) -> Deferred[Receipt]:
        """Move money into the contract, once per key."""
        return Deferred.fromCoroutine(self._deposit(key, amount))

    async def _deposit(self, key: str, amount: Wei) -> Receipt:
        world = self._ledger
        receipt = await world.mined(key, self.account)
        if key not in world.deposits:
            if world.wallets[self.account] < amount:
                raise NotEnoughFunds(f"the wallet has {world.wallets[self.account]} wei, not {amount}")
            world.wallets[self.account] -= amount
            world.free[self.account] = world.free.get(self.account, 0) + amount
            world.deposits[key] = receipt
        return world.deposits[key]

    def pay(self, batch: Batch, most_fee: Wei = NOTHING) -> Deferred[Receipt]:
        """Credit the differences, all or nothing."""
        return Deferred.fromCoroutine(self._pay(batch))

    async def _pay(self, batch: Batch) -> Receipt:
        world = self._ledger
        for word in batch.words:
            world.pooled[self.account, word.payee] = word.cumulative
        receipt = await world.mined(batch.batch_id, self.account)
        more = {w.payee: max(0, w.cumulative - world.paid.get((self.account, w.payee), 0)) for w in batch.words}
        if sum(more.values()) > world.free.get(self.account, 0):
            raise NotEnoughFunds(f"the batch needs {sum(more.values())} wei")
        for payee, difference in more.items():
            if difference:
                world.free[self.account] -= difference
                world.paid[self.account, payee] = world.paid.get((self.account, payee), 0) + difference
                world.payments.append((self.account, payee, difference))
        return receipt

    def claim(self, voucher: Voucher) -> Deferred[Receipt]:
        """Credit what the payer has, from its reserve for us first."""
        return Deferred.fromCoroutine(self._claim(voucher))

    async def _claim(self, voucher: Voucher) -> Receipt:
        world, pair = self._ledger, (voucher.payer, self.account)
        verify_voucher(self.domain, voucher)
        receipt = await world.mined("claim", self.account)
        need = max(0, voucher.cumulative - world.paid.get(pair, 0))
        reserved = min(need, world.reserves.get(pair, 0))
        free = min(need - reserved, world.free.get(voucher.payer, 0))
        if need and not reserved + free:
            raise NotEnoughFunds(f"{voucher.payer} has nothing in the contract")
        if need:
            world.reserves[pair] = world.reserves.get(pair, 0) - reserved
            world.free[voucher.payer] = world.free.get(voucher.payer, 0) - free
            world.paid[pair] = world.paid.get(pair, 0) + reserved + free
            world.payments.append((*pair, reserved + free))
        return receipt

    def order(self, key: str, order: Order) -> Deferred[Receipt]:
        """Move what is free; an unlock takes no time here."""
        return Deferred.fromCoroutine(self._order(key, order))

    async def _order(self, key: str, order: Order) -> Receipt:
        world = self._ledger
        receipt = await world.mined(key, self.account)
        if key not in world.deposits:
            self._move(order)
            world.deposits[key] = receipt
        return world.deposits[key]

    def _move(self, order: Order) -> None:
        world, me = self._ledger, self.account
        amount = order.amount if isinstance(order, SetAside | TakeBack) else 0
        if world.free.get(me, 0) < amount:
            raise NotEnoughFunds(f"{world.free.get(me, 0)} wei are free, not {amount}")
        match order:
            case SetAside(payee=payee):
                world.free[me] -= amount
                world.reserves[me, payee] = world.reserves.get((me, payee), 0) + amount
            case TakeBack():
                world.free[me] -= amount
                world.wallets[me] += amount
            case Reclaim(payee=payee) | Release(payee=payee):
                world.free[me] = world.free.get(me, 0) + world.reserves.pop((me, payee), 0)
            case PutIn(amount=moved):
                world.wallets[me] -= moved
                world.free[me] = world.free.get(me, 0) + moved
            case Unlock():
                pass

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
        world, seen = self._ledger, await self._observe(payers)
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
        if self._ledger.is_down:
            raise ChainFault("the chain is down")
        return sorted(payer for payer, payee in self._ledger.paid if payee == self.account)

    def withdraw(self, payers: Sequence[Address], to: Address = NOBODY) -> Deferred[Receipt]:
        """Take out what these payers have paid us."""
        return Deferred.fromCoroutine(self._withdraw(payers, self.account if to == NOBODY else to))

    async def _withdraw(self, payers: Sequence[Address], to: Address) -> Receipt:
        world = self._ledger
        receipt = await world.mined("withdraw", self.account)
        for payer in payers:
            pair = (payer, self.account)
            world.wallets[to] = world.wallets.get(to, 0) + world.paid.get(pair, 0) - world.taken.get(pair, 0)
            world.taken[pair] = world.paid.get(pair, 0)
        return receipt

    def close(self) -> None:
        """Nothing to let go of."""
