"""What makes an envelope hold, and that nothing else does."""

from __future__ import annotations

import tracemalloc

import msgspec
import pytest

from golem.errors import BadSignature, FrameTooLarge, Incompatible, Malformed, PeerError, Replayed
from golem.model.ids import Cid
from golem.model.messages import Assignment, Cancellation, Message
from golem.model.spec import Input
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.samples import INSTANT_MS, SUBTASK, messages
from golem.wire.codec import encode
from golem.wire.envelope import (
    LIFETIME_MS,
    MAX_BODY_BYTES,
    MAX_MESSAGES,
    TOLERANCE_MS,
    Envelope,
    Terms,
    bundle,
    seal,
    unseal,
)
from golem.wire.frame import frame
from golem.wire.signing import NodeKey

ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")
TERMS = Terms("devnet", 1, ALICE.node_id, BOB.node_id)
KEY = NodeKey(ALICE.node_id)


def sealed(*said: Message, body: bytes = b"", terms: Terms = TERMS) -> Envelope:
    return seal(ALICE.sign, terms, 5, body or bundle([encode(m) for m in said]), INSTANT_MS)


def test_all_messages_come_out_as_they_went_in() -> None:
    assert unseal(sealed(*messages()), TERMS, KEY, INSTANT_MS) == messages()


@pytest.mark.parametrize("count", [1, 15, 16, MAX_MESSAGES])
def test_a_bundle_is_what_the_codec_makes_of_a_list(count: int) -> None:
    said = [messages()[1]] * count
    assert bundle([encode(m) for m in said]) == encode(said)


CHANGES: dict[str, tuple[object, type[PeerError]]] = {
    "network": ("mainnet", Incompatible),
    "version": (2, Incompatible),
    "sender": (FixedKeyring("carol").node_id, Incompatible),
    "recipient": (FixedKeyring("carol").node_id, Incompatible),
    "sequence": (6, BadSignature),
    "expires_ms": (INSTANT_MS, BadSignature),
    "body": (bundle([encode(messages()[2])]), BadSignature),
    "signature": (bytes(64), BadSignature),
}


def test_the_changes_tried_below_are_of_every_field() -> None:
    assert set(CHANGES) == {field.name for field in msgspec.structs.fields(Envelope)}


@pytest.mark.parametrize("message", messages(), ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("field", CHANGES)
def test_an_envelope_with_any_field_changed_does_not_hold(message: Message, field: str) -> None:
    value, error = CHANGES[field]
    if value == bundle([encode(message)]):
        value = bundle([encode(messages()[1])])
    with pytest.raises(error):
        unseal(evolve(sealed(message), **{field: value}), TERMS, KEY, INSTANT_MS)


@pytest.mark.parametrize(
    "terms",
    [TERMS._replace(network="mainnet"), TERMS._replace(recipient=ALICE.node_id), TERMS._replace(version=2)],
)
def test_an_envelope_made_for_other_terms_does_not_hold_when_relabelled(terms: Terms) -> None:
    relabelled = evolve(
        sealed(messages()[1], terms=terms), network="devnet", recipient=BOB.node_id, sender=ALICE.node_id, version=1
    )
    with pytest.raises(BadSignature):
        unseal(relabelled, TERMS, KEY, INSTANT_MS)


def test_an_envelope_holds_for_its_time_and_the_difference_of_two_clocks() -> None:
    envelope = sealed(messages()[1])
    for now_ms in (INSTANT_MS - TOLERANCE_MS, INSTANT_MS, INSTANT_MS + LIFETIME_MS + TOLERANCE_MS):
        unseal(envelope, TERMS, KEY, now_ms)
    for now_ms in (INSTANT_MS - TOLERANCE_MS - 1, INSTANT_MS + LIFETIME_MS + TOLERANCE_MS + 1):
        with pytest.raises(Replayed):
            unseal(envelope, TERMS, KEY, now_ms)


def test_messages_have_one_form_only() -> None:
    plain = encode(Cancellation(subtask_id=SUBTASK))
    longer = plain.replace(b"\x82\xa4type", b"\xde\x00\x02\xa4type")
    swapped = b"\x82" + plain[plain.index(b"\xaasubtask_id") :] + plain[1 : plain.index(b"\xaasubtask_id")]
    for body in (bundle([longer]), bundle([swapped]), b"\xdc\x00\x01" + plain):
        with pytest.raises(Malformed, match="canonical"):
            unseal(sealed(body=body), TERMS, KEY, INSTANT_MS)


@pytest.mark.parametrize(
    "body",
    [
        bundle([]),
        b"\xdc\x01\x01" + encode(messages()[1]) * 257,
        b"\xdd\xff\xff\xff\xff" + b"\xc0" * 1000,
        b"\x91" * 100_000,
        b"\x91" + b"\x82\xa1a" * 100_000,
        b"\x91\xc0",
        b"\xc1",
        bundle([encode(messages()[1])]) + b"\0",
        bundle([encode(messages()[1])])[:-1],
    ],
)
def test_a_body_that_is_no_list_of_messages_is_refused_before_anything_is_built(body: bytes) -> None:
    envelope = sealed(body=body)
    tracemalloc.start()
    with pytest.raises(Malformed):
        unseal(envelope, TERMS, KEY, INSTANT_MS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


def largest() -> Assignment:
    """A message that no other legal one surpasses."""
    assignment = next(m for m in messages() if isinstance(m, Assignment))
    name, cid = "n" * 119, Cid("b" + "a" * 110)
    inputs = (Input(name=name, cid=cid, size_bytes=2**53),) * 4096
    job = evolve(assignment.job, template=name, program=name, params=bytes(16 << 10), inputs=inputs)
    return evolve(assignment, job=job)


def test_the_largest_legal_message_fits_into_a_frame() -> None:
    envelope = sealed(largest())
    assert 1 << 20 < len(envelope.body) <= MAX_BODY_BYTES
    frame(encode(envelope))
    assert unseal(envelope, TERMS, KEY, INSTANT_MS) == (largest(),)


def test_what_stands_around_a_body_takes_no_more_than_its_allowance() -> None:
    wide = Terms("n" * 119, 2**16, ALICE.node_id, BOB.node_id)
    envelope = evolve(sealed(messages()[1], terms=wide), body=bytes(MAX_BODY_BYTES), sequence=2**53)
    try:
        frame(encode(envelope))
    except FrameTooLarge as why:
        pytest.fail(str(why))


def test_reading_an_envelope_takes_no_more_memory_than_a_few_times_its_size() -> None:
    dense = evolve(largest().job, inputs=(Input(name="n", cid=Cid(""), size_bytes=300),) * 4096)
    envelope = sealed(*[evolve(largest(), job=dense)] * 4)
    tracemalloc.start()
    unseal(envelope, TERMS, KEY, INSTANT_MS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * len(envelope.body)
