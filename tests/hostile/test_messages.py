"""Every message, altered, to another, again, too late, of another network or version: nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from hashlib import sha256

import msgspec
import pytest

from golem.core.node import Core
from golem.core.state import NodeState
from golem.errors import IllegalTransition
from golem.model.chain import Domain
from golem.model.events import Connected, Heard, Stamp, Started
from golem.model.ids import NOBODY, NodeId
from golem.model.messages import Demand, Message, PeerList, Withdrawal
from golem.model.settings import Settings
from golem.model.value import Value, evolve
from golem.net.identity import Identity
from golem.net.network import Network
from golem.testing.clock import Clock
from golem.testing.hearer import MemoryHearer
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.network import MemoryNetwork
from golem.testing.samples import INSTANT_MS, messages
from golem.testing.toy import CAPABILITY, Toy
from golem.wire.codec import encode
from golem.wire.envelope import LIFETIME_MS, TOLERANCE_MS, Envelope, Terms, bundle, seal

ALICE, BOB, CAROL = FixedKeyring("alice"), FixedKeyring("bob"), FixedKeyring("carol")
TERMS = Terms("devnet", 1, ALICE.node_id, BOB.node_id)
SAMPLES = {type(message).__name__: message for message in messages()}


class Mind(MemoryHearer):
    """Bob's memory, and his core."""

    def __init__(self) -> None:
        super().__init__()
        self.core = Core(NodeState(), Toy().policies())
        self._step(
            Started(
                node_id=BOB.node_id,
                address="bob:7300",
                payee=BOB.account,
                settings=Settings(provide=True, templates=("toy",)),
                capability=CAPABILITY,
            )
        )

    def _step(self, event: Started | Connected | Heard) -> None:
        with suppress(IllegalTransition):
            self.core.step(event, Stamp(at_ms=INSTANT_MS, salt=b"s" * 16))

    def connected(self, event: Connected) -> None:
        """A session stands."""
        super().connected(event)
        self._step(event)

    def heard(self, peer: NodeId, sequence: int, message: Message) -> None:
        """Remember it, and think."""
        super().heard(peer, sequence, message)
        self._step(Heard(peer=peer, sequence=sequence, message=message))

    def digest(self) -> str:
        """All that he knows."""
        return sha256(encode(self.core.state) + encode(self.mail) + repr((self.said, self.gossip)).encode()).hexdigest()


class Line:
    """An open session from alice to bob, on which anything can be said."""

    def __init__(self) -> None:
        self.clock = Clock()
        net = MemoryNetwork("7", self.clock)
        self.bob = Mind()
        self._networks = {}
        for keys, hearer in ((ALICE, MemoryHearer()), (BOB, self.bob)):
            name = "alice" if keys is ALICE else "bob"
            domain = Domain(chain_id=1337, contract=NOBODY)
            identity = Identity(keys, "devnet", f"{name}:7300", "", lambda: "", lambda: "epoch", domain)
            network = Network(net.carrier(name), self.clock, identity, hearer, SeededEntropy(name))
            hearer.join(network)
            network.startService()
            self._networks[name] = network
        self._networks["alice"].dial("bob:7300")
        assert self.clock.run_until(lambda: bool(self._networks["alice"].peers() and self._networks["bob"].peers()), 1)

    def say(self, envelope: Envelope) -> None:
        """Have bob hear it."""
        peer = self._networks["alice"]._sessions.get(BOB.node_id)
        assert peer is not None and peer._session is not None
        peer._session._put(envelope)
        peer._writer.write()
        self.clock.advance(0.5)


def sealed(*said: Message, terms: Terms = TERMS, sequence: int = 1, keys: FixedKeyring = ALICE) -> Envelope:
    return seal(keys.sign, terms, sequence, bundle([encode(message) for message in said]), INSTANT_MS)


def altered(value: object) -> Iterator[object]:
    """Other values of the same kind."""
    match value:
        case Enum():
            yield next(other for other in type(value) if other is not value)
        case int():
            yield type(value)(value - 1 if value else 1)
        case str() | bytes():
            yield _other(value)
        case tuple() if value:
            yield ()
            for change in altered(value[0]):
                yield (change, *value[1:])
        case Value():
            yield from changes(value)


def _other(text: str | bytes) -> str | bytes:
    if isinstance(text, bytes):
        return bytes([text[0] ^ 1]) + text[1:] if text else b"\0"
    return text[:-1] + ("1" if text[-1:] == "0" else "0")


def changes(message: Value) -> Iterator[Value]:
    """A message with each of its fields altered, and each of the fields in these."""
    for field in msgspec.structs.fields(message):
        for change in altered(getattr(message, field.name)):
            yield evolve(message, **{field.name: change})


ALTERED = [
    pytest.param(message, other, id=f"{name}-{number}")
    for name, message in SAMPLES.items()
    for number, other in enumerate(changes(message))
]


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.mark.parametrize("name", SAMPLES)
def test_as_it_was_sealed_a_message_is_heard(line: Line, name: str) -> None:
    before = line.bob.digest()
    line.say(sealed(SAMPLES[name]))
    assert line.bob.said[ALICE.node_id] == [SAMPLES[name]] and line.bob.digest() != before


def test_every_message_has_fields_altered_below() -> None:
    tried = {type(param.values[0]).__name__ for param in ALTERED}
    assert tried == {name for name, message in SAMPLES.items() if msgspec.structs.fields(message)}


@pytest.mark.parametrize(("message", "other"), ALTERED)
def test_with_any_field_altered_on_the_way_nothing_is_heard(line: Line, message: Message, other: Message) -> None:
    before = line.bob.digest()
    line.say(evolve(sealed(message), body=bundle([encode(other)])))
    assert line.bob.digest() == before


SIGNED = [param for param in ALTERED if isinstance(param.values[0], Demand | Withdrawal | PeerList)]


@pytest.mark.parametrize(("message", "other"), SIGNED)
def test_what_others_said_is_not_passed_on_altered(line: Line, message: Message, other: Message) -> None:
    before = line.bob.digest()
    line.say(sealed(other))
    is_shorter = isinstance(other, PeerList) and not other.peers
    assert is_shorter or line.bob.digest() == before, "a list may be shorter, what is in it may not be other"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "terms",
    (
        TERMS._replace(network="mainnet"),
        TERMS._replace(version=2),
        TERMS._replace(recipient=CAROL.node_id),
        TERMS._replace(sender=CAROL.node_id),
    ),
    ids=("another network", "another version", "to another", "from another"),
)
def test_on_other_terms_nothing_is_heard(line: Line, name: str, terms: Terms) -> None:
    before = line.bob.digest()
    line.say(sealed(SAMPLES[name], terms=terms, keys=CAROL if terms.sender == CAROL.node_id else ALICE))
    assert line.bob.digest() == before


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("late_ms", (LIFETIME_MS + TOLERANCE_MS + 1_000, -TOLERANCE_MS - LIFETIME_MS - 1_000))
def test_after_its_time_or_before_nothing_is_heard(line: Line, name: str, late_ms: int) -> None:
    before = line.bob.digest()
    body = bundle([encode(SAMPLES[name])])
    line.say(seal(ALICE.sign, TERMS, 1, body, INSTANT_MS - late_ms))
    assert line.bob.digest() == before


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("sequence", (1, 3), ids=("again", "after a gap"))
def test_out_of_its_turn_nothing_is_heard(line: Line, name: str, sequence: int) -> None:
    line.say(sealed(SAMPLES["Cancellation"]))
    before = line.bob.digest()
    line.say(sealed(SAMPLES[name], sequence=sequence))
    assert line.bob.digest() == before
