"""What the user does with money: takes out, puts in, sets aside, and looks whether all books agree."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence

import msgspec
from twisted.internet.defer import Deferred

from golem.errors import BadParameters, ChainFault
from golem.interfaces import IChain, IEntropy
from golem.model.chain import Order
from golem.model.events import PayersFound
from golem.model.ids import NOBODY, Address
from golem.model.money import Wei
from golem.model.value import Value
from golem.node.audit import audit
from golem.node.engine import Engine
from golem.node.means import lacking
from golem.node.records import payments
from golem.node.submission import read_wei

Record = Mapping[str, object]
_orders = msgspec.json.Decoder(Order, dec_hook=read_wei)


def read_order(data: bytes) -> Order:
    """Read what to do with the deposit. Raises BadParameters, saying what does not fit and where."""
    try:
        order: Order = _orders.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as why:
        raise BadParameters(f"the request does not fit: {why}") from why
    return order


class Withdrawal(Value, tag=False):
    """What is asked for: earnings into the account `to`, or into our own."""

    to: Address = NOBODY


_withdrawals: msgspec.json.Decoder[Withdrawal | None] = msgspec.json.Decoder(Withdrawal | None)


def read_withdrawal(data: bytes) -> Address:
    """Read where earnings are to go; without a word, to our own account. Raises BadParameters."""
    try:
        asked = _withdrawals.decode(data or b"null")
    except (msgspec.MsgspecError, ValueError, RecursionError) as why:
        raise BadParameters(f"the request does not fit: {why}") from why
    return asked.to if asked else NOBODY


def _address(text: str) -> Address:
    try:
        return msgspec.convert(text, Address)
    except msgspec.ValidationError as why:
        raise BadParameters(f"{text} is no account: {why}") from why


class Till:
    """Stands between the user and the contract; the core hears of what changed at its next look."""

    def __init__(self, engine: Engine, chain: IChain, entropy: IEntropy) -> None:
        self._engine = engine
        self._chain = chain
        self._entropy = entropy

    def withdraw(self, to: Address = NOBODY) -> Awaitable[Record]:
        """Take out all that others have paid us, into our wallet or another. Raises ChainFault."""
        return Deferred.fromCoroutine(self._withdraw(to))

    async def _withdraw(self, to: Address) -> Record:
        payers = sorted(self._engine.state.ledger.earning)
        before = (await self._chain.observe(payers)).funds.claimable
        receipt = await self._chain.withdraw(payers, to)
        return {"tx_hash": receipt.tx_hash, "amount": before, "fee": receipt.fee}

    def recover(self, since: int) -> Awaitable[Sequence[Record]]:
        """Look through the chain from block `since` for who has paid us and is not in our books. Raises ChainFault."""
        return Deferred.fromCoroutine(self._recover(since))

    async def _recover(self, since: int) -> Sequence[Record]:
        known = self._engine.state.ledger.earning.keys()
        payers = [payer for payer in await self._chain.payers(since) if payer not in known]
        paid = (await self._chain.observe(payers)).paid if payers else {}
        self._engine.post(PayersFound(paid=paid))
        return [{"account": payer, "paid": total} for payer, total in paid.items() if total]

    def funds(self) -> Awaitable[Record]:
        """What there is now, by the chain. Raises ChainFault."""
        return Deferred.fromCoroutine(self._funds())

    async def _funds(self) -> Record:
        state = self._engine.state
        seen = await self._chain.observe(sorted(state.ledger.earning))
        funds, gas = seen.funds, Wei(state.gas)
        found = {"free": funds.free, "claimable": funds.claimable, "wallet": funds.wallet, "gas": gas}
        return {**found, "problems": lacking(state, seen, self._chain.account)}

    def payment(self, account: str) -> Awaitable[Sequence[Record]]:
        """How it stands with one account, by our books and, where it can be seen, by the contract."""
        return Deferred.fromCoroutine(self._payment(account))

    async def _payment(self, account: str) -> Sequence[Record]:
        found = [record for record in payments(self._engine.state) if record["account"] == account]
        other = _address(account)
        try:
            said = await self._chain.inspect([other], [other])
            theirs = (await self._chain.observe([other])).reserved.get(other, Wei(0))
        except ChainFault as why:
            return [{**record, "problem": str(why)} for record in found]
        sides = {
            "out": {"on_chain": said.paid.get(other, Wei(0)), "reserved": said.reserved},
            "in": {"on_chain": said.received.get(other, Wei(0)), "reserved": theirs},
        }
        return [{**record, **sides[str(record["direction"])]} for record in found]

    def order(self, order: Order) -> Awaitable[Record]:
        """Do something with our deposit. Raises NotEnoughFunds, Locked, ChainFault."""
        return Deferred.fromCoroutine(self._order(order))

    async def _order(self, order: Order) -> Record:
        receipt = await self._chain.order(self._entropy.token(16).hex(), order)
        return {"tx_hash": receipt.tx_hash, "fee": receipt.fee}

    def consent(self, payer: str) -> Awaitable[Record]:
        """Sign that `payer` may have its reserve for us back. Raises NotFound, ChainFault."""
        return Deferred.fromCoroutine(self._consent(payer))

    async def _consent(self, payer: str) -> Record:
        made = await self._chain.consent(_address(payer))
        return {"amount": made.amount, "until_s": made.until_s, "signature": made.signature.hex()}

    def audit(self) -> Awaitable[Sequence[Record]]:
        """Whether our books and the contract's agree: one finding for each law. Raises ChainFault."""
        return Deferred.fromCoroutine(self._audit())

    async def _audit(self) -> Sequence[Record]:
        books = self._engine.state.ledger
        return audit(self._engine.state, await self._chain.inspect(sorted(books.earning), sorted(books.owing)))
