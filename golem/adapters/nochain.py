"""IChain for a node that neither pays nor is paid: it trades for nothing, and says so when money comes up."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from golem.errors import ChainFault
from golem.interfaces import IChain
from golem.model.chain import Batch, Consent, Domain, Funds, Order, Receipt, Sighting, Statement, Voucher
from golem.model.ids import NOBODY, Address
from golem.model.money import NOTHING, Wei

NO_CHAIN = "no chain is configured: set payment.rpc and payment.contract"


@implementer(IChain)
class NoChain:
    """No funds, and nothing to see."""

    def __init__(self, account: Address) -> None:
        self.account = account
        self.domain = Domain()

    def observe(self, payers: Sequence[Address], payees: Sequence[Address] = ()) -> Deferred[Sighting]:
        """Nothing."""
        return succeed(Sighting(block=0, block_ms=0, funds=Funds()))

    def deposit(self, key: str, amount: Wei) -> Deferred[Receipt]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def pay(self, batch: Batch, most_fee: Wei = NOTHING) -> Deferred[Receipt]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def claim(self, voucher: Voucher) -> Deferred[Receipt]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def order(self, key: str, order: Order) -> Deferred[Receipt]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def consent(self, payer: Address) -> Deferred[Consent]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def inspect(self, payers: Sequence[Address], payees: Sequence[Address]) -> Deferred[Statement]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def payers(self, since: int = 0) -> Deferred[Sequence[Address]]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def withdraw(self, payers: Sequence[Address], to: Address = NOBODY) -> Deferred[Receipt]:
        """Not here."""
        return fail(ChainFault(NO_CHAIN))

    def close(self) -> None:
        """Nothing to let go of."""
