"""Signatures, and what they are good for."""

from __future__ import annotations

from typing import get_args

import pytest

from golem.errors import BadSignature
from golem.model.evidence import Evidence
from golem.model.ids import NodeId
from golem.model.messages import Delivery, Demand, PeerRecord, Withdrawal
from golem.model.money import Wei
from golem.model.spec import Judgement, TaskSpec
from golem.model.value import evolve
from golem.testing.altered import changes, paths
from golem.testing.keys import FixedKeyring
from golem.testing.samples import CID, JOB, SUBTASK, messages
from golem.wire.signing import NodeKey, Word, digest, payee_digest, sign_word, verify_payee, verify_word

ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def a_demand() -> Demand:
    demand = messages()[0]
    assert isinstance(demand, Demand)
    return demand


def test_a_digest_depends_on_where_one_part_ends_and_the_next_begins() -> None:
    assert len({digest("d", b"ab", b"c"), digest("d", b"a", b"bc"), digest("d", b"abc"), digest("da", b"bc")}) == 4


def test_nobody_speaks_of_another_nodes_task() -> None:
    """Else whatever is kept for a task (its content, a running worker, its place among the demands) were anybody's."""
    for word in (a_demand(), Withdrawal(task_id=a_demand().task_id, requestor=ALICE.node_id)):
        stolen = evolve(word, requestor=BOB.node_id, signature=b"")
        with pytest.raises(BadSignature, match="for another's task"):
            verify_word("devnet", sign_word(BOB.sign, "devnet", stolen))


WORDS: tuple[Word, ...] = (
    a_demand(),
    sign_word(ALICE.sign, "devnet", Withdrawal(task_id=a_demand().task_id, requestor=ALICE.node_id)),
    sign_word(ALICE.sign, "devnet", PeerRecord(node=ALICE.node_id, address="192.0.2.1:7300", at_ms=1)),
    sign_word(
        ALICE.sign,
        "devnet",
        Evidence(
            requestor=ALICE.node_id,
            provider=BOB.node_id,
            subtask_id=SUBTASK,
            spec=TaskSpec(
                template="toy", params=b"{}", budget=Wei(9), max_price=Wei(1), output="out", inputs=JOB.inputs
            ),
            chunk=3,
            delivery=Delivery(subtask_id=SUBTASK, result=CID, size_bytes=1, report=b"{}", used_ms=1),
            step=0,
            salt=b"salt",
            judgement=Judgement.WRONG,
            reason="tile 3: ssim 0.41, at least 0.94",
        ),
    ),
)


def test_every_kind_of_word_is_tried_below_and_every_field_of_it() -> None:
    assert {type(word) for word in WORDS} == set(get_args(Word))
    for word in WORDS:
        assert {path for path, _ in changes(word)} == set(paths(word))


@pytest.mark.parametrize(
    ("word", "other"),
    [pytest.param(word, other, id=f"{type(word).__name__}.{path}") for word in WORDS for path, other in changes(word)],
)
def test_a_word_with_any_field_altered_does_not_hold(word: Word, other: Word) -> None:
    verify_word("devnet", word)
    with pytest.raises(BadSignature):
        verify_word("devnet", other)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_holds_on_its_network_alone(word: Word) -> None:
    with pytest.raises(BadSignature):
        verify_word("mainnet", word)


def test_a_demand_signed_by_another_than_its_requestor_does_not_hold() -> None:
    with pytest.raises(BadSignature):
        verify_word("devnet", sign_word(BOB.sign, "devnet", evolve(a_demand(), signature=b"")))


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
