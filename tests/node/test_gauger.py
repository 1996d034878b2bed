"""A machine's speed is tried once, as jobs of its own, and tried again where something has changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, succeed

from apps.echo import template as echo
from apps.tally import template as tally
from golem.interfaces import ITaskTemplate
from golem.model.events import Gauged, Rested
from golem.model.messages import Reason
from golem.model.spec import Job, Outcome, Status
from golem.model.value import evolve
from golem.node.gauger import QUIET_S, TRIES, Gauger, processor
from golem.testing.clock import Clock
from golem.testing.solo import Solo
from golem.testing.toy import CAPABILITY

TEMPLATES = {"echo": echo, "tally": tally}


class Machine:
    """One whose tries take so long, one after the other; what is posted is part of its state."""

    def __init__(self, *took_ms: int, environments: tuple[str, ...] = ("python-3",)) -> None:
        self.took_ms = list(took_ms)
        self.ran: list[Job] = []
        self.node = Solo()
        self.starts(environments)
        self.status = Status.DONE
        self.is_idle = True

    def starts(self, environments: tuple[str, ...], tier: str = "sandbox") -> None:
        assert self.node.state.started is not None
        capability = evolve(CAPABILITY, environments=environments, tier=tier)
        self.node.state.started = evolve(self.node.state.started, capability=capability)

    def run(self, job: Job) -> Deferred[Outcome]:
        self.ran.append(job)
        return succeed(Outcome(status=self.status, used_ms=self.took_ms.pop(0)))

    def gauge(self, templates: Mapping[str, ITaskTemplate] = TEMPLATES) -> dict[str, int]:
        clock = Clock()
        Gauger(templates, clock, self, lambda: self.node.state, self.node.post).startService()
        clock.advance(QUIET_S)
        return {name: gauge.percent for name, gauge in self.node.state.gauges.items()}


def test_the_quickest_of_a_few_tries_in_one_worker_counts() -> None:
    machine = Machine(4_000, 500, 1_000)
    assert machine.gauge() == {"tally": 50}  # echo has no gauge
    assert [job.program for job in machine.ran] == ["count"] * TRIES
    assert len({job.task_id for job in machine.ran}) == 1 and all(job.warm for job in machine.ran)


def test_what_was_tried_is_not_tried_again_until_something_changes() -> None:
    machine = Machine(500, 500, 500, 250, 250, 250)
    assert machine.gauge() == machine.gauge() == {"tally": 50}
    machine.starts(("python-3",), tier="docker")
    assert machine.gauge() == {"tally": 100}


def test_nothing_is_tried_that_this_machine_does_not_offer() -> None:
    assert Machine(environments=("blender-4.5-cpu",)).gauge() == {}


def test_a_gauge_that_fails_says_nothing_of_the_machine_and_is_tried_at_the_next_start() -> None:
    machine = Machine(1, 500, 500, 500)
    machine.status = Status.TIMEOUT
    assert machine.gauge() == {}
    machine.status = Status.DONE
    assert machine.gauge() == {"tally": 50}


def test_a_machine_is_tried_once_it_has_nothing_else_to_do() -> None:
    machine, clock = Machine(500, 500, 500), Clock()
    machine.is_idle = False
    Gauger(TEMPLATES, clock, machine, lambda: machine.node.state, machine.node.post).startService()
    clock.advance(10 * QUIET_S)
    assert machine.ran == []
    machine.is_idle = True
    clock.advance(QUIET_S)
    assert len(machine.ran) == TRIES


def test_a_machine_that_rests_is_left_alone() -> None:
    machine, clock = Machine(500, 500, 500), Clock()
    machine.node.post(Rested(reason=Reason.IN_USE))
    Gauger(TEMPLATES, clock, machine, lambda: machine.node.state, machine.node.post).startService()
    clock.advance(10 * QUIET_S)
    assert machine.ran == []
    machine.node.post(Rested(reason=None))
    clock.advance(QUIET_S)
    assert len(machine.ran) == TRIES


def test_a_node_that_is_not_started_yet_is_tried_once_it_is() -> None:
    machine, clock = Machine(500, 500, 500), Clock()
    started, machine.node.state.started = machine.node.state.started, None
    Gauger(TEMPLATES, clock, machine, lambda: machine.node.state, machine.node.post).startService()
    machine.node.state.started = started
    clock.advance(QUIET_S)
    assert len(machine.ran) == TRIES


@pytest.mark.parametrize("after_s", [0.0, QUIET_S])
def test_a_node_that_stops_meanwhile_posts_nothing(after_s: float) -> None:
    machine, clock, waiting = Machine(), Clock(), Deferred[Outcome]()
    machine.run = lambda _: waiting  # type: ignore[method-assign]  # one that ends when the test says so
    posted: list[Gauged] = []
    gauger = Gauger(TEMPLATES, clock, machine, lambda: machine.node.state, posted.append)
    gauger.startService()
    clock.advance(after_s)
    gauger.stopService()
    waiting.callback(Outcome(status=Status.STOPPED))
    assert posted == [] and not clock.getDelayedCalls()


@pytest.mark.parametrize(("text", "name"), [("model name\t: Fast 9000\nmodel name\t: Slow\n", "Fast 9000"), ("", "")])
def test_a_processor_says_its_name(text: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert processor(tmp_path / "cpuinfo") == name
    assert processor(tmp_path / "nowhere") == ""
