"""Transactions, beside the libraries that other wallets use."""

from __future__ import annotations

import rlp as others_rlp
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from golem.model.chain import Word
from golem.model.ids import Address
from golem.model.money import Wei
from golem.wire.account import keccak256, sign_digest
from golem.wire.transaction import (
    MAX_TX_GAS,
    Fees,
    Transaction,
    digest,
    offer,
    pay_gas,
    raised,
    replaced,
    rlp,
    signed,
    word,
)

SECRET = bytes(range(1, 33))
ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5))
NUMBERS = st.integers(0, 2**64)
TRANSACTIONS = st.builds(
    Transaction,
    chain_id=st.integers(1, 2**53),
    nonce=NUMBERS,
    fees=st.builds(Fees, most=NUMBERS, tip=NUMBERS),
    gas=st.integers(21_000, MAX_TX_GAS),
    to=st.binary(min_size=20, max_size=20).map(lambda data: Address("0x" + data.hex())),
    value=st.integers(0, 2**96 - 1),
    data=st.binary(max_size=300),
)


@given(ITEMS)
def test_rlp_is_what_others_write(item: object) -> None:
    assert rlp(item) == others_rlp.encode(item)


def test_rlp_of_long_strings_and_of_numbers_is_what_others_write() -> None:
    for size in (55, 56, 255, 256, 70_000):
        assert rlp(b"x" * size) == others_rlp.encode(b"x" * size)
        assert rlp([b"x"] * size) == others_rlp.encode([b"x"] * size)
    for number in (0, 1, 127, 128, 255, 256, 2**96 - 1):
        assert rlp(number) == others_rlp.encode(number)


@settings(max_examples=30)
@given(TRANSACTIONS)
def test_a_signed_transaction_is_what_another_wallet_signs(transaction: Transaction) -> None:
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "maxFeePerGas": transaction.fees.most,
            "maxPriorityFeePerGas": transaction.fees.tip,
            "gas": transaction.gas,
            "to": bytes.fromhex(transaction.to[2:]),
            "value": transaction.value,
            "data": transaction.data,
        },
        SECRET,
    )
    raw = signed(transaction, sign_digest(SECRET, digest(transaction)))
    assert raw == theirs.raw_transaction
    assert keccak256(raw) == theirs.hash


def test_a_word_is_the_total_and_then_the_payee() -> None:
    payee = Address("0x" + "ab" * 20)
    assert word(Word(payee=payee, cumulative=Wei(258))).hex() == "000000000000000000000102" + "ab" * 20


def test_an_offer_covers_five_full_blocks_in_a_row() -> None:
    fees = offer(1000, [5, 1, 3])
    assert fees == Fees(most=2003, tip=3)
    assert fees.most >= 1000 * (9 / 8) ** 5
    assert offer(1000, []).tip == 1 and offer(1000, [0, 0]).tip == 1


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_what_is_raised_is_taken_by_nodes_and_enough_now(most: int, tip: int, base: int, tips: int) -> None:
    old, now = Fees(most=most, tip=tip), offer(base, [tips])
    more = raised(old, now)
    assert more.most >= now.most and more.tip >= now.tip
    assert more.most * 10 >= most * 11 and more.tip * 10 >= tip * 11


@given(TRANSACTIONS)
def test_a_replacement_is_the_same_call_at_the_same_nonce(old: Transaction) -> None:
    new = replaced(old, offer(1000, [1]))
    assert (new.nonce, new.to, new.value, new.data, new.gas) == (old.nonce, old.to, old.value, old.data, old.gas)
    assert digest(new) != digest(old) or old.fees == new.fees


def test_the_largest_batch_fits_into_one_transaction() -> None:
    assert pay_gas(500, 0) <= MAX_TX_GAS
