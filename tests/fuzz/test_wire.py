"""Garbage is a PeerError and nothing worse. `eat` is also what a fuzzer is pointed at."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from golem.errors import PeerError
from golem.testing.keys import FixedKeyring
from golem.testing.samples import INSTANT_MS, messages
from golem.wire.codec import encode
from golem.wire.envelope import Terms, seal, unseal
from golem.wire.frame import frame
from golem.wire.session import Hello, Phase, Proved, Resumed, Session
from golem.wire.signing import NodeKey, payee_digest

ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")


def hello(keys: FixedKeyring) -> Hello:
    return Hello(
        network="devnet",
        versions=(1,),
        node_id=keys.node_id,
        epoch="e",
        address="",
        gateway="",
        payee=keys.account,
        payee_proof=keys.sign_payment(payee_digest("devnet", keys.node_id)),
        nonce=bytes(16),
        at_ms=INSTANT_MS,
    )


HELLOS = {keys: hello(keys) for keys in (ALICE, BOB)}


def session(keys: FixedKeyring) -> Session:
    return Session(HELLOS[keys], bytes(32), keys.sign)


def feed(to: Session, data: bytes) -> None:
    for happening in to.receive(data, INSTANT_MS):
        if isinstance(happening, Proved):
            to.resume(0)
        elif isinstance(happening, Resumed):
            assert to.phase is Phase.RESUMING


def whole() -> list[bytes]:
    """All that Bob says in an honest session, write by write."""
    alice, bob = session(ALICE), session(BOB)
    writes = []
    for _ in range(3):
        to_alice, to_bob = bob.take(), alice.take()
        writes.append(to_alice)
        feed(bob, to_bob)
        feed(alice, to_alice)
    bob.say(1, [encode(message) for message in messages()], INSTANT_MS)
    bob.acknowledge(1)
    bob.ping()
    bob.end("enough")
    return [*writes, bob.take()]


WRITES = whole()


def eat(data: bytes, after: int = 0) -> None:
    """Hear bytes from anybody, after so many honest writes."""
    alice = session(ALICE)
    with suppress(PeerError):
        for write in WRITES[:after]:
            feed(alice, write)
        feed(alice, data)


def test_an_honest_session_goes_through() -> None:
    alice = session(ALICE)
    for write in WRITES:
        feed(alice, write)
    assert alice.phase is Phase.OVER


@given(st.binary(max_size=300), st.integers(0, 3))
def test_garbage_is_a_peers_error_and_nothing_worse(data: bytes, after: int) -> None:
    eat(data, after)
    eat(frame(data), after)


@given(st.integers(0, 3), st.data())
def test_a_few_wrong_bytes_are_a_peers_error_and_nothing_worse(after: int, data: st.DataObject) -> None:
    spoilt = bytearray(WRITES[after])
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    eat(bytes(spoilt), after)


@given(st.binary(max_size=200) | st.builds(lambda body: b"\x91" + body, st.binary(max_size=200)))
def test_a_body_of_garbage_under_a_good_signature_is_a_peers_error_and_nothing_worse(body: bytes) -> None:
    terms = Terms("devnet", 1, BOB.node_id, ALICE.node_id)
    with suppress(PeerError):
        unseal(seal(BOB.sign, terms, 1, body, INSTANT_MS), terms, NodeKey(BOB.node_id), INSTANT_MS)


MESSAGES = [encode(message) for message in messages()]


@given(st.sampled_from(MESSAGES), st.data())
def test_a_spoilt_message_under_a_good_signature_is_a_peers_error_and_nothing_worse(
    message: bytes, data: st.DataObject
) -> None:
    spoilt = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    terms = Terms("devnet", 1, BOB.node_id, ALICE.node_id)
    with suppress(PeerError):
        unseal(seal(BOB.sign, terms, 1, b"\x91" + bytes(spoilt), INSTANT_MS), terms, NodeKey(BOB.node_id), INSTANT_MS)
