"""Where a scenario is played, and at the level `sim`: a LocalNetwork, seen through the names of the scenario."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from twisted.logger import globalLogPublisher

from golem.model.effects import Effect
from golem.model.events import Event
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.value import evolve
from golem.testing.faults import Fault, schedule
from golem.testing.keys import FixedKeyring
from golem.testing.local import LocalNetwork
from golem.testing.record import Record, brief
from golem.testing.scenario import Member, Scenario, Step

CALM_S = 1_800.0  # after the last fault: twice the longest that a task may still need


class Stage(Protocol):
    """One run's network. `record`: what is seen of it. `steps`: how many turns its nodes took.

    `troubles`: what should never have happened. `trace`: equal where two runs took the same turns; empty at a level
    where no two are alike.
    """

    record: Record
    troubles: list[str]

    @property
    def steps(self) -> int:
        """See above."""

    @property
    def trace(self) -> str:
        """See above."""

    @property
    def now_ms(self) -> int:
        """Since the beginning."""

    def storm(self, faults: tuple[Fault, ...]) -> None:
        """Let these faults come, each at its time."""

    def submit(self, step: Step) -> None:
        """Have a task done. Raises Refused."""

    def run_until(self, is_done: Callable[[], bool], limit_s: float) -> None:
        """Let time pass until `is_done()`. Raises AssertionError after `limit_s`, or at a trouble."""

    def look(self, subject: str, field: str) -> object:
        """A field's present value; None where there is none, as of a node that is dead."""

    def settle(self, saw: Callable[[], bool]) -> None:
        """End all faults; then all tasks must end, all debts be paid, and all books agree. Raises AssertionError."""

    def story(self) -> str:
        """Troubles, and the last turns of every node."""

    def close(self) -> list[str]:
        """End the network; says what is wrong with how it ended, or what it left behind."""


class SimStage:
    """A simulated network, on a clock of its own."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        members = scenario.members
        self.net = LocalNetwork(
            folder,
            tuple(member.name for member in members),
            scenario.seed,
            terms={member.name: _terms(member) for member in members},
            behave={member.name: member.behave for member in members if member.behave},
            takes_s={member.name: member.takes_s for member in members},
        )
        for member in members:
            if member.is_hidden:
                self.net.world.network.wall(member.name)
        self._owners: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._weather = schedule(self.net, ())
        keys = {name: FixedKeyring(name) for name in self.net.world.names}
        self.record = Record(
            {key.node_id: name for name, key in keys.items()},
            {key.account: name for name, key in keys.items()},
            lambda: self.now_ms,
        )
        self.net.world.watchers.append(self._turn)
        self.troubles = self.net.world.troubles
        globalLogPublisher.addObserver(self.record)

    @property
    def steps(self) -> int:
        """Of all nodes."""
        return self.net.world.steps

    @property
    def trace(self) -> str:
        """Over every turn."""
        return self.net.world.trace.hexdigest()

    @property
    def now_ms(self) -> int:
        """Since the beginning."""
        return int(self.net.world.passed_s() * 1000)

    def _turn(self, name: str, event: Event, effects: list[Effect]) -> None:
        self.record.turn(name, brief(event, effects))
        self.record.money(self.net.ledger.paid)

    def storm(self, faults: tuple[Fault, ...]) -> None:
        """Let these faults come, each at its time."""
        self._weather = schedule(self.net, faults)

    def submit(self, step: Step) -> None:
        """Have a task done."""
        self._owners[step.submit] = step.node
        self._ids[step.submit] = self.net[step.node].submit(step.template, step.params)
        self.record.tasks[self._ids[step.submit]] = step.submit

    def run_until(self, is_done: Callable[[], bool], limit_s: float) -> None:
        """Let time pass. Raises AssertionError."""
        self.net.run_until(is_done, limit_s)

    def look(self, subject: str, field: str) -> object:
        """A field's present value; None where there is none, as of a node that is dead."""
        if subject in self._owners:
            return self._of_task(subject, field)
        if subject not in self.net.world.names:
            return None
        if field == "is_up":
            return self.net[subject].run is not None
        if field in ("paid", "earned"):
            account = self.net[subject].keyring.account
            end = 0 if field == "paid" else 1
            return sum(wei for pair, wei in self.net.ledger.paid.items() if pair[end] == account)
        return self.net[subject].node.desk.status().get(field) if self.net[subject].run is not None else None

    def _of_task(self, task: str, field: str) -> object:
        node = self.net[self._owners[task]]
        if node.run is None:
            return None
        if field in ("rejected", "lost"):
            return sum(attempt["phase"] == field for attempt in node.subtasks(self._ids[task]))
        return node.task(self._ids[task])[field]

    def settle(self, saw: Callable[[], bool]) -> None:
        """End all faults; then all tasks must end, all debts be paid, and all books agree. Raises AssertionError."""
        self._weather.calm()
        self.run_until(lambda: saw() and self._is_quiet(), CALM_S)
        self.net.advance(60)  # for the last words
        self.net.check_quiet()

    def _is_quiet(self) -> bool:
        world = self.net.world
        if any(self.net[name].run is None for name in world.names):
            return False
        mine = [task for task, owner in self._owners.items() if owner in world.honest]
        if any(self.look(task, "phase") in ("funding", "publishing", "open") for task in mine):
            return False
        return self.net.is_even()

    def story(self) -> str:
        """The seed, troubles, and the last turns of every node."""
        return self.net.story()

    def close(self) -> list[str]:
        """End the network, of which nothing stays."""
        globalLogPublisher.removeObserver(self.record)
        self.net.close()
        return []


def _terms(member: Member) -> Settings:
    base = LocalNetwork.PROVIDER if member.provides else LocalNetwork.REQUESTOR
    return evolve(base, slots=member.slots, min_price=Wei(member.price or base.min_price))
