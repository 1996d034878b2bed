"""Seconds from opening the journal until 10,000 open subtasks are live again: read, replayed, timers and work known.

`by_replay_s`: from events alone; `by_snapshot_s`: from a snapshot of the same state.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from twisted.internet.task import Clock

from apps.echo import template
from benchmarks.figures import arguments, show
from golem.adapters.entropy import OsEntropy
from golem.adapters.journal import SqliteJournal
from golem.core.strategy import FRUGAL
from golem.model.chain import Funds, Sighting
from golem.model.effects import Effect
from golem.model.events import Connected, Event, Heard, Observed, Started, TaskSubmitted, TimerFired
from golem.model.ids import task_id
from golem.model.messages import Offer
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Capability, TaskSpec
from golem.node.engine import Engine
from golem.testing.keys import FixedKeyring

PROVIDERS = 10
MACHINE = Capability(tier="sandbox", cores=1024, memory_bytes=1 << 40, environments=("python-3",))


class Nothing:
    """Carries nothing out."""

    def perform(self, effect: Effect, number: int) -> None:
        """Not here."""

    def committed(self, heard: object) -> None:
        """Nobody to tell."""


def engine(path: Path, clock: Clock) -> Engine:
    """A node's engine over a journal on disk."""
    return Engine(SqliteJournal(path), {"echo": template}, FRUGAL, clock, OsEntropy())


def story(count: int) -> list[Event]:
    """How a requestor comes to have so many subtasks out."""
    me, task = FixedKeyring("me"), task_id(FixedKeyring("me").node_id, "1")
    spec = TaskSpec(
        template="echo",
        params=template.parse({"count": str(count)}),
        budget=Wei(10**18),
        max_price=Wei(10**9),
        output="/nowhere",
    )
    funds = Funds(free=Wei(10**18), wallet=Wei(10**17))
    events: list[Event] = [
        Started(node_id=me.node_id, address="me:1", payee=me.account, settings=Settings(), capability=MACHINE),
        TaskSubmitted(task_id=task, spec=spec),
        Observed(key=f"funds/{task}", sighting=Sighting(block=1, block_ms=1, funds=funds)),
    ]
    for number in range(PROVIDERS):
        who = FixedKeyring(f"provider {number}")
        offer = Offer(task_id=task, price=Wei(10**6), slots=count // PROVIDERS, capability=MACHINE)
        events += [
            Connected(peer=who.node_id, address="p:1", gateway="p:2", payee=who.account, epoch="e"),
            Heard(peer=who.node_id, sequence=1, message=offer),
        ]
    return [*events, TimerFired(name=f"offers/{task}")]


def restarted_s(path: Path, clock: Clock, count: int) -> float:
    """How long a fresh engine takes."""
    began = time.perf_counter()
    again = engine(path, clock)
    again.recover()
    again.start(Nothing())
    took = time.perf_counter() - began
    if len(again.state.subtasks) != count:
        raise SystemExit(f"{len(again.state.subtasks)} subtasks came back, not {count}")
    again.stop()
    again.close()
    return took


if __name__ == "__main__":
    count = arguments(__doc__ or "", count=10_000).count
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        first = engine(path, clock)
        first.start(Nothing())
        for event in story(count):
            first.post(event)
            clock.advance(1.0)
        first.stop()
        first.close()
        replay_s = restarted_s(path, clock, count)
        second = engine(path, clock)
        second.recover()
        second.snapshot()
        second.close()
        show(by_replay_s=round(replay_s, 2), by_snapshot_s=round(restarted_s(path, clock, count), 2))
