"""Signatures, and what they are good for."""

from __future__ import annotations

import msgspec
import pytest

from golem.errors import BadSignature
from golem.model.ids import NodeId, task_id
from golem.model.messages import Demand, PeerRecord, Withdrawal
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.samples import messages
from golem.wire.signing import NodeKey, digest, payee_digest, sign_word, verify_payee, verify_word

ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def a_demand() -> Demand:
    demand = messages()[0]
    assert isinstance(demand, Demand)
    return demand


def test_a_digest_depends_on_where_one_part_ends_and_the_next_begins() -> None:
    assert len({digest("d", b"ab", b"c"), digest("d", b"a", b"bc"), digest("d", b"abc"), digest("da", b"bc")}) == 4


def test_a_demand_holds_on_its_network_alone() -> None:
    verify_word("devnet", a_demand())
    with pytest.raises(BadSignature):
        verify_word("mainnet", a_demand())


def test_nobody_speaks_of_another_nodes_task() -> None:
    """Else whatever is kept for a task (its content, a running worker, its place among the demands) were anybody's."""
    for word in (a_demand(), Withdrawal(task_id=a_demand().task_id, requestor=ALICE.node_id)):
        stolen = evolve(word, requestor=BOB.node_id, signature=b"")
        with pytest.raises(BadSignature, match="for another's task"):
            verify_word("devnet", sign_word(BOB.sign, "devnet", stolen))


CHANGES: dict[str, object] = {
    "task_id": task_id(ALICE.node_id, "2"),
    "requestor": BOB.node_id,
    "address": "192.0.2.2:7300",
    "template": "echo",
    "environment": "echo-1",
    "max_price": Wei(1),
    "limits": evolve(a_demand().limits, cores=1),
    "chunks": 65,
    "expires_ms": 1,
    "tiers": (),
    "signature": b"",
}


def test_the_changes_tried_below_are_of_every_field() -> None:
    assert set(CHANGES) == {field.name for field in msgspec.structs.fields(Demand)}


@pytest.mark.parametrize("field", CHANGES)
def test_a_demand_with_any_field_changed_does_not_hold(field: str) -> None:
    with pytest.raises(BadSignature):
        verify_word("devnet", evolve(a_demand(), **{field: CHANGES[field]}))


def test_a_demand_signed_by_another_than_its_requestor_does_not_hold() -> None:
    with pytest.raises(BadSignature):
        verify_word("devnet", sign_word(BOB.sign, "devnet", evolve(a_demand(), signature=b"")))


def test_a_record_of_where_a_node_listens_is_its_own_word_and_holds_on_its_network_alone() -> None:
    record = sign_word(ALICE.sign, "devnet", PeerRecord(node=ALICE.node_id, address="8.8.8.8:1", at_ms=1))
    verify_word("devnet", record)
    others = (
        evolve(record, node=BOB.node_id),
        evolve(record, address="8.8.8.8:2"),
        evolve(record, at_ms=2),
        evolve(record, signature=b""),
    )
    for other in others:
        with pytest.raises(BadSignature):
            verify_word("devnet", other)
    with pytest.raises(BadSignature):
        verify_word("mainnet", record)


def test_a_signature_has_one_form_only() -> None:
    signed = digest("d")
    good = ALICE.sign(signed)
    high = good[:32] + (ORDER - int.from_bytes(good[32:], "big")).to_bytes(32, "big")
    NodeKey(ALICE.node_id).check(good, signed, "a test")
    for bad in (high, good[:63], good + b"\0", bytes(64), b"\xff" * 64, b""):
        with pytest.raises(BadSignature):
            NodeKey(ALICE.node_id).check(bad, signed, "a test")


def test_a_node_id_that_is_no_point_of_the_curve_is_nobody() -> None:
    with pytest.raises(BadSignature):
        NodeKey(NodeId("02" + "f" * 64))


def test_an_account_vouches_for_one_node_on_one_network() -> None:
    proof = ALICE.sign_payment(payee_digest("devnet", ALICE.node_id))
    verify_payee("devnet", ALICE.node_id, ALICE.account, proof)
    for network, node_id, payee in (
        ("mainnet", ALICE.node_id, ALICE.account),
        ("devnet", BOB.node_id, ALICE.account),
        ("devnet", ALICE.node_id, BOB.account),
    ):
        with pytest.raises(BadSignature):
            verify_payee(network, node_id, payee, proof)
    with pytest.raises(BadSignature):
        verify_payee("devnet", ALICE.node_id, ALICE.account, bytes(65))
