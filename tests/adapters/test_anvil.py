"""Payments on an Ethereum node that is not ours, through all that can go wrong: paid to the wei, and never stuck."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from golem.adapters.anvil import Anvil
from golem.adapters.ethereum.witness import STALE_S
from golem.errors import ChainFault, ChainLies, Locked, NodeFault
from golem.model.chain import Release, SetAside, Voucher
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.payer import CHAIN_ID, batch
from golem.wire.transaction import Fees, Transaction, digest, signed
from golem.wire.voucher import due_digest, seal
from tests.adapters.town import ALICE, BOB, GWEI, LIMIT_S, PAYEES, Skewed, Town, bounded, insist, until


@pytest.mark.faults
@pytest.mark.parametrize("fate", ["before", "after"])
@bounded
async def test_a_death_at_every_call_pays_once(town: Town, fate: str) -> None:
    at, asked = 0, 1
    while asked > at:
        at += 1
        totals, begin = town.owes(at, 2 * at, 3), town.proxy.asked
        town.proxy.loses = lambda n, _: fate if n == begin + at else ""  # noqa: B023 - called before the next round
        await insist(lambda: town.chain(confirmations=0, patience_s=0.0).pay(batch(totals)))  # noqa: B023
        asked = town.proxy.asked - begin
    assert at > 20, "too few calls for this to prove anything"
    await town.is_square()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(3))
@bounded
async def test_two_fifths_of_what_is_sent_and_of_the_answers_may_be_lost(town: Town, seed: int) -> None:
    chance = Random(seed)
    lossy, good = [0.36, 0.4, 0.24], [0.9, 0.05, 0.05]  # of what arrives, two fifths are not answered

    def loses(_: int, body: bytes) -> str:
        return chance.choices(["", "before", "after"], lossy if b"eth_sendRawTransaction" in body else good)[0]

    town.proxy.loses = loses
    alice = town.chain(confirmations=1)
    for amount in (5, 7, 11):
        totals = town.owes(amount, amount)
        await insist(lambda: alice.pay(batch(totals)))  # noqa: B023
    await town.is_square()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(2))
def test_a_payer_may_be_killed_at_any_time(town: Town, seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    (tmp_path / "killed").mkdir()
    batches = [town.owes(*(chance.randrange(1, 10**6) for _ in range(7))) for _ in range(3)]
    command = [sys.executable, "-m", "golem.testing.payer", town.anvil.rpc, town.contract, str(tmp_path / "killed")]
    landed = 0
    for _ in range(4):
        with subprocess.Popen([*command, json.dumps(batches)], stdout=subprocess.PIPE, text=True) as payer:
            assert payer.stdout.readline() == "ready\n"
            try:
                payer.wait(chance.uniform(0, 0.5))
            except subprocess.TimeoutExpired:
                payer.kill()
                landed += any(town.paid(payee) < total for payee, total in town.owed.items())
        for payee, total in town.owed.items():
            assert town.paid(payee) <= total
    assert landed, "no kill came before everything was paid"
    last = subprocess.run([*command, json.dumps(batches)], capture_output=True, text=True, timeout=LIMIT_S, check=True)
    assert last.stdout == "ready\ndone\n"
    assert {payee: town.paid(payee) for payee in town.owed} == town.owed


@pytest.mark.parametrize("depth", [2, 3])
@bounded
async def test_a_reorganisation_undoes_a_payment_and_it_is_mined_again(town: Town, depth: int) -> None:
    alice, before = town.chain(confirmations=5), town.nonce
    town.freeze()
    payment = alice.pay(batch(town.owes(300, 5)))
    await until(lambda: len(town.waiting) == 1, payment)
    town.mine(depth)
    asked = town.proxy.asked
    await until(lambda: town.proxy.asked > asked + 15, payment)  # it has seen its receipt, and waits on
    town.anvil.ask("anvil_reorg", depth, [])
    assert town.nonce == before, "undone"
    await until(lambda: len(town.waiting) == 1, payment)
    town.mine(6)
    await payment
    town.thaw()
    await town.is_square()
    assert town.nonce == before + 1


@bounded
async def test_gas_may_become_a_billion_times_dearer_while_a_payment_waits(town: Town) -> None:
    town.anvil.ask("anvil_setNextBlockBaseFeePerGas", hex(7))
    town.freeze()
    town.mine()
    before = town.nonce
    payment = town.chain(confirmations=0).pay(batch(town.owes(300)))
    await until(lambda: len(town.waiting) == 1, payment)
    first = town.waiting[0]["hash"]
    for _ in range(40):
        if town.nonce > before:
            break
        town.anvil.ask("anvil_setNextBlockBaseFeePerGas", hex(100 * GWEI))
        town.mine()
        await deferLater(reactor, 0.1, lambda: None)
    town.thaw()
    assert (await payment).tx_hash != first
    assert town.nonce == before + 1
    await town.is_square()


@bounded
async def test_a_nonce_that_another_wallet_took_is_no_trouble(town: Town) -> None:
    town.freeze()
    payment = town.chain(confirmations=0).pay(batch(town.owes(300)))
    await until(lambda: len(town.waiting) == 1, payment)
    fees = Fees(most=1000 * GWEI, tip=100 * GWEI)
    nonce = town.nonce
    other = Transaction(chain_id=CHAIN_ID, nonce=nonce, fees=fees, gas=21_000, to=BOB.account, value=1, data=b"")
    town.anvil.ask("eth_sendRawTransaction", "0x" + signed(other, ALICE.sign_payment(digest(other))).hex())
    for _ in range(40):
        town.mine()
        await deferLater(reactor, 0.05, lambda: None)
        if payment.called:
            break
    town.thaw()
    await payment
    assert town.nonce == nonce + 2
    await town.is_square()


@bounded
async def test_a_payment_that_was_forgotten_entirely_is_not_made_twice(town: Town) -> None:
    totals = town.owes(300, 5)
    await town.chain().pay(batch(totals))
    for file in (town.folder / ALICE.node_id[:8]).iterdir():
        file.unlink()
    assert (await town.chain().pay(batch(totals))).tx_hash == ""
    await town.chain().pay(batch(town.owes(1, 1, 1)))
    await town.is_square()


@bounded
async def test_a_voucher_may_be_claimed_while_its_payment_is_on_its_way(town: Town) -> None:
    totals = town.owes(10**15, 5)
    voucher = Voucher(payer=ALICE.account, payee=BOB.account, cumulative=Wei(totals[PAYEES[0]]), due_ms=1000)
    alice, bob = town.chain(confirmations=0), town.chain(BOB, confirmations=0)
    voucher = evolve(voucher, signature=seal(ALICE.sign_payment, due_digest(alice.domain, voucher)))
    town.freeze()
    payment, claim = alice.pay(batch(totals)), bob.claim(voucher)
    await until(lambda: len(town.waiting) == 1, payment)
    await deferLater(reactor, 0.3, lambda: None)
    town.mine(2)
    await payment
    await claim
    town.thaw()
    assert (await bob.claim(voucher)).tx_hash == "", "claimed again, it is seen to bring nothing"
    await town.is_square()


@bounded
async def test_a_node_that_forgets_its_pool_is_told_again(town: Town) -> None:
    town.freeze()
    payment = town.chain(confirmations=0).pay(batch(town.owes(300)))
    for _ in range(2):
        await until(lambda: len(town.waiting) == 1, payment)
        town.anvil.ask("anvil_dropAllTransactions")
    await until(lambda: len(town.waiting) == 1, payment)
    town.mine()
    await payment
    town.thaw()
    await town.is_square()


@bounded
async def test_a_node_that_is_started_again_with_an_empty_pool_is_told_again(town: Town) -> None:
    town.freeze()
    before = town.nonce
    payment = town.chain(confirmations=0).pay(batch(town.owes(300, 5)))
    await until(lambda: len(town.waiting) == 1, payment)
    (first,) = town.waiting
    town.proxy.loses = lambda *_: "before"
    town.restart()
    assert not town.waiting
    town.proxy.loses = lambda *_: ""
    await until(lambda: len(town.waiting) == 1, payment)
    assert town.waiting[0]["hash"] == first["hash"], "the same bytes, and no second payment"
    town.mine()
    await payment
    await town.is_square()
    assert town.nonce == before + 1


@bounded
async def test_our_own_clock_may_jump_by_hours_either_way_while_a_payment_waits(town: Town) -> None:
    clock = Skewed()
    alice, totals, before = town.chain(clock=clock, confirmations=0), town.owes(300, 5), town.nonce
    town.freeze()
    payment = alice.pay(batch(totals))
    await until(lambda: len(town.waiting) == 1, payment)
    clock.offset_s += 5 * 3600
    with pytest.raises(ChainFault, match="goes on when asked again"):
        await payment
    payment, begun = alice.pay(batch(totals)), town.proxy.asked
    await until(lambda: town.proxy.asked > begun + 10, payment)
    clock.offset_s -= 10 * 3600
    town.mine()
    await payment
    town.thaw()
    await town.is_square()
    assert town.nonce == before + 1


@bounded
async def test_a_payment_that_waits_keeps_no_other_from_being_sent(town: Town) -> None:
    town.freeze()
    alice = town.chain(confirmations=0)
    first = alice.pay(batch(town.owes(300)))
    await until(lambda: len(town.waiting) == 1, first)
    second = alice.pay(batch(town.owes(0, 5)))
    await until(lambda: len(town.waiting) == 2, second)
    town.mine()
    await first
    await second
    town.thaw()
    await town.is_square()


@bounded
async def test_a_contract_younger_than_the_blocks_that_count_is_named(town: Town) -> None:
    alice = town.chain(confirmations=10**6)
    with pytest.raises(NodeFault, match=r"no PairBank at 0x\w+ yet in block 0"):
        await alice.pay(batch({PAYEES[0]: 300}))


@bounded
async def test_a_consent_that_is_over_or_not_the_payees_costs_no_gas(town: Town) -> None:
    alice, bob, payee = town.chain(), town.chain(BOB), BOB.account
    await alice.order("aside", SetAside(payee=payee, amount=Wei(10**15)))
    word = await bob.consent(ALICE.account)
    release = Release(payee=payee, until_s=word.until_s, signature=word.signature)
    before = town.nonce
    with pytest.raises(Locked, match="no consent"):
        await alice.order("changed", evolve(release, until_s=word.until_s + 1))
    await alice.order("more", SetAside(payee=payee, amount=Wei(10**15)))
    with pytest.raises(Locked, match="the reserve there is now"):
        await alice.order("old", release)
    town.anvil.ask("evm_increaseTime", 2 * 86_400)
    town.mine()
    with pytest.raises(Locked, match="over"):
        await alice.order("late", release)
    assert town.nonce == before + 1


@bounded
async def test_the_chains_clock_may_jump_by_a_day(town: Town) -> None:
    payment = town.chain().pay(batch(town.owes(300)))
    town.anvil.ask("evm_increaseTime", 86_400)
    await payment
    await town.is_square()


@bounded
async def test_a_node_without_a_new_block_for_ten_minutes_is_not_believed_until_it_has_one(town: Town) -> None:
    clock = Skewed()
    alice = town.chain(clock=clock, confirmations=0)
    town.freeze()
    await alice.observe([])
    clock.offset_s += STALE_S + 1
    for attempt in (alice.observe([]), alice.pay(batch(town.owes(300)))):
        with pytest.raises(ChainLies, match="no new block for 10 minutes"):
            await attempt
    assert not town.waiting, "nothing was signed"
    town.mine()
    assert (await alice.observe([])).block
    town.thaw()
    await alice.pay(batch(town.owed))
    await town.is_square()


@bounded
async def test_two_nodes_that_agree_are_as_good_as_one(town: Town) -> None:
    alice = town.chain(witness=town.anvil.rpc)
    await alice.pay(batch(town.owes(300)))
    assert (await alice.observe([BOB.account])).paid == {BOB.account: 0}
    await town.is_square()


@bounded
async def test_a_node_on_another_chain_is_found_out_and_nothing_is_signed(town: Town) -> None:
    other = Anvil(0, CHAIN_ID, "--block-time", "1")
    try:
        assert other.deploy() == town.contract
        for _ in range(2):
            other.ask("anvil_mine", hex(100))
        alice, before = town.chain(witness=other.rpc), town.nonce
        for attempt in (alice.pay(batch({PAYEES[0]: 300})), alice.observe([])):
            with pytest.raises(ChainLies, match=r"payment\.witness"):
                await attempt
        assert (town.nonce, town.waiting) == (before, [])
    finally:
        other.stop()
