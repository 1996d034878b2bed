"""The engine where the disk under its journal fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from twisted.python.failure import Failure

from golem.core.strategy import FRUGAL
from golem.errors import ConfigError, JournalFault
from golem.model.effects import Effect
from golem.model.events import Connected, Event, Started
from golem.model.settings import Settings
from golem.node.engine import Engine
from golem.testing.clock import Clock
from golem.testing.journal import MemoryJournal
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.toy import CAPABILITY, Toy

ME = FixedKeyring("me")
STARTED = Started(node_id=ME.node_id, address="me:1", payee=ME.account, settings=Settings(), capability=CAPABILITY)


def met(name: str) -> Event:
    """A session with `name` stands."""
    who = FixedKeyring(name)
    return Connected(peer=who.node_id, address=f"{name}:1", gateway=f"{name}:2", payee=who.account, epoch=name)


class FullJournal(MemoryJournal):
    """Has room for `room` more commits."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def append(self, turns: Sequence[bytes]) -> None:
        """Keep turns, or say that the disk is full."""
        if not self.room:
            raise JournalFault("no space left")
        self.room -= 1
        super().append(turns)


class Listing:
    """Writes down what it is asked to do."""

    def __init__(self) -> None:
        self.asked: list[Effect] = []

    def perform(self, effect: Effect, number: int) -> None:
        """Write it down."""
        self.asked.append(effect)

    def committed(self, heard: Mapping[str, int]) -> None:
        """Nothing to do."""


def engine(journal: MemoryJournal, clock: Clock, strategy: str = "") -> Engine:
    """One that has read its journal."""
    made = Engine(journal, {"toy": Toy()}, FRUGAL, clock, SeededEntropy("engine"))
    made.recover(strategy)
    return made


def test_what_is_not_on_disk_is_not_done_and_nothing_follows_it() -> None:
    clock, journal, world = Clock(), FullJournal(room=1), Listing()
    me, faults = engine(journal, clock), list[Failure]()
    me.broken.addErrback(faults.append)
    me.start(world)
    me.post(STARTED)
    clock.advance(1)
    done, written = list(world.asked), journal.replay()
    assert done, "a node that starts has something to do"
    me.post(met("bob"))
    clock.advance(1)
    assert [str(fault.value) for fault in faults] == ["no space left"]
    me.post(met("carol"))
    clock.advance(1)
    me.stop()
    assert world.asked == done
    assert journal.replay() == written


def test_a_node_whose_disk_was_full_goes_on_from_what_was_written() -> None:
    clock, journal = Clock(), FullJournal(room=1)
    me = engine(journal, clock)
    me.broken.addErrback(lambda _: None)
    me.start(Listing())
    me.post(STARTED)
    clock.advance(1)
    me.post(met("bob"))
    clock.advance(1)
    journal.room = 10
    again = engine(journal, clock)
    assert not again.state.peers, "bob was never written"
    again.start(Listing())
    again.post(met("bob"))
    clock.advance(1)
    assert FixedKeyring("bob").node_id in again.state.peers


@pytest.mark.parametrize("room", [0, 1])
def test_a_broken_engine_stops_with_events_left(room: int) -> None:
    clock, journal, world = Clock(), FullJournal(room), Listing()
    me = engine(journal, clock)
    me.broken.addErrback(lambda _: None)
    me.start(world)
    for event in (STARTED, met("bob"), met("carol")):
        me.post(event)
    me.stop()
    me.stop()
    assert any(journal.replay()) is bool(world.asked) is bool(room)


def test_a_journal_is_replayed_by_the_strategy_that_wrote_it_and_after_a_stop_there_is_none_to_replay() -> None:
    clock, journal = Clock(), MemoryJournal()
    me = engine(journal, clock)
    me.start(Listing())
    me.post(STARTED)
    clock.advance(1)
    with pytest.raises(ConfigError, match='set it to "", start the node, stop it'):
        engine(journal, clock, "mine:strategy")
    again = engine(journal, clock)
    again.start(Listing())
    again.stop()
    assert engine(journal, clock, "mine:strategy").state.started == STARTED
