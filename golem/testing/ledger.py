"""What the contract holds in a simulation, and since when: one truth, of which every node of the chain tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from golem.errors import ChainFault, NodeFault, NotEnoughFunds
from golem.model.chain import Batch, Order, PutIn, Receipt, Reclaim, Release, SetAside, TakeBack, Unlock, Voucher
from golem.model.ids import Address, derive
from golem.model.money import Wei

Pair = tuple[Address, Address]  # payer and payee


class Sight(NamedTuple):
    """All that there is to know of the contract, as of one block."""

    block: int
    wallets: Mapping[Address, int]
    free: Mapping[Address, int]
    paid: Mapping[Pair, int]
    taken: Mapping[Pair, int]
    reserves: Mapping[Pair, int]
    sent: Mapping[Address, int]


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
        self.paid: dict[Pair, int] = {}
        self.taken: dict[Pair, int] = {}
        self.reserves: dict[Pair, int] = {}
        self.payments: list[tuple[Address, Address, int]] = []
        self.pooled: dict[Pair, int] = {}
        self.orders: dict[str, Receipt] = {}
        self.receipts: dict[str, Receipt] = {}
        self.sent: dict[Address, int] = {}
        self._reorgs = 0
        self._stood: dict[int, Sight] = {}

    def block(self) -> int:
        """The number of the latest block."""
        return int(self.clock.seconds() / self.block_s)

    def sight(self, block: int | None = None) -> Sight:
        """What is so now, or was at a block at which a node of the chain stands still. Raises NodeFault."""
        now = self.block()
        if block is None or block == now:
            return Sight(now, self.wallets, self.free, self.paid, self.taken, self.reserves, self.sent)
        if block not in self._stood:
            raise NodeFault(f"the state of block {block} was not kept")
        return self._stood[block]

    def stand_still(self) -> Sight:
        """What is so now, for a node of the chain that goes on showing it."""
        return self._stood.setdefault(self.block(), deepcopy(self.sight()))

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
        receipt = self.receipt(what)
        self.receipts[receipt.tx_hash] = receipt
        return receipt

    def receipt(self, what: str) -> Receipt:
        """Of something that is mined now."""
        block = self.block()
        return Receipt(tx_hash="0x" + derive("tx", what, block), block=block, gas_used=0, fee=Wei(self.fee))

    # what the contract does

    def pay(self, payer: Address, batch: Batch) -> None:
        """Credit the differences, all or nothing."""
        more = {w.payee: max(0, w.cumulative - self.paid.get((payer, w.payee), 0)) for w in batch.words}
        if sum(more.values()) > self.free.get(payer, 0):
            raise NotEnoughFunds(f"the batch needs {sum(more.values())} wei")
        for payee, difference in more.items():
            if difference:
                self.free[payer] -= difference
                self.paid[payer, payee] = self.paid.get((payer, payee), 0) + difference
                self.payments.append((payer, payee, difference))

    def claim(self, payee: Address, voucher: Voucher) -> None:
        """Credit what the payer has, from its reserve for the payee first."""
        pair = voucher.payer, payee
        need = max(0, voucher.cumulative - self.paid.get(pair, 0))
        reserved = min(need, self.reserves.get(pair, 0))
        free = min(need - reserved, self.free.get(voucher.payer, 0))
        if need and not reserved + free:
            raise NotEnoughFunds(f"{voucher.payer} has nothing in the contract")
        if need:
            self.reserves[pair] = self.reserves.get(pair, 0) - reserved
            self.free[voucher.payer] = self.free.get(voucher.payer, 0) - free
            self.paid[pair] = self.paid.get(pair, 0) + reserved + free
            self.payments.append((*pair, reserved + free))

    def move(self, me: Address, order: Order) -> None:
        """Move what is an account's own; an unlock takes no time here."""
        amount = order.amount if isinstance(order, SetAside | TakeBack | PutIn) else 0
        there = self.wallets[me] if isinstance(order, PutIn) else self.free.get(me, 0)
        if there < amount:
            raise NotEnoughFunds(f"there are {there} wei, not {amount}")
        match order:
            case SetAside(payee=payee):
                self.free[me] -= amount
                self.reserves[me, payee] = self.reserves.get((me, payee), 0) + amount
            case TakeBack():
                self.free[me] -= amount
                self.wallets[me] += amount
            case Reclaim(payee=payee) | Release(payee=payee):
                self.free[me] = self.free.get(me, 0) + self.reserves.pop((me, payee), 0)
            case PutIn():
                self.wallets[me] -= amount
                self.free[me] = self.free.get(me, 0) + amount
            case Unlock():
                pass

    def take(self, account: Address, payers: Sequence[Address], to: Address) -> None:
        """Take out what these payers have paid an account."""
        for payer in payers:
            pair = (payer, account)
            self.wallets[to] = self.wallets.get(to, 0) + self.paid.get(pair, 0) - self.taken.get(pair, 0)
            self.taken[pair] = self.paid.get(pair, 0)
