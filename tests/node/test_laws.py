"""Money leaves only while the books keep their laws."""

from __future__ import annotations

from collections.abc import Mapping

from golem.core import ledger
from golem.core.state import NodeState
from golem.model.effects import ClearTimer, Deposit, Effect
from golem.model.messages import Reason, Refusal
from golem.model.money import Wei
from golem.model.value import evolve
from golem.node.engine import Saved
from golem.node.laws import Treasurer, broken
from golem.node.mail import Mail
from golem.testing.keys import FixedKeyring
from golem.testing.watchdog import Watchdog
from tests.core.requesting import TASK, at_work, opened

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


def saved(state: NodeState | None = None) -> Saved:
    return Saved(state=state or NodeState(), mail=Mail())


def test_while_the_books_are_whole_everything_is_done() -> None:
    inner, books = Performed(), saved()
    Treasurer(inner, lambda: books).perform(DEPOSIT, 0)
    assert broken(books) == "" and inner.effects == [DEPOSIT]


def test_under_broken_books_nothing_is_spent_and_the_log_says_why() -> None:
    inner, books, dog = Performed(), saved(), Watchdog()
    dog.start()
    books.state.ledger.balances[ledger.FREE] = 7
    treasurer = Treasurer(inner, lambda: books)
    treasurer.perform(DEPOSIT, 0)
    treasurer.perform(ClearTimer(name="lease/1"), 0)
    treasurer.committed({"bob": 3})
    (said,) = dog.stop()
    assert "nothing is spent" in said and "sums to 7 wei" in said
    assert inner.effects == [ClearTimer(name="lease/1")] and inner.heard == [{"bob": 3}]


def test_a_task_that_spends_more_than_its_budget_is_named() -> None:
    books = saved(opened().state)
    assert broken(books) == ""
    books.state.boards[TASK].spent = Wei(books.state.boards[TASK].task.spec.budget + 1)
    assert f"task {TASK} spent and promised" in broken(books)


def test_a_chunk_that_is_leased_more_often_than_it_may_be_is_named() -> None:
    books = saved(at_work("bob", "carol").state)
    assert broken(books) == ""
    board, subtasks = books.state.boards[TASK], books.state.subtasks
    first, second = board.open
    subtasks[second] = evolve(subtasks[second], chunk=subtasks[first].chunk)
    assert f"chunk 0 of task {TASK} is leased to" in broken(books)
    board.doubled[0] = (first, second)  # a slow one and its copy
    assert broken(books) == ""
    subtasks[second] = evolve(subtasks[second], provider=subtasks[first].provider)
    assert f"chunk 0 of task {TASK} is leased to" in broken(books)


def test_a_gap_between_messages_that_wait_is_named() -> None:
    books, bob = saved(), FixedKeyring("bob").node_id
    for reason in (Reason.LATE, Reason.CLOSED, Reason.BUSY):
        books.mail.push(bob, Refusal(task_id=TASK, reason=reason))
    books.mail.acknowledged(bob, 1)
    assert broken(books) == ""
    del books.mail.waiting[bob][-1]
    assert f"messages 2 to 2 wait for {bob}, 1 of 3" in broken(books)
