"""Providers' speed is measured on verified work, and kept within bounds."""

from __future__ import annotations

import pytest

from golem.core.pace import MOST_PACES, measure, see
from golem.core.subtask import Subtask
from golem.model import events as e
from golem.model.ids import NodeId, SubtaskId, TaskId
from golem.model.money import Wei
from golem.model.spec import TaskSpec
from golem.model.value import evolve
from golem.testing.solo import Solo

TASK = TaskId("7" * 32)
BOB = NodeId("02" + "b" * 64)
SPEC = TaskSpec(template="toy", params=b"{}", budget=Wei(10**9), max_price=Wei(3_600_000), output="/out")


def attempt(took_ms: int, ahead: int = 1, node: NodeId = BOB) -> Subtask:
    return Subtask(
        subtask_id=SubtaskId("5" * 32),
        task_id=TASK,
        chunk=0,
        provider=node,
        gateway="bob:2",
        price=Wei(1),
        cap=Wei(1),
        output_bytes=1,
        assigned_ms=1_000,
        deadline_ms=10**9,
        ahead=ahead,
        delivered_ms=1_000 + took_ms,
    )


def measured(me: Solo, *attempts: Subtask) -> float:
    for one in attempts:
        measure(me.turn(), me.state.boards[TASK], one)
    return see(me.turn(), "toy", BOB).speed


def opened() -> Solo:
    me = Solo()
    me.post(e.TaskSubmitted(task_id=TASK, spec=SPEC))
    return me


def test_a_speed_is_the_guess_over_the_time_whatever_waited_before() -> None:
    assert measured(opened(), attempt(500)) == 2.0
    assert measured(opened(), attempt(4_000, ahead=2)) == 0.5
    assert measured(opened(), attempt(0)) == 1_000.0
    assert see(opened().turn(), "toy", BOB) == (0.0, 0.0, 0.0)


def test_a_speed_follows_what_is_measured_by_and_by() -> None:
    me = opened()
    assert measured(me, attempt(1_000), attempt(500)) == pytest.approx(2**0.25)
    assert measured(me, *[attempt(500)] * 20) == pytest.approx(2.0, rel=0.01)


def test_speeds_of_those_measured_last_are_kept() -> None:
    me = opened()
    me.state.dealings.paces = {f"toy/{number}": 1.0 for number in range(MOST_PACES)}
    measured(me, attempt(500))
    paces = me.state.dealings.paces
    assert len(paces) == MOST_PACES and "toy/0" not in paces and f"toy/{BOB}" in paces
    measure(me.turn(), me.state.boards[TASK], evolve(attempt(500), provider=NodeId("02" + "c" * 64)))
    assert "toy/1" not in paces
