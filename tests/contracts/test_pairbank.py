"""The payment contract, compiled and run by py-evm."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from coincurve import PrivateKey
from eth_abi.abi import decode

from golem.model.ids import Address
from golem.model.value import evolve
from golem.testing.bank import ETHER, Bank, is_done
from golem.wire.account import keccak256

GWEI = 10**9
AMOUNT = 123_456_789_012_345  # seven bytes, as benchmarks/gas.py
HERE = Path(__file__).parents[2]


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_the_artefact_is_what_the_source_compiles_to() -> None:
    pytest.importorskip("vyper")
    spec = importlib.util.spec_from_file_location("build", HERE / "contracts" / "build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.compile_source() == json.loads((HERE / "golem" / "adapters" / "pairbank.json").read_text())


def test_a_payment_credits_the_difference_to_what_was_paid_before(bank: Bank) -> None:
    a, b = bank.actors[:2]
    bank.send(0, "deposit()", value=10)
    bank.pay(0, [(b, 3)])
    bank.pay(0, [(b, 7)])
    assert bank.look("paid_by(address[],address)", [a], b, returns="uint256[]") == (7,)
    assert bank.look("paid_to(address,address[])", a, [b], returns="uint256[]") == (7,)
    assert bank.look("free(address)", a) == 3
    assert bank.look("claimable(address[],address)", [a], b) == 7


def test_a_payment_sent_again_or_too_late_pays_nothing(bank: Bank) -> None:
    a, b = bank.actors[:2]
    bank.send(0, "deposit()", value=10)
    for total in (7, 7, 3, 0):
        assert is_done(bank.pay(0, [(b, total)]))
    assert bank.look("free(address)", a) == 3
    assert is_done(bank.pay(0, [(b, 8), (b, 8), (b, 5)]))
    assert bank.look("free(address)", a) == 2


def test_a_batch_that_is_short_by_one_wei_pays_nobody(bank: Bank) -> None:
    a, b, c, _ = bank.actors
    bank.send(0, "deposit()", value=10)
    assert not is_done(bank.pay(0, [(b, 5), (c, 6)]))
    assert bank.look("paid_to(address,address[])", a, [b, c], returns="uint256[]") == (0, 0)
    assert is_done(bank.pay(0, [(b, 5), (c, 6)], value=1))
    assert bank.look("free(address)", a) == 0


def test_ether_sent_along_and_not_needed_stays_free(bank: Bank) -> None:
    a, b = bank.actors[:2]
    bank.pay(0, [(b, 5)], value=9)
    assert bank.look("free(address)", a) == 4


def test_nobody_pays_itself_nor_nobody(bank: Bank) -> None:
    bank.send(0, "deposit()", value=10)
    assert not is_done(bank.pay(0, [(bank.actors[0], 1)]))
    assert not is_done(bank.pay(0, [("0x" + "00" * 20, 1)]))


def test_a_payee_takes_out_what_it_was_paid_once(bank: Bank) -> None:
    a, b, c, _ = bank.actors
    fresh = "0x" + "77" * 20
    bank.pay(0, [(c, 5)], value=5)
    bank.pay(1, [(c, 6)], value=6)
    for _ in range(2):
        assert is_done(bank.send(2, "withdraw(address[],address)", [a, b, a], fresh))
    assert bank.balance(fresh) == 11
    assert bank.look("claimable(address[],address)", [a, b], c) == 0
    assert bank.look("paid_by(address[],address)", [a, b], c, returns="uint256[]") == (5, 6)
    bank.pay(0, [(c, 9)], value=4)
    bank.send(2, "withdraw(address[],address)", [a], fresh)
    assert bank.balance(fresh) == 15


def test_a_payer_takes_back_what_is_free_and_no_more(bank: Bank) -> None:
    a, b = bank.actors[:2]
    bank.send(0, "deposit()", value=10)
    bank.pay(0, [(b, 4)])
    assert not is_done(bank.send(0, "withdraw_own(uint256)", 7))
    assert not is_done(bank.send(1, "withdraw_own(uint256)", 1))
    assert is_done(bank.send(0, "withdraw_own(uint256)", 6))
    assert (bank.look("free(address)", a), bank.held) == (0, 4)


def test_plain_ether_is_refused(bank: Bank) -> None:
    assert not is_done(bank.send_to(bank.contract, 0, b"", 1))
    assert bank.held == 0


def test_a_receiver_that_refuses_ether_loses_nothing(bank: Bank) -> None:
    a, b = bank.actors[:2]
    bank.pay(0, [(b, 5)], value=5)
    assert not is_done(bank.send(1, "withdraw(address[],address)", [a], bank.contract))
    assert not is_done(bank.send(1, "withdraw(address[],address)", [a], "0x" + "00" * 20))
    assert bank.look("claimable(address[],address)", [a], b) == 5


def test_a_batch_is_logged_with_its_payer_reference_and_words(bank: Bank) -> None:
    a, b = bank.actors[:2]
    (log,) = bank.pay(0, [(b, 5)], value=5).logs
    assert log.topics[0] == int.from_bytes(keccak256(b"Batch(address,bytes32,bytes32[])"), "big")
    assert log.topics[1:] == (int(a, 16), 0)
    assert decode(["bytes32[]"], log.data) == ((bytes.fromhex(f"{5:024x}{b[2:]}"),),)


def test_six_hundred_words_fit_and_one_more_is_refused(bank: Bank) -> None:
    payees = ["0x" + PrivateKey.from_int(n + 1).public_key.format()[1:21].hex() for n in range(601)]
    bank.send(0, "deposit()", value=ETHER)
    assert not is_done(bank.pay(0, [(payee, 1) for payee in payees]))
    assert is_done(bank.pay(0, [(payee, 1) for payee in payees[:600]]))
    assert bank.look("free(address)", bank.actors[0]) == ETHER - 600


def test_totals_end_at_ninety_six_bits(bank: Bank) -> None:
    a, b = bank.actors[:2]
    assert not is_done(bank.send(0, "deposit()", value=2**96))
    most = 2**96 - 1
    assert is_done(bank.send(0, "deposit()", value=most))
    assert is_done(bank.pay(0, [(b, most)]))
    bank.send(1, "withdraw(address[],address)", [a], b)
    assert bank.held == 0


def test_a_batch_of_a_hundred_keeps_its_budget_of_gas(bank: Bank) -> None:
    payees = ["0x" + keccak256(b"payee %d of 100" % n)[-20:].hex() for n in range(100)]
    bank.send(0, "deposit()", value=ETHER)
    new = bank.pay(0, [(payee, AMOUNT) for payee in payees]).gas_used
    used = bank.pay(0, [(payee, 2 * AMOUNT) for payee in payees]).gas_used
    assert new <= 100 * 24_000
    assert used <= 100 * 6_650


def test_a_push_pays_accounts_directly_and_what_is_refused_is_free_again(bank: Bank) -> None:
    fresh = "0x" + "77" * 20
    assert is_done(bank.push(0, [(fresh, 5), (bank.contract, 3), ("0x" + "00" * 20, 2)], 1, value=12))
    assert bank.balance(fresh) == 5
    assert bank.look("free(address)", bank.actors[0]) == 7
    assert not is_done(bank.push(0, [(fresh, 5)], 1))


def test_a_voucher_for_another_chain_or_contract_or_not_due_yet_claims_nothing(bank: Bank) -> None:
    bank.send(0, "deposit()", value=10)
    ours, late = bank.domain, bank.now - 1
    for wrong in (evolve(ours, chain_id=1), evolve(ours, contract=Address(bank.actors[2]))):
        bank.domain = wrong
        assert not is_done(bank.claim(1, 0, 5, late, 0))
    bank.domain = ours
    assert not is_done(bank.claim(1, 0, 5, bank.now + 60, 0))
    assert is_done(bank.claim(1, 0, 5, late, 0))
    assert bank.look("claimable(address[],address)", [bank.actors[0]], bank.actors[1]) == 5


def test_what_a_claim_leaves_of_a_reserve_below_a_gwei_is_free_again(bank: Bank) -> None:
    a, b = bank.actors[:2]
    bank.send(0, "deposit()", value=2 * GWEI)
    bank.send(0, "reserve(address,uint256)", b, 2)
    assert is_done(bank.claim(1, 0, 3, bank.now - 1, 0))
    assert bank.look("free(address)", a) == GWEI - 3
    assert bank.look("pairs(address[],address)", [a], b, returns="uint256[]") == (3 + (1 << 192),)
    assert bank.held == 2 * GWEI


def test_a_claim_takes_what_there_is_and_the_rest_once_there_is_more(bank: Bank) -> None:
    a, b = bank.actors[:2]
    bank.send(0, "deposit()", value=10)
    late = bank.now - 1
    for paid in (10, 10):
        assert is_done(bank.claim(1, 0, 25, late, 0))
        assert bank.look("paid_by(address[],address)", [a], b, returns="uint256[]") == (paid,)
    bank.send(0, "deposit()", value=20)
    assert is_done(bank.claim(1, 0, 25, late, 0))
    assert (bank.look("claimable(address[],address)", [a], b), bank.look("free(address)", a)) == (25, 5)
