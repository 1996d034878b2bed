"""Every message, altered, to another, again, too late, of another network or version: nothing changes."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import get_args

import msgspec
import pytest

from golem.core.node import Core
from golem.core.state import NodeState
from golem.errors import IllegalTransition
from golem.model.chain import Domain, Voucher
from golem.model.events import Connected, Heard, Stamp, Started
from golem.model.ids import NOBODY, NodeId
from golem.model.messages import Acceptance, Demand, Message, PeerList, Reminder, Withdrawal
from golem.model.settings import Settings
from golem.model.value import evolve
from golem.net.identity import Identity
from golem.net.network import Network
from golem.testing.altered import changes, paths
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
        self._net = MemoryNetwork("7", self.clock)
        self.bob = Mind()
        self._alice = self._start("alice", ALICE, MemoryHearer())
        self._bob = self._start("bob", BOB, self.bob)
        self._meet()

    def _start(self, name: str, keys: FixedKeyring, hearer: MemoryHearer) -> Network:
        domain = Domain(chain_id=1337, contract=NOBODY)
        identity = Identity(keys, "devnet", f"{name}:7300", "", lambda: "", lambda: "epoch", domain)
        network = Network(self._net.carrier(name), self.clock, identity, hearer, SeededEntropy(name))
        hearer.join(network)
        network.startService()
        return network

    def _meet(self) -> None:
        self._alice.dial("bob:7300")
        assert self.clock.run_until(lambda: bool(self._alice.peers() and self._bob.peers()), 1)

    def restart(self) -> None:
        """Bob stops, and comes back with all that he knew."""
        self._bob.stopService()
        self.clock.advance(2)
        self._bob = self._start("bob", BOB, self.bob)
        self._meet()

    def say(self, envelope: Envelope) -> None:
        """Have bob hear it."""
        peer = self._alice._sessions.get(BOB.node_id)
        assert peer is not None and peer._session is not None
        peer._session._put(envelope)
        peer._writer.write()
        self.clock.advance(0.5)


def sealed(*said: Message, terms: Terms = TERMS, sequence: int = 1, keys: FixedKeyring = ALICE) -> Envelope:
    return seal(keys.sign, terms, sequence, bundle([encode(message) for message in said]), INSTANT_MS)


ALTERED = [
    pytest.param(message, other, id=f"{name}.{path}")
    for name, message in SAMPLES.items()
    for path, other in changes(message)
]


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.mark.parametrize("name", SAMPLES)
def test_as_it_was_sealed_a_message_is_heard(line: Line, name: str) -> None:
    before = line.bob.digest()
    line.say(sealed(SAMPLES[name]))
    assert line.bob.said[ALICE.node_id] == [SAMPLES[name]] and line.bob.digest() != before


def test_there_is_every_message_and_every_field_of_it_is_altered_below() -> None:
    assert set(SAMPLES) == {kind.__name__ for kind in get_args(Message)}
    for name, message in SAMPLES.items():
        assert {path for path, _ in changes(message)} == set(paths(message)), name


@pytest.mark.parametrize(("message", "other"), ALTERED)
def test_with_any_field_altered_on_the_way_nothing_is_heard(line: Line, message: Message, other: Message) -> None:
    before = line.bob.digest()
    line.say(evolve(sealed(message), body=bundle([encode(other)])))
    assert line.bob.digest() == before


ENVELOPE = [field.name for field in msgspec.structs.fields(Envelope) if field.name != "body"]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("field", ENVELOPE)
def test_with_its_envelope_altered_on_the_way_nothing_is_heard(line: Line, name: str, field: str) -> None:
    before = line.bob.digest()
    (other,) = [other for path, other in changes(sealed(SAMPLES[name])) if path == field]
    assert isinstance(other, Envelope)
    line.say(other)
    assert line.bob.digest() == before


def holds_by_itself(message: Message, path: str) -> bool:
    """Whether the author's own signature covers a field, whoever's envelope brings it."""
    if isinstance(message, Acceptance):
        return path in {field.name for field in msgspec.structs.fields(Voucher)}
    return isinstance(message, Demand | Withdrawal | PeerList | Reminder)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(other, id=f"{name}.{path}")
        for name, message in SAMPLES.items()
        for path, other in changes(message)
        if holds_by_itself(message, path)
    ],
)
def test_what_its_author_signed_is_not_heard_altered_under_another_s_good_envelope(line: Line, other: Message) -> None:
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


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_heard_before_a_restart_is_not_heard_again(line: Line, name: str) -> None:
    said = sealed(SAMPLES[name])
    line.say(said)
    line.restart()
    before = line.bob.digest()
    line.say(said)
    assert line.bob.digest() == before
