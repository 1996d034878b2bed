"""Money leaves only while the books keep their laws."""

from __future__ import annotations

from collections.abc import Mapping

from golem.core import ledger
from golem.core.state import NodeState
from golem.model.effects import ClearTimer, Deposit, Effect
from golem.model.money import Wei
from golem.node.laws import Treasurer, broken
from golem.testing.watchdog import Watchdog
from tests.core.requesting import TASK, opened

DEPOSIT = Deposit(key="deposit/t", amount=Wei(5))


class Performed:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.heard: list[Mapping[str, int]] = []

    def perform(self, effect: Effect, number: int) -> None:
        self.effects.append(effect)

    def committed(self, heard: Mapping[str, int]) -> None:
        self.heard.append(heard)


def test_while_the_books_are_whole_everything_is_done() -> None:
    inner, state = Performed(), NodeState()
    Treasurer(inner, lambda: state).perform(DEPOSIT, 0)
    assert broken(state) == "" and inner.effects == [DEPOSIT]


def test_under_broken_books_nothing_is_spent_and_the_log_says_why() -> None:
    inner, state, dog = Performed(), NodeState(), Watchdog()
    dog.start()
    state.ledger.balances[ledger.FREE] = 7
    treasurer = Treasurer(inner, lambda: state)
    treasurer.perform(DEPOSIT, 0)
    treasurer.perform(ClearTimer(name="lease/1"), 0)
    treasurer.committed({"bob": 3})
    (said,) = dog.stop()
    assert "nothing is spent" in said and "sums to 7 wei" in said
    assert inner.effects == [ClearTimer(name="lease/1")] and inner.heard == [{"bob": 3}]


def test_a_task_that_spends_more_than_its_budget_is_named() -> None:
    state = opened().state
    assert broken(state) == ""
    state.boards[TASK].spent = Wei(state.boards[TASK].task.spec.budget + 1)
    assert f"task {TASK} spent and promised" in broken(state)
