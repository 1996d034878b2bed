"""One payment at a time, from the decision to a block that is deep enough.

    sign -> keep on disk -> send -> mined -> deep: done
              ^  ^           |        |
              |  '-- raise --'        '-- block undone: send the same bytes again
              '-- nonce taken by another program with our key: sign anew

Each look at the chain reads our nonce first and receipts afterwards; the other order would see nonces stolen that our
own transaction has just used. Everything that was signed and is not mined is sent again at every look, so that neither
a crash of ours nor a node that forgets its pool stops a payment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import deferLater
from zope.interface import implementer

from golem.adapters.ethereum.attempts import DEPOSIT, Attempt, Attempts
from golem.adapters.ethereum.client import MAX_ASKED, Books, Client, Head
from golem.adapters.ethereum.link import Link
from golem.errors import ChainFault, NotEnoughFunds
from golem.interfaces import IChain, IKeyring
from golem.model.chain import Batch, Receipt, Sighting
from golem.model.ids import Address, derive
from golem.model.money import Wei, show_ether
from golem.model.value import Value
from golem.wire.account import keccak256
from golem.wire.transaction import (
    BASE_GAS,
    DEPOSIT_GAS,
    TAKE_GAS,
    Fees,
    Transaction,
    digest,
    offer,
    pay_gas,
    replaced,
    signed,
)

PATIENCE_S = 600.0  # 50 blocks of the main chain; then the core hears of it, and asks again
CHEAP_BLOCKS = 3  # a transaction that offers too little is raised after these
SLOW_BLOCKS = 6  # any other after these: whoever makes blocks prefers others
LOST_BLOCKS = 6  # for so long must our nonce be used and our transaction missing: nodes index receipts with delay
GWEI = 10**9


class EthereumSettings(Value):
    """Which chain, and how to deal with it.

    `rpc`: URL of an Ethereum node. `contract`: PairBank's address. `folder`: for what is under way; it must exist.
    `confirmations`: a block counts with so many blocks on top. `poll_ms`: time between two looks. `most_gwei`: no
    transaction offers more for a unit of gas.
    """

    rpc: str
    contract: Address
    chain_id: int
    folder: str
    confirmations: int = 2
    poll_ms: int = 2_000
    most_gwei: int = 500


class _Call(Value):
    value: int
    gas: int
    data: bytes


@implementer(IChain)
class EthereumChain:
    """The payment contract on an Ethereum node. Does nothing, and costs nothing, until first asked."""

    def __init__(self, reactor: PosixReactorBase, keyring: IKeyring, settings: EthereumSettings) -> None:
        self.account: Address = keyring.account
        self._clock = reactor
        self._keyring = keyring
        self._settings = settings
        make = lambda: Client(settings.rpc, settings.contract, settings.chain_id)  # noqa: E731
        self._link = Link(reactor, make)
        self._writing = DeferredLock()  # one transaction at a time: two would race for a nonce
        self._kept: Attempts | None = None

    # IChain

    def observe(self, payers: Sequence[Address]) -> Deferred[Sighting]:
        """Our funds and what `payers` paid us, at the last block that counts."""
        depth = self._settings.confirmations
        return Deferred.fromCoroutine(self._link.ask(Client.sighting, self.account, payers, depth))

    def deposit(self, key: str, amount: Wei) -> Deferred[Receipt]:
        """Move wei from the wallet into the contract, once per key."""
        return Deferred.fromCoroutine(self._alone(lambda: self._deposit(DEPOSIT + key, amount)))

    def pay(self, batch: Batch) -> Deferred[Receipt]:
        """Settle a batch. Where all of it was paid before, and how is forgotten, the receipt names no transaction."""
        return Deferred.fromCoroutine(self._alone(lambda: self._pay("pay/" + batch.batch_id, batch)))

    def withdraw(self, payers: Sequence[Address]) -> Deferred[Receipt]:
        """Take out all that these payers have paid us; where that is nothing, the receipt names no transaction."""
        return Deferred.fromCoroutine(self._alone(lambda: self._withdraw(payers)))

    def close(self) -> None:
        """Let go of threads and files; for tests and tools, since a reactor that stops does so by itself."""
        self._link.close()
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    # what to send

    async def _alone(self, work: Callable[[], Awaitable[Receipt]]) -> Receipt:
        await self._writing.acquire()
        try:
            return await work()
        finally:
            self._writing.release()

    async def _deposit(self, key: str, amount: Wei) -> Receipt:
        head = await self._link.ask(Client.head, self.account)
        if not (await self._attempts()).of(key) and head.wallet < amount:
            raise NotEnoughFunds(f"the wallet {self.account} holds {show_ether(head.wallet)}, not {show_ether(amount)}")
        data = await self._link.ask(Client.deposit_data)
        return await self._settle(key, _Call(value=int(amount), gas=DEPOSIT_GAS, data=data))

    async def _pay(self, key: str, batch: Batch) -> Receipt:
        payees = tuple(w.payee for w in batch.words)
        books = await self._link.ask(Client.books, self.account, payees, 0)
        if not (await self._attempts()).of(key):
            depth = self._settings.confirmations
            deep = await self._link.ask(Client.books, self.account, payees, depth)
            if not _due(batch, deep):
                return await self._nothing()
            if _due(batch, books) > books.free:
                due, free = show_ether(_due(batch, books)), show_ether(books.free)
                raise NotEnoughFunds(f"the batch needs {due} and {free} is deposited: make a deposit")
        new = sum(not paid for paid in books.paid.values())
        data = await self._link.ask(Client.pay_data, batch)
        return await self._settle(key, _Call(value=0, gas=pay_gas(new, len(payees) - new), data=data))

    async def _withdraw(self, payers: Sequence[Address]) -> Receipt:
        receipt = await self._nothing()
        for start in range(0, len(payers), MAX_ASKED):
            some = payers[start : start + MAX_ASKED]
            seen = await self._link.ask(Client.sighting, self.account, some, 0)
            if seen.funds.claimable:
                key = "withdraw/" + derive(*some, *seen.paid.values())
                data = await self._link.ask(Client.withdraw_data, some, self.account)
                gas = BASE_GAS + TAKE_GAS * len(some)
                receipt = await self._settle(key, _Call(value=0, gas=gas, data=data))
                (await self._attempts()).forget(key)
        return receipt

    async def _nothing(self) -> Receipt:
        head = await self._link.ask(Client.head, self.account)
        return Receipt(tx_hash="", block=head.block, gas_used=0, fee=Wei(0))

    # how it gets there

    async def _settle(self, key: str, call: _Call) -> Receipt:
        """Have a call mined and deep, once per key, however often this is begun. Raises ChainFault, out of patience."""
        attempts = await self._attempts()
        ends, lost_at, said = self._clock.seconds() + PATIENCE_S, -1, ""
        while self._clock.seconds() < ends:
            head = await self._link.ask(Client.head, self.account)
            tried = attempts.of(key)
            found = await self._link.ask(Client.receipt, [attempt.tx_hash for attempt in tried])
            if found is not None:
                receipt, succeeded = found
                if receipt.block + self._settings.confirmations <= head.block:
                    return receipt if succeeded else self._reverted(key, receipt)
            elif tried and tried[-1].body.nonce >= head.nonce:
                self._raise(attempts, head)
            elif not tried or 0 <= lost_at <= head.block - LOST_BLOCKS:
                self._sign(attempts, key, call, head)
                lost_at = -1
            elif lost_at < 0:
                lost_at = head.block
            for attempt in attempts.since(head.nonce):
                said = await self._link.ask(Client.send, attempt.raw) or said
            await deferLater(self._clock, self._settings.poll_ms / 1000, lambda: None)
        raise ChainFault(
            f"{key} was not mined within {PATIENCE_S:.0f} s by {self._settings.rpc}, which last said: "
            f"{said or 'nothing'}; it goes on when asked again"
        )

    def _sign(self, attempts: Attempts, key: str, call: _Call, head: Head) -> None:
        waiting = attempts.since(head.nonce)
        fees = self._offer(head)
        if head.wallet < call.value + call.gas * fees.most:
            need = show_ether(call.value + call.gas * fees.most)
            raise ChainFault(
                f"the wallet {self.account} holds {show_ether(head.wallet)}, not {need}: send it ether for gas"
            )
        body = Transaction(
            chain_id=self._settings.chain_id,
            nonce=waiting[-1].body.nonce + 1 if waiting else head.nonce,
            fees=fees,
            gas=call.gas,
            to=self._settings.contract,
            value=call.value,
            data=call.data,
        )
        self._keep(attempts, key, body, head)

    def _raise(self, attempts: Attempts, head: Head) -> None:
        """Offer more for the transaction that the others wait for, if it has waited long."""
        first = attempts.since(head.nonce)[0]
        waited = head.block - first.block
        is_cheap = first.body.fees.most < head.base_fee + first.body.fees.tip
        if waited >= SLOW_BLOCKS or (waited >= CHEAP_BLOCKS and is_cheap):
            body = replaced(first.body, self._offer(head))
            if body.fees.most <= self._settings.most_gwei * GWEI:
                self._keep(attempts, first.key, body, head)

    def _keep(self, attempts: Attempts, key: str, body: Transaction, head: Head) -> None:
        raw = signed(body, self._keyring.sign_payment(digest(body)))
        attempts.add(Attempt(key=key, block=head.block, tx_hash="0x" + keccak256(raw).hex(), body=body, raw=raw))

    def _offer(self, head: Head) -> Fees:
        fees = offer(head.base_fee, head.tips)
        if fees.most > self._settings.most_gwei * GWEI:
            most = self._settings.most_gwei
            raise ChainFault(
                f"gas costs {head.base_fee // GWEI} gwei, and with room to grow that is over {most} gwei: wait"
            )
        return fees

    def _reverted(self, key: str, receipt: Receipt) -> Receipt:
        if self._kept is not None:
            self._kept.forget(key)
        raise NotEnoughFunds(f"the contract refused {key} in {receipt.tx_hash}: what it needs was spent before")

    async def _attempts(self) -> Attempts:
        """Kept apart by chain: a development chain that starts anew has the old one's name and number."""
        client = await self._link.client()
        if self._kept is None:
            self._kept = Attempts(Path(self._settings.folder) / f"attempts-{client.genesis[:16]}.sqlite")
        return self._kept


def _due(batch: Batch, books: Books) -> int:
    """What the contract would take for a batch, in wei."""
    totals: dict[Address, int] = {}
    for w in batch.words:
        totals[w.payee] = max(w.cumulative, totals.get(w.payee, 0))
    return sum(max(0, total - books.paid[payee]) for payee, total in totals.items())
