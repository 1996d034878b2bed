"""The door and the pipes behind it, without sockets: what strangers cost before they have said what they want."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IConsumer, IPushProducer, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides

from golem.model.budgets import CIRCUIT_BYTES, CIRCUIT_IDLE_S, CIRCUIT_RATE, CIRCUITS, DOOR, DOOR_S, Budget
from golem.model.ids import NodeId
from golem.net.circuits import Circuits
from golem.net.door import Door
from golem.net.peer import PeerProtocol
from golem.net.pipe import Meter, Pipe
from golem.testing.clock import Clock
from golem.testing.keys import SeededEntropy
from golem.wire.doorway import Call, Rap, Visit, What, line

GREETING = b"\x16\x03\x01\x00\x04" + b"abcd"


class Wire(StringTransport):
    """A transport that knows whether it was closed."""

    def __init__(self, peerAddress: IPv4Address | None = None) -> None:
        super().__init__(peerAddress=peerAddress)
        directlyProvides(self, ITCPTransport, IConsumer, IPushProducer)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """As it is."""

    @property
    def is_closed(self) -> bool:
        return bool(self.disconnecting or self.disconnected)


class Room(Protocol):
    """Whoever is inside."""

    def __init__(self) -> None:
        self.heard = b""
        self.is_lost = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_lost = True


class House:
    """Porter and factory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rooms: list[Room] = []
        self.visits: list[Visit] = []
        self.gone: list[Door] = []

    def came(self, door: Door) -> None:
        """Let everybody stand."""

    def left(self, door: Door) -> None:
        self.gone.append(door)

    def visited(self, door: Door, visit: Visit) -> None:
        self.visits.append(visit)

    def room(self) -> Room:
        self.rooms.append(Room())
        return self.rooms[-1]

    def door(self) -> tuple[Door, Wire]:
        sessions = Factory()
        sessions.buildProtocol = lambda addr: self.room()  # type: ignore[method-assign,assignment]  # shorter than a class
        door, wire = Door(self, self.clock, sessions), Wire(peerAddress=IPv4Address("TCP", "8.8.8.8", 1))
        door.makeConnection(wire)
        return door, wire


def test_a_session_begins_once_its_first_record_is_whole_and_not_before() -> None:
    house = House()
    door, _ = house.door()
    for byte in GREETING[:-1]:
        door.dataReceived(bytes([byte]))
    assert not house.rooms and not house.gone
    door.dataReceived(GREETING[-1:] + b"more")
    door.dataReceived(b"!")
    assert house.rooms[0].heard == GREETING + b"more!" and house.gone == [door]
    house.clock.advance(60)
    door.connectionLost(connectionDone)
    assert house.rooms[0].is_lost and house.gone == [door]


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01" + DOOR.limit.to_bytes(2, "big"),
        b"GET / HTTP/1.1\r\n",
        b"golem " + b"x" * 200,
        line(Rap(bytes(16))) + bytes(DOOR.limit + 1),
    ],
    ids=["announces too much", "another protocol", "an endless line", "goes on without an answer"],
)
def test_who_says_what_is_not_said_at_a_door_is_gone_at_once(said: bytes) -> None:
    house = House()
    door, wire = house.door()
    door.dataReceived(said)
    door.dataReceived(b"more")
    assert wire.is_closed and house.gone == [door] and not house.rooms


def test_a_door_is_open_for_five_seconds() -> None:
    house = House()
    door, wire = house.door()
    door.dataReceived(b"\x16")
    house.clock.advance(DOOR_S.limit - 0.1)
    assert not wire.is_closed
    house.clock.advance(0.2)
    assert wire.is_closed and house.gone == [door]
    door.connectionLost(connectionDone)
    assert house.gone == [door], "it goes once"
    assert not door.welcome(Room()), "nobody is there any more"


def test_who_said_a_line_is_heard_once_and_has_its_answer_before_all_else() -> None:
    house = House()
    door, wire = house.door()
    door.dataReceived(line(Rap(b"t" * 16)) + b"early")
    assert house.visits == [Rap(b"t" * 16)]
    room = Room()
    assert door.welcome(room)
    assert wire.value() == b"golem yes\n" and room.heard == b"early"


class Circuit:
    """Two ends that stand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.met: list[Budget] = []
        self.ended = 0
        self.wires = Wire(), Wire()
        self.pipes = Pipe(self.clock), Pipe(self.clock)
        for pipe, wire in zip(self.pipes, self.wires, strict=True):
            pipe.makeConnection(wire)

    def join(self) -> Circuit:
        self.pipes[0].join(self.pipes[1], Meter(self.clock, self._over, self._ended))
        return self

    def _over(self, budget: Budget) -> None:
        self.met.append(budget)
        self.pipes[0].close()
        self.pipes[0].connectionLost(connectionDone)

    def _ended(self) -> None:
        self.ended += 1


def test_a_circuit_carries_what_came_early_and_no_faster_than_its_rate() -> None:
    circuit = Circuit()
    (here, _), (_, far) = circuit.pipes, circuit.wires
    here.dataReceived(b"early")
    circuit.join()
    assert far.value() == b"early"
    here.dataReceived(bytes(2 * CIRCUIT_RATE.limit))
    assert circuit.wires[0].producerState == "paused"
    circuit.clock.advance(0.9)
    assert circuit.wires[0].producerState == "paused"
    circuit.clock.advance(0.2)
    assert circuit.wires[0].producerState == "producing"


def test_a_circuit_reads_nothing_while_its_far_end_takes_nothing() -> None:
    circuit = Circuit().join()
    here = circuit.pipes[0]
    IPushProducer(here).pauseProducing()
    here.dataReceived(bytes(2 * CIRCUIT_RATE.limit))
    circuit.clock.advance(5)
    assert circuit.wires[0].producerState == "paused", "its rest is over, but the far end is full"
    IPushProducer(here).resumeProducing()
    assert circuit.wires[0].producerState == "producing"


def test_a_circuit_ends_when_it_has_carried_its_share() -> None:
    circuit = Circuit().join()
    chunk = bytes(8 << 20)
    for _ in range(CIRCUIT_BYTES.limit // len(chunk)):
        circuit.pipes[0].dataReceived(chunk)
        circuit.wires[1].clear()
    assert not circuit.met
    circuit.pipes[0].dataReceived(b"!")
    assert circuit.met == [CIRCUIT_BYTES] and circuit.ended == 1 and circuit.wires[1].disconnecting


def test_a_circuit_ends_when_nothing_is_said() -> None:
    circuit = Circuit().join()
    circuit.clock.advance(CIRCUIT_IDLE_S.limit - 1)
    circuit.pipes[1].dataReceived(b"here I am")
    circuit.clock.advance(CIRCUIT_IDLE_S.limit - 1)
    assert not circuit.met
    circuit.clock.advance(2)
    assert circuit.met == [CIRCUIT_IDLE_S] and circuit.ended == 1
    assert not circuit.clock.getDelayedCalls()


def test_an_end_that_went_before_the_two_were_joined_takes_the_other_along() -> None:
    circuit = Circuit()
    circuit.pipes[0].connectionLost(connectionDone)
    circuit.join()
    assert circuit.wires[1].disconnecting and circuit.ended == 1


def test_of_all_guests_together_so_many_circuits_are_carried() -> None:
    house, refused = House(), Counter[str]()
    circuits = Circuits(house.clock, SeededEntropy("x"), refused)
    node = NodeId("02" + "ab" * 32)
    circuits._guests[node] = cast("PeerProtocol", object())  # it is never rung
    for n in range(CIRCUITS.limit):
        circuits._carried[house.door()[0]] = NodeId(f"03{n:064x}")
    door, wire = house.door()
    circuits.call(door, Call(node, What.SESSION))
    assert wire.value() == b"golem no too many circuits\n" and refused[CIRCUITS.name] == 1
