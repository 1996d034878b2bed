"""What to send: each method of the port as one call of the contract, after a look whether it would do anything."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer

from golem.adapters.ethereum.client import MAX_ASKED, Backing, Books, Client
from golem.adapters.ethereum.link import Link
from golem.adapters.ethereum.lookout import Lookout
from golem.adapters.ethereum.sender import Call, Sender, kept
from golem.adapters.ethereum.settings import GWEI, EthereumSettings
from golem.errors import ChainFault, Locked, NotEnoughFunds, NotFound, TooDear
from golem.interfaces import IChain, IKeyring
from golem.model.chain import (
    Batch,
    Consent,
    Domain,
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
from golem.model.money import NOTHING, Wei, show_ether
from golem.wire.transaction import BASE_GAS, CLAIM_GAS, DEPOSIT_GAS, ORDER_GAS, TAKE_GAS, pay_gas
from golem.wire.voucher import due_s, is_consent, sign_consent, verify_voucher

CONSENT_S = 24 * 3600  # a payee's word on a reserve holds for a day: time enough to hand it over


@implementer(IChain)
class EthereumChain:
    """The payment contract on an Ethereum node. Does nothing, and costs nothing, until first asked."""

    def __init__(self, reactor: PosixReactorBase, keyring: IKeyring, settings: EthereumSettings) -> None:
        self.account: Address = keyring.account
        self.domain = Domain(chain_id=settings.chain_id, contract=settings.contract)
        self._keyring, self._settings = keyring, settings
        self._link = Link(reactor, lambda: Client(settings.rpc, settings.contract, settings.chain_id))
        self._lookout = Lookout(reactor, self._link, settings, self.account)
        self._sender = Sender(reactor, self._link, keyring, settings, self._lookout.witness)

    # IChain

    def observe(self, payers: Sequence[Address], payees: Sequence[Address] = ()) -> Deferred[Sighting]:
        """Our funds and what `payers` paid us, at the last block that counts; what we paid `payees`, at the latest."""
        return Deferred.fromCoroutine(self._lookout.observe(payers, payees))

    def deposit(self, key: str, amount: Wei) -> Deferred[Receipt]:
        """Move wei from the wallet into the contract, once per key."""
        return Deferred.fromCoroutine(self._deposit(kept(key), amount))

    def pay(self, batch: Batch, most_fee: Wei = NOTHING) -> Deferred[Receipt]:
        """Settle a batch. Where all of it was paid before, and how is forgotten, the receipt names no transaction."""
        return Deferred.fromCoroutine(self._pay("pay/" + batch.batch_id, batch, most_fee))

    def claim(self, voucher: Voucher) -> Deferred[Receipt]:
        """Claim what a voucher promises; where that was paid, the receipt names no transaction."""
        return Deferred.fromCoroutine(self._claim(voucher))

    def order(self, key: str, order: Order) -> Deferred[Receipt]:
        """Do something with our deposit, once per key."""
        return Deferred.fromCoroutine(self._order(kept(f"order/{key}"), order))

    def consent(self, payer: Address) -> Deferred[Consent]:
        """Sign that a payer may have its reserve for us back, within a day."""
        return Deferred.fromCoroutine(self._consent(payer))

    def withdraw(self, payers: Sequence[Address], to: Address = NOBODY) -> Deferred[Receipt]:
        """Take out all that these payers have paid us; where that is nothing, the receipt names no transaction."""
        return Deferred.fromCoroutine(self._withdraw(payers, self.account if to == NOBODY else to))

    def payers(self, since: int = 0) -> Deferred[Sequence[Address]]:
        """Whoever has paid us, by the contract's events."""
        return Deferred.fromCoroutine(self._lookout.payers(since))

    def inspect(self, payers: Sequence[Address], payees: Sequence[Address]) -> Deferred[Statement]:
        """The contract's side of our books, at the last block that counts."""
        return Deferred.fromCoroutine(self._inspect(payers, payees))

    def close(self) -> None:
        """Let go of threads, connections and files."""
        self._link.close()
        self._lookout.close()
        self._sender.close()

    # what to send

    async def _deposit(self, key: str, amount: Wei) -> Receipt:
        head = await self._link.ask(Client.head, self.account)
        if not (await self._sender.attempts()).of(key) and head.wallet < amount:
            raise NotEnoughFunds(f"the wallet {self.account} holds {show_ether(head.wallet)}, not {show_ether(amount)}")
        data = await self._link.ask(Client.data, "deposit")
        return await self._sender.settle(key, Call(value=int(amount), gas=DEPOSIT_GAS, data=data))

    async def _pay(self, key: str, batch: Batch, most_fee: Wei) -> Receipt:
        payees = tuple(w.payee for w in batch.words)
        books = await self._link.ask(Client.books, self.account, payees, 0)
        if not (await self._sender.attempts()).of(key):
            depth = self._settings.confirmations
            deep = await self._link.ask(Client.books, self.account, payees, depth)
            if not _due(batch, deep):
                return await self._nothing()
            if _due(batch, books) > books.free:
                due, free = show_ether(_due(batch, books)), show_ether(books.free)
                raise NotEnoughFunds(f"the batch needs {due} and {free} is deposited: make a deposit")
        new = sum(not paid for paid in books.paid.values())
        data = await self._link.ask(Client.pay_data, batch)
        gas = pay_gas(new, len(payees) - new)
        return await self._sender.settle(key, Call(value=0, gas=gas, data=data, most_fee=most_fee))

    async def _claim(self, voucher: Voucher) -> Receipt:
        verify_voucher(self.domain, voucher)
        backing = await self._link.ask(Client.backing, voucher.payer, self.account)
        need = voucher.cumulative - backing.paid
        if need <= 0:
            return await self._nothing()
        if backing.at_s <= due_s(voucher.due_ms):
            raise ChainFault(f"the voucher of {voucher.payer} is not due yet, by the chain's clock: claim later")
        there = min(need, backing.reserved + backing.free)
        if not there:
            raise NotEnoughFunds(f"{voucher.payer} owes {show_ether(need)} and has nothing in the contract")
        head = await self._link.ask(Client.head, self.account)
        if there <= (fee := CLAIM_GAS * head.base_fee):
            raise TooDear(f"to claim {show_ether(there)} would cost up to {show_ether(fee)} for gas: wait")
        due, signature = due_s(voucher.due_ms), voucher.signature
        arguments = (str(voucher.payer), int(voucher.cumulative), due, signature)
        data = await self._link.ask(Client.data, "claim_overdue", *arguments)
        key = "claim/" + derive(voucher.payer, voucher.cumulative, backing.paid)
        return await self._once(key, Call(value=0, gas=CLAIM_GAS, data=data))

    async def _order(self, key: str, order: Order) -> Receipt:
        backing = await self._link.ask(Client.backing, self.account, _payee(order, self.account))
        if isinstance(order, PutIn):
            return await self._deposit(key, order.amount)
        if not (await self._sender.attempts()).of(key):
            _refuse(order, backing, self.account, self.domain)
        data = await self._link.ask(Client.data, *_call(order))
        return await self._sender.settle(key, Call(value=0, gas=ORDER_GAS, data=data))

    async def _consent(self, payer: Address) -> Consent:
        backing = await self._link.ask(Client.backing, payer, self.account)
        if not backing.reserved:
            raise NotFound(f"{payer} has reserved nothing for {self.account}")
        gwei, until_s = backing.reserved // GWEI, backing.at_s + CONSENT_S
        return sign_consent(self._keyring.sign_payment, self.domain, payer, self.account, gwei, until_s)

    async def _withdraw(self, payers: Sequence[Address], to: Address) -> Receipt:
        receipt = await self._nothing()
        for start in range(0, len(payers), MAX_ASKED):
            some = payers[start : start + MAX_ASKED]
            seen = (await self._link.sighting(self.account, some, 0)).sighting
            if seen.funds.claimable:
                key = "withdraw/" + derive(*some, *seen.paid.values(), to)
                data = await self._link.ask(Client.data, "withdraw", list(some), str(to))
                gas = BASE_GAS + TAKE_GAS * len(some)
                receipt = await self._once(key, Call(value=0, gas=gas, data=data))
        return receipt

    async def _inspect(self, payers: Sequence[Address], payees: Sequence[Address]) -> Statement:
        is_sound = (await self._sender.attempts()).is_sound()
        return await self._lookout.inspect(payers, payees, is_sound=is_sound)

    async def _once(self, key: str, call: Call) -> Receipt:
        """Settle, and forget the key: what is asked for again later is another thing."""
        receipt = await self._sender.settle(key, call)
        (await self._sender.attempts()).forget(key)
        return receipt

    async def _nothing(self) -> Receipt:
        head = await self._link.ask(Client.head, self.account)
        return Receipt(tx_hash="", block=head.block, gas_used=0, fee=Wei(0))


def _due(batch: Batch, books: Books) -> int:
    """What the contract would take for a batch, in wei."""
    totals: dict[Address, int] = {}
    for w in batch.words:
        totals[w.payee] = max(w.cumulative, totals.get(w.payee, 0))
    return sum(max(0, total - books.paid[payee]) for payee, total in totals.items())


def _payee(order: Order, otherwise: Address) -> Address:
    return order.payee if isinstance(order, SetAside | Reclaim | Release) else otherwise


def _refuse(order: Order, backing: Backing, payer: Address, domain: Domain) -> None:
    """Say no, at no cost, to what the contract would refuse."""
    match order:
        case SetAside(amount=amount) | TakeBack(amount=amount) if amount > backing.free:
            free = show_ether(backing.free)
            raise NotEnoughFunds(f"{show_ether(amount)} is more than the {free} that are free in the contract")
        case Reclaim() if not backing.unlock_at_s:
            raise Locked("reserves are locked: unlock them first, and wait two days")
        case Reclaim() if backing.at_s < backing.unlock_at_s:
            raise Locked(f"reserves are locked for another {(backing.unlock_at_s - backing.at_s) // 60} minutes")
        case Release() if backing.at_s > order.until_s:
            raise Locked("the consent is over: ask for another")
        case Release() if not is_consent(domain, payer, order, backing.reserved // GWEI):
            raise Locked(f"that is no consent of {order.payee}'s to the reserve there is now: ask for another")
        case _:
            pass


def _call(order: SetAside | Unlock | Reclaim | Release | TakeBack) -> tuple[str, *tuple[object, ...]]:
    match order:
        case SetAside(payee=payee, amount=amount):
            return ("reserve", str(payee), -(-amount // GWEI))
        case Unlock():
            return ("unlock",)
        case Reclaim(payee=payee):
            return ("reclaim", str(payee))
        case Release(payee=payee, until_s=until_s, signature=signature):
            return ("release", str(payee), until_s, signature)
        case TakeBack(amount=amount):
            return ("withdraw_own", int(amount))
