"""Vouchers: what the contract takes, and nothing else."""

from __future__ import annotations

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import BadSignature
from golem.model.chain import Domain, Release, Voucher
from golem.model.ids import Address
from golem.model.messages import Acceptance
from golem.model.money import Wei
from golem.model.value import Value, evolve
from golem.testing.keys import FixedKeyring
from golem.testing.samples import SUBTASK
from golem.wire.account import keccak256
from golem.wire.voucher import (
    due_digest,
    due_s,
    is_consent,
    release_digest,
    sign_acceptance,
    sign_consent,
    verify_voucher,
)

ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")
DOMAIN = Domain(chain_id=1337, contract=Address("0x" + "cc" * 20))
EIP712_DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


def acceptance(**changes: object) -> Acceptance:
    made = Acceptance(
        subtask_id=SUBTASK,
        amount=Wei(3),
        cumulative=Wei(2**95 + 7),
        due_ms=1_700_000_000_001,
        payer=ALICE.account,
        payee=BOB.account,
    )
    return evolve(made, **changes)


def typed(kind: str, fields: list[tuple[str, str]], message: dict[str, object]) -> bytes:
    """The digest as another implementation makes it."""
    made = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": EIP712_DOMAIN,
                kind: [{"name": name, "type": what} for name, what in fields],
            },
            "primaryType": kind,
            "domain": {
                "name": "PairBank",
                "version": "1",
                "chainId": DOMAIN.chain_id,
                "verifyingContract": DOMAIN.contract,
            },
            "message": message,
        }
    )
    return keccak256(b"\x19" + made.version + made.header + made.body)


WHO = [("payer", "address"), ("payee", "address")]


def test_a_promise_is_signed_as_eip_712_says() -> None:
    voucher = acceptance().voucher
    message = {"payer": ALICE.account, "payee": BOB.account, "cumulative": 2**95 + 7, "dueBy": 1_700_000_001}
    fields = [*WHO, ("cumulative", "uint96"), ("dueBy", "uint64")]
    assert due_digest(DOMAIN, voucher) == typed("Due", fields, message)


def test_a_release_is_signed_as_eip_712_says() -> None:
    message = {"payer": ALICE.account, "payee": BOB.account, "gwei": 5, "until": 1_700_000_000}
    fields = [*WHO, ("gwei", "uint64"), ("until", "uint64")]
    assert release_digest(DOMAIN, ALICE.account, BOB.account, 5, 1_700_000_000) == typed("Release", fields, message)


def test_a_consent_is_the_payees_own_word_on_the_reserve_there_is() -> None:
    made = sign_consent(BOB.sign_payment, DOMAIN, ALICE.account, BOB.account, 5, 1_700_000_000)
    assert made.amount == 5 * 10**9
    release = Release(payee=BOB.account, until_s=made.until_s, signature=made.signature)
    assert is_consent(DOMAIN, ALICE.account, release, 5)
    assert not is_consent(DOMAIN, ALICE.account, release, 6)
    for wrong in (
        {"payee": ALICE.account},
        {"until_s": 1_700_000_001},
        {"signature": b""},
        {"signature": b"\xff" * 64 + b"\x1b"},
    ):
        assert not is_consent(DOMAIN, ALICE.account, evolve(release, **wrong), 5)


def test_a_voucher_is_never_due_earlier_than_was_said() -> None:
    assert (due_s(1000), due_s(1001), due_s(1999), due_s(2000)) == (1, 2, 2, 2)


def test_an_acceptance_that_its_payer_signed_is_a_voucher() -> None:
    made = sign_acceptance(ALICE.sign_payment, DOMAIN, acceptance())
    verify_voucher(DOMAIN, made.voucher)
    assert sign_acceptance(ALICE.sign_payment, DOMAIN, made) == made


@pytest.mark.parametrize(
    "change",
    [{"payer": BOB.account}, {"payee": ALICE.account}, {"cumulative": Wei(1)}, {"due_ms": 1_800_000_000_000}],
    ids=lambda change: next(iter(change)),
)
def test_a_voucher_that_was_changed_does_not_hold(change: dict[str, object]) -> None:
    made = sign_acceptance(ALICE.sign_payment, DOMAIN, acceptance()).voucher
    with pytest.raises(BadSignature, match="voucher"):
        verify_voucher(DOMAIN, evolve(made, **change))


@pytest.mark.parametrize("other", [evolve(DOMAIN, chain_id=1), evolve(DOMAIN, contract=BOB.account)], ids=repr)
def test_a_voucher_for_another_chain_or_contract_names_ours(other: Value) -> None:
    made = sign_acceptance(ALICE.sign_payment, DOMAIN, acceptance()).voucher
    assert isinstance(other, Domain)
    with pytest.raises(BadSignature, match=f"{other.contract} on chain {other.chain_id}"):
        verify_voucher(other, made)


@given(st.binary(max_size=70))
def test_garbage_is_no_signature_and_nothing_worse(garbage: bytes) -> None:
    made = Voucher(payer=ALICE.account, payee=BOB.account, cumulative=Wei(1), due_ms=1, signature=b"")
    with pytest.raises(BadSignature):
        verify_voucher(DOMAIN, evolve(made, signature=garbage[:65]))


def test_bytes_of_the_right_length_that_nobody_signed_are_refused() -> None:
    made = acceptance(signature=bytes(64) + bytes([27])).voucher
    with pytest.raises(BadSignature, match="no account"):
        verify_voucher(DOMAIN, made)
