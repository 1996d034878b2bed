"""What every IChain keeps. Subclass it, and give the fixture `world`."""

# ruff: noqa: D102  # a test's name says what it proves

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TypeVar

import pytest
from twisted.internet.defer import Deferred, gatherResults
from zope.interface.verify import verifyObject

from golem.errors import BadSignature, NotEnoughFunds, NotFound
from golem.interfaces import IChain
from golem.model.chain import Batch, Funds, PutIn, Receipt, Release, SetAside, TakeBack, Unlock, Voucher, Word
from golem.model.ids import Address, BatchId, derive
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.wire.voucher import due_digest, seal

WALLET = 10**18  # what alice and bob begin with; a fee is far less than a thousandth of it
DUST = WALLET // 1000
NOBODY = Address("0x" + "00" * 19 + "01")


class World:
    """Two nodes on one chain. `again`: alice's view of it, made anew, as after a crash."""

    def __init__(self, alice: IChain, bob: IChain, again: Callable[[], IChain]) -> None:
        self.alice = alice
        self.bob = bob
        self.again = again

    def batch(self, name: str, *totals: int) -> Batch:
        """Alice's payment to bob, and to others made up."""
        payees = [self.bob.account, *(Address(f"0x{number:040x}") for number in range(2, 1 + len(totals)))]
        words = (Word(payee=payee, cumulative=Wei(total)) for payee, total in zip(payees, totals, strict=True))
        return Batch(batch_id=BatchId(derive("test", name)), words=tuple(words))

    def voucher(self, total: int) -> Voucher:
        """Alice's promise to bob, long overdue. Her keys are those of her name."""
        made = Voucher(payer=self.alice.account, payee=self.bob.account, cumulative=Wei(total), due_ms=1000)
        sign = FixedKeyring("alice").sign_payment
        return evolve(made, signature=seal(sign, due_digest(self.bob.domain, made)))

    async def alices(self) -> Funds:
        """What alice has."""
        return (await self.alice.observe([])).funds

    async def bobs(self) -> tuple[int, int]:
        """What bob was ever paid by alice, and what of it he can take out."""
        seen = await self.bob.observe([self.alice.account])
        return seen.paid[self.alice.account], seen.funds.claimable


S = TypeVar("S", bound="Looking")


def waited(
    test: Callable[[S, World], Coroutine[Deferred[object], object, None]],
) -> Callable[[S, World], Deferred[None] | None]:
    """Let the subclass wait for the test in its own way."""

    @wraps(test)
    def run(self: S, world: World) -> Deferred[None] | None:
        return self.wait(Deferred.fromCoroutine(test(self, world)))

    return run


class Looking:
    """What each sees of the contract."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    def wait(self, test: Deferred[None]) -> Deferred[None] | None:
        """See the test to its end, here or by giving it to pytest-twisted, which waits on the reactor."""
        return test

    def test_it_is_a_chain(self, world: World) -> None:
        assert verifyObject(IChain, world.alice)

    @waited
    async def test_a_stranger_has_paid_nothing(self, world: World) -> None:
        seen = await world.bob.observe([NOBODY, world.alice.account])
        assert seen.paid == {NOBODY: 0, world.alice.account: 0}
        assert seen.funds == Funds(free=Wei(0), claimable=Wei(0), wallet=Wei(WALLET))

    @waited
    async def test_a_payer_that_forgot_all_is_told_what_it_gave_and_that_it_sent(self, world: World) -> None:
        assert (await world.alice.observe([])).sent == 0
        await world.alice.deposit("first", Wei(WALLET // 2))
        await world.alice.pay(world.batch("one", 70))
        seen = await world.again().observe([], [world.bob.account, NOBODY])
        assert seen.given == {world.bob.account: 70, NOBODY: 0}
        assert seen.sent == 2

    @waited
    async def test_who_has_paid_us_is_found_without_our_books(self, world: World) -> None:
        assert list(await world.bob.payers()) == []
        await world.alice.deposit("first", Wei(10**15))
        await world.alice.pay(world.batch("one", 10**14, 5))
        assert list(await world.bob.payers()) == [world.alice.account]
        assert list(await world.alice.payers()) == []

    @waited
    async def test_who_paid_only_by_force_is_found_as_well(self, world: World) -> None:
        await world.alice.deposit("first", Wei(10**15))
        await world.bob.claim(world.voucher(10**14))
        assert list(await world.bob.payers()) == [world.alice.account]

    @waited
    async def test_only_what_the_payers_named_have_paid_is_counted(self, world: World) -> None:
        await world.alice.deposit("first", Wei(10**15))
        await world.alice.pay(world.batch("one", 10**14))
        assert (await world.bob.observe([])).funds.claimable == 0
        assert (await world.bob.observe([NOBODY, world.alice.account])).funds.claimable == 10**14

    @waited
    async def test_a_statement_says_what_the_contract_holds_of_us(self, world: World) -> None:
        await world.alice.deposit("first", Wei(10**15))
        await world.alice.pay(world.batch("one", 10**14))
        await world.alice.order("aside", SetAside(payee=world.bob.account, amount=Wei(10**14)))
        said = await world.alice.inspect([world.bob.account], [world.bob.account])
        assert (said.free, said.held, said.claimable) == (8 * 10**14, 10**15, 0)
        assert (said.paid, said.received) == ({world.bob.account: 10**14}, {world.bob.account: 0})
        assert (said.reserved, said.is_sound) == (10**14, True)


class ChainContract(Looking):
    """All the tests."""

    @waited
    async def test_a_deposit_moves_ether_from_the_wallet_into_the_contract(self, world: World) -> None:
        receipt = await world.alice.deposit("first", Wei(WALLET // 2))
        funds = await world.alices()
        assert funds.free == WALLET // 2
        assert 0 <= WALLET // 2 - funds.wallet <= DUST
        assert (await world.alice.observe([])).block >= receipt.block

    @waited
    async def test_under_one_key_a_deposit_happens_once(self, world: World) -> None:
        first = await world.alice.deposit("first", Wei(1000))
        assert await world.alice.deposit("first", Wei(1000)) == first
        assert await world.again().deposit("first", Wei(1000)) == first
        await world.alice.deposit("second", Wei(1000))
        assert (await world.alices()).free == 2000

    @waited
    async def test_more_than_the_wallet_holds_is_not_deposited(self, world: World) -> None:
        with pytest.raises(NotEnoughFunds):
            await world.alice.deposit("first", Wei(WALLET + 1))
        assert (await world.alices()).free == 0

    @waited
    async def test_a_payment_that_is_done_is_seen_by_its_payee(self, world: World) -> None:
        await world.alice.deposit("first", Wei(1000))
        receipt = await world.alice.pay(world.batch("one", 300, 5))
        seen = await world.bob.observe([world.alice.account])
        assert (seen.paid, seen.funds.claimable) == ({world.alice.account: 300}, 300)
        assert seen.block >= receipt.block
        assert (await world.alices()).free == 695

    @waited
    async def test_a_payment_names_totals_so_what_is_sent_again_pays_nothing(self, world: World) -> None:
        await world.alice.deposit("first", Wei(1000))
        for name, total in (("one", 300), ("one", 300), ("two", 300), ("three", 100), ("four", 450)):
            await world.alice.pay(world.batch(name, total))
        await world.again().pay(world.batch("one", 300))
        assert await world.bobs() == (450, 450)
        assert (await world.alices()).free == 550

    @waited
    async def test_a_batch_that_is_short_pays_nobody(self, world: World) -> None:
        await world.alice.deposit("first", Wei(1000))
        with pytest.raises(NotEnoughFunds):
            await world.alice.pay(world.batch("one", 1000, 1))
        assert await world.bobs() == (0, 0)
        await world.alice.pay(world.batch("two", 1000))
        assert await world.bobs() == (1000, 1000)

    @waited
    async def test_a_short_batch_is_paid_after_a_deposit(self, world: World) -> None:
        with pytest.raises(NotEnoughFunds):
            await world.alice.pay(world.batch("one", 700))
        await world.alice.deposit("first", Wei(1000))
        await world.alice.pay(world.batch("one", 700))
        assert await world.bobs() == (700, 700)

    @waited
    async def test_what_was_paid_is_taken_out_once(self, world: World) -> None:
        await world.alice.deposit("first", Wei(WALLET // 2))
        await world.alice.pay(world.batch("one", WALLET // 4))
        for _ in range(2):
            await world.bob.withdraw([NOBODY, world.alice.account])
            assert await world.bobs() == (WALLET // 4, 0)
            wallet = (await world.bob.observe([])).funds.wallet
            assert 0 <= WALLET + WALLET // 4 - wallet <= DUST

    @waited
    async def test_earnings_go_to_another_wallet_where_that_is_wanted(self, world: World) -> None:
        await world.alice.deposit("first", Wei(WALLET // 2))
        await world.alice.pay(world.batch("one", WALLET // 4))
        before = (await world.alices()).wallet
        await world.bob.withdraw([world.alice.account], world.alice.account)
        assert (await world.alices()).wallet == before + WALLET // 4
        assert await world.bobs() == (WALLET // 4, 0)

    @waited
    async def test_a_voucher_is_claimed_once_for_what_was_not_paid(self, world: World) -> None:
        await world.alice.deposit("first", Wei(10**15))
        await world.alice.pay(world.batch("one", 10**14))
        voucher = world.voucher(5 * 10**14)
        for _ in range(2):
            await world.bob.claim(voucher)
            assert await world.bobs() == (5 * 10**14, 5 * 10**14)
        assert (await world.alices()).free == 5 * 10**14
        await world.alice.pay(world.batch("two", 5 * 10**14))
        assert await world.bobs() == (5 * 10**14, 5 * 10**14)

    @waited
    async def test_a_claim_takes_the_reserve_first_and_what_there_is(self, world: World) -> None:
        await world.alice.deposit("first", Wei(2 * 10**15))
        await world.alice.order("one", SetAside(payee=world.bob.account, amount=Wei(10**15)))
        assert (await world.bob.observe([world.alice.account])).reserved == {world.alice.account: 10**15}
        await world.alice.order("two", TakeBack(amount=Wei(10**15)))
        await world.bob.claim(world.voucher(3 * 10**15))
        assert await world.bobs() == (10**15, 10**15)
        with pytest.raises(NotEnoughFunds, match="nothing in the contract"):
            await world.bob.claim(world.voucher(3 * 10**15))

    @waited
    async def test_a_voucher_that_is_another_account_s_or_was_changed_is_refused(self, world: World) -> None:
        await world.alice.deposit("first", Wei(10**15))
        for wrong in ({"payee": NOBODY}, {"cumulative": Wei(10**15)}, {"signature": bytes(65)}):
            with pytest.raises(BadSignature):
                await world.bob.claim(evolve(world.voucher(10**14), **wrong))
        assert await world.bobs() == (0, 0)

    @waited
    async def test_a_reserve_is_free_again_at_once_where_the_payee_consents(self, world: World) -> None:
        await world.alice.deposit("first", Wei(10**15))
        with pytest.raises(NotFound, match="reserved nothing"):
            await world.bob.consent(world.alice.account)
        await world.alice.order("aside", SetAside(payee=world.bob.account, amount=Wei(10**14)))
        word = await world.bob.consent(world.alice.account)
        assert word.amount == 10**14
        release = Release(payee=world.bob.account, until_s=word.until_s, signature=word.signature)
        for _ in range(2):
            await world.alice.order("release", release)
        assert (await world.alices()).free == 10**15

    @waited
    async def test_under_one_key_an_order_is_carried_out_once(self, world: World) -> None:
        await world.alice.order("in", PutIn(amount=Wei(3000)))
        for _ in range(2):
            await world.alice.order("out", TakeBack(amount=Wei(1000)))
        assert (await world.alices()).free == 2000
        with pytest.raises(NotEnoughFunds):
            await world.alice.order("more", TakeBack(amount=Wei(2001)))
        with pytest.raises(NotEnoughFunds):
            await world.alice.order("most", SetAside(payee=world.bob.account, amount=Wei(2001)))
        await world.alice.order("unlock", Unlock())

    @waited
    async def test_what_is_asked_for_at_once_happens_in_some_order(self, world: World) -> None:
        deposits = [Deferred.fromCoroutine(_begun(world.alice, f"d{number}")) for number in range(3)]
        await gatherResults(deposits, consumeErrors=True)
        assert (await world.alices()).free == 300


async def _begun(chain: IChain, key: str) -> Receipt:
    return await chain.deposit(key, Wei(100))
