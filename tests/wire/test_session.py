"""Two sessions that hear each other's bytes, and what becomes of those who cheat."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.errors import BadSignature, Cheap, FrameTooLarge, Incompatible, Malformed, PeerError, Replayed
from golem.model.ids import NodeId
from golem.model.value import Value, evolve
from golem.testing.altered import changes
from golem.testing.keys import FixedKeyring
from golem.testing.samples import INSTANT_MS, messages
from golem.wire.codec import Decoder, encode
from golem.wire.doorway import Knock, Reserve, Reserved, Ring, What
from golem.wire.envelope import TOLERANCE_MS, Envelope
from golem.wire.frame import MAX_GREETING_BYTES, frame
from golem.wire.session import (
    Ack,
    Acknowledged,
    Bye,
    Ended,
    Frame,
    Happening,
    Hello,
    Phase,
    Ping,
    Pong,
    Proof,
    Proved,
    Resume,
    Resumed,
    Said,
    Session,
    Signalled,
)
from golem.wire.signing import payee_digest

BINDING = b"b" * 32
ENCODED = [encode(message) for message in messages()]
_frames: Decoder[Frame] = Decoder(Frame)


def hello(name: str, **changes: object) -> Hello:
    keys = FixedKeyring(name)
    made = Hello(
        network="devnet",
        versions=(1,),
        node_id=keys.node_id,
        epoch="e",
        address=f"{name}:7300",
        gateway=":8080",
        payee=keys.account,
        payee_proof=keys.sign_payment(payee_digest("devnet", keys.node_id)),
        nonce=name.encode().ljust(16, b"."),
        at_ms=INSTANT_MS,
    )
    return evolve(made, **changes)


def session(name: str, binding: bytes = BINDING, **changes: object) -> Session:
    return Session(hello(name, **changes), binding, FixedKeyring(name).sign)


def hear(to: Session, data: bytes, now_ms: int = INSTANT_MS) -> list[Happening]:
    return list(to.receive(data, now_ms))


def meet(alice: Session, bob: Session, received: tuple[int, int] = (0, 0)) -> None:
    """Alice has dialled Bob; each says the last number it has of the other."""
    hello_of_bob = bob.take()
    hear(bob, alice.take())
    hear(alice, hello_of_bob)
    proof_of_bob = bob.take()
    assert isinstance(hear(bob, alice.take())[0], Proved)
    assert isinstance(hear(alice, proof_of_bob)[0], Proved)
    alice.resume(received[0])
    for happening in bob.receive(alice.take(), INSTANT_MS):
        assert happening == Resumed(received[0])
        bob.resume(received[1])
    assert hear(alice, bob.take()) == [Resumed(received[1])]
    assert alice.phase is bob.phase is Phase.OPEN


def pair(received: tuple[int, int] = (0, 0)) -> tuple[Session, Session]:
    alice, bob = session("alice"), session("bob")
    meet(alice, bob, received)
    return alice, bob


def said(sequence: int) -> list[Happening]:
    return [Said(number, message) for number, message in enumerate(messages(), sequence)]


def test_a_session_opens_and_carries_messages_both_ways() -> None:
    alice, bob = pair()
    alice.say(1, ENCODED, INSTANT_MS)
    bob.say(7, ENCODED, INSTANT_MS)
    assert hear(bob, alice.take()) == said(1)
    assert hear(alice, bob.take()) == said(7)


def test_what_is_not_a_message_is_heard_as_what_it_is() -> None:
    alice, bob = pair()
    alice.acknowledge(9)
    alice.ping()
    alice.end("enough")
    assert hear(bob, alice.take()) == [Acknowledged(9), Ended("enough")]
    assert bytes(bob.take()) == frame(encode(Pong()))
    assert alice.phase is bob.phase is Phase.OVER
    alice, bob = pair()
    assert hear(bob, frame(encode(Pong()))) == []


def test_messages_without_a_number_have_no_order() -> None:
    alice, bob = pair()
    alice.say(5, ENCODED[:1], INSTANT_MS)
    alice.say(0, ENCODED[1:3], INSTANT_MS)
    alice.say(6, ENCODED[:1], INSTANT_MS)
    assert [s.sequence for s in hear(bob, alice.take()) if isinstance(s, Said)] == [5, 0, 0, 6]


def test_numbers_that_were_taken_before_are_skipped_even_within_an_envelope() -> None:
    alice, bob = pair((0, 3))
    alice.say(1, ENCODED[:2], INSTANT_MS)
    alice.say(3, ENCODED[:3], INSTANT_MS)
    assert [s.sequence for s in hear(bob, alice.take()) if isinstance(s, Said)] == [4, 5]


def test_a_gap_ends_the_session() -> None:
    alice, bob = pair((0, 3))
    alice.say(5, ENCODED[:1], INSTANT_MS)
    with pytest.raises(Replayed, match="5 after 3"):
        hear(bob, alice.take())


def test_an_old_envelope_ends_the_session() -> None:
    alice, bob = pair()
    alice.say(1, ENCODED[:1], INSTANT_MS)
    with pytest.raises(Replayed):
        hear(bob, alice.take(), INSTANT_MS + TOLERANCE_MS * 2)


@given(st.lists(st.integers(1, 400), min_size=1))
def test_chunking_never_matters(sizes: list[int]) -> None:
    alice, bob = pair()
    for sequence in range(1, 4 * len(ENCODED), len(ENCODED)):
        alice.say(sequence, ENCODED, INSTANT_MS)
        alice.ping()
    stream, heard, at = alice.take(), [], 0
    while at < len(stream):
        size = sizes[at % len(sizes)]
        heard += hear(bob, stream[at : at + size])
        at += size
    assert [s.sequence for s in heard if isinstance(s, Said)] == list(range(1, 4 * len(ENCODED) + 1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"network": "mainnet"}, "network"),
        ({"versions": (2, 3)}, "versions"),
        ({"at_ms": INSTANT_MS - TOLERANCE_MS - 1000}, "601 s"),
        ({"at_ms": INSTANT_MS + TOLERANCE_MS + 1000}, "601 s"),
        ({"node_id": FixedKeyring("alice").node_id}, "itself"),
    ],
)
def test_who_can_not_be_spoken_with_is_told_why(changes: dict[str, object], why: str) -> None:
    with pytest.raises(Incompatible, match=why):
        hear(session("alice"), session("bob", **changes).take())


def test_who_took_too_little_to_make_is_sent_away_before_anything_is_signed() -> None:
    alice = session("alice", network="open.24bits")
    alice.take()
    with pytest.raises(Cheap, match="asks for 24"):
        hear(alice, session("bob", network="open.24bits").take())
    assert alice.waiting == 0


def test_the_highest_common_version_is_spoken() -> None:
    alice, bob = session("alice", versions=(1, 2, 5)), session("bob", versions=(5, 2, 9))
    meet(alice, bob)
    alice.say(1, ENCODED[:1], INSTANT_MS)
    envelope = _frames.decode(alice.take()[4:])
    assert isinstance(envelope, Envelope) and envelope.version == 5


def test_a_hello_may_have_fields_that_this_version_does_not_know() -> None:
    alice, bob = session("alice"), session("bob")
    later = encode(hello("bob"))
    later = bytes([later[0] + 1]) + later[1:] + b"\xa5shape\xa5round"
    hear(alice, frame(later))
    assert alice.phase is Phase.PROVING and bob.phase is Phase.GREETING


def prove(victim: Session, other: Session) -> list[Happening]:
    """What the victim makes of the other's hello and proof."""
    hear(other, victim.take())
    return hear(victim, other.take())


def test_a_proof_made_on_another_channel_does_not_hold() -> None:
    assert isinstance(prove(session("alice"), session("bob"))[0], Proved)
    with pytest.raises(BadSignature):
        prove(session("alice"), session("bob", binding=b"c" * 32))


def test_a_proof_that_heard_another_hello_does_not_hold() -> None:
    alice, bob = session("alice"), session("bob")
    hear(bob, session("alice", nonce=b"another channel.").take())
    with pytest.raises(BadSignature):
        hear(alice, bob.take())


@pytest.mark.parametrize("other", [pytest.param(other, id=path) for path, other in changes(hello("bob"))])
def test_the_middle_can_not_change_what_a_hello_says(other: Hello) -> None:
    alice, bob = session("alice"), session("bob")
    hear(bob, alice.take())
    proof = bob.take()[4 + len(encode(hello("bob"))) :]
    with pytest.raises(PeerError):
        hear(alice, frame(encode(other)))
        hear(alice, proof)
    assert alice.phase is not Phase.RESUMING


def test_a_stranger_can_not_be_somebody_else() -> None:
    alice = session("alice")
    mallory = Session(hello("bob"), BINDING, FixedKeyring("mallory").sign)
    with pytest.raises(BadSignature):
        prove(alice, mallory)


def test_our_own_proof_thrown_back_proves_nothing() -> None:
    alice, bob = session("alice"), session("bob")
    hear(alice, bob.take())
    proof = alice.take()[4 + len(encode(hello("alice"))) :]
    with pytest.raises(BadSignature):
        hear(alice, proof)


def test_an_account_that_did_not_vouch_is_no_payee() -> None:
    with pytest.raises(BadSignature, match="payee"):
        prove(session("alice"), session("bob", payee=FixedKeyring("carol").account))


def test_a_node_id_that_is_no_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        hear(session("alice"), session("bob", node_id=NodeId("02" + "f" * 64)).take())


FRAMES: list[Value] = [
    hello("bob"),
    Proof(signature=bytes(64)),
    Resume(received=1),
    Ack(sequence=1),
    Ping(),
    Pong(),
]


def greeting() -> Session:
    return session("alice")


def proving() -> Session:
    alice = session("alice")
    hear(alice, session("bob").take())
    return alice


def resuming() -> Session:
    alice = session("alice")
    prove(alice, session("bob"))
    return alice


def resumed() -> Session:
    alice = resuming()
    hear(alice, frame(encode(Resume(received=0))))
    return alice


def opened() -> Session:
    return pair()[0]


def over() -> Session:
    alice = opened()
    hear(alice, frame(encode(Bye(reason="x"))))
    return alice


@pytest.mark.parametrize(
    ("make", "legal"),
    [
        (greeting, Hello),
        (proving, Proof),
        (resuming, Resume),
        (resumed, ()),
        (opened, (Ack, Ping, Pong)),
        (over, ()),
    ],
)
def test_what_no_row_of_the_table_allows_is_malformed(
    make: Callable[[], Session], legal: type[Value] | tuple[type[Value], ...]
) -> None:
    for said in FRAMES:
        if not isinstance(said, legal):
            with pytest.raises(Malformed):
                hear(make(), frame(encode(said)))
    envelope = pair()[1]
    envelope.take()
    envelope.say(1, ENCODED[:1], INSTANT_MS)
    if make is not opened:
        with pytest.raises(Malformed):
            hear(make(), envelope.take())


def test_nothing_large_is_taken_before_a_session_is_open() -> None:
    head = (MAX_GREETING_BYTES + 1).to_bytes(4, "big")
    for make in (greeting, proving, resuming):
        with pytest.raises(FrameTooLarge):
            hear(make(), head)
    assert hear(opened(), head) == []


def test_the_largest_hello_fits_into_what_is_taken_then() -> None:
    long = session(
        "bob", network="n" * 119, epoch="é" * 64, address="é" * 120, gateway="é" * 120, versions=(2**16,) * 16
    )
    with pytest.raises(Incompatible):
        hear(session("alice"), long.take())


def test_bytes_wait_until_they_are_taken() -> None:
    alice = session("alice")
    size = alice.waiting
    assert size == len(alice.take()) and alice.waiting == 0


def test_every_error_of_a_session_is_the_peers() -> None:
    assert all(issubclass(kind, PeerError) for kind in (BadSignature, FrameTooLarge, Incompatible, Malformed, Replayed))


def test_a_word_about_how_one_is_reached_is_heard_once_the_session_is_open() -> None:
    alice, bob = pair()
    signals = (
        Reserve(),
        Reserved(is_granted=True),
        Ring(token=bytes(16), what=What.CONTENT),
        Knock(port=1, token=bytes(16)),
    )
    for signal in signals:
        alice.signal(signal)
    assert hear(bob, alice.take()) == [Signalled(signal) for signal in signals]
    early = session("carol")
    with pytest.raises(Malformed, match="Reserve while greeting"):
        hear(early, frame(encode(Reserve())))
