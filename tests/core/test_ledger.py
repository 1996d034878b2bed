"""The double-entry book."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from golem.core import ledger as book
from golem.errors import NotEnoughFunds
from golem.model.ids import Address, TaskId
from golem.model.money import Wei

PAYEES = [Address("0x" + letter * 40) for letter in "abc"]
TASKS = [TaskId(letter * 32) for letter in "12"]
amounts = st.integers(0, 1000)


def test_a_budget_is_reserved_owed_paid_and_what_is_left_comes_back() -> None:
    ledger = book.Ledger()
    book.correct_free(ledger, 100)
    book.move(ledger, book.FREE, f"task/{TASKS[0]}", 60)
    assert book.owe(ledger, TASKS[0], PAYEES[0], Wei(25)) == 25
    assert book.owe(ledger, TASKS[0], PAYEES[0], Wei(5)) == 30
    book.settle(ledger, PAYEES[0], Wei(30))
    book.settle(ledger, PAYEES[0], Wei(30))
    assert book.close(ledger, f"task/{TASKS[0]}", book.FREE) == 30
    assert ledger.balances[book.FREE] == 70
    assert ledger.balances[f"paid/{PAYEES[0]}"] == 30
    book.check(ledger)


def test_what_is_not_there_is_not_moved() -> None:
    ledger = book.Ledger()
    with pytest.raises(NotEnoughFunds, match="free has 0 wei, not 1"):
        book.move(ledger, book.FREE, "task/x", 1)
    with pytest.raises(NotEnoughFunds):
        book.move(ledger, "chain", book.FREE, -1)
    assert not ledger.balances


def test_the_chain_s_word_on_our_deposit_is_taken_over_both_ways() -> None:
    ledger = book.Ledger()
    book.correct_free(ledger, 100)
    book.move(ledger, book.FREE, "task/x", 40)
    book.correct_free(ledger, 90)
    assert ledger.balances[book.FREE] == 50
    book.correct_free(ledger, 10)
    assert ledger.balances[book.FREE] == 0
    book.check(ledger)


def test_an_over_payment_is_booked_once_work_is_accepted_for_it() -> None:
    ledger = book.Ledger()
    book.earn(ledger, PAYEES[0], Wei(10), Wei(10))
    book.receive(ledger, PAYEES[0], Wei(25))
    assert book.unpaid(ledger, PAYEES[0]) == 0
    book.earn(ledger, PAYEES[0], Wei(10), Wei(20))
    assert book.unpaid(ledger, PAYEES[0]) == 10
    book.receive(ledger, PAYEES[0], Wei(25))
    assert book.unpaid(ledger, PAYEES[0]) == 0


def test_a_promise_of_more_than_the_books_know_is_owed_until_the_contract_says_what_of_it_was_paid() -> None:
    ledger = book.Ledger()
    book.earn(ledger, PAYEES[0], Wei(10), Wei(110))
    assert ledger.earning[PAYEES[0]] == book.Pair(promised=Wei(110), inherited=Wei(100))
    book.receive(ledger, PAYEES[0], Wei(100))
    assert book.unpaid(ledger, PAYEES[0]) == 10, "what was paid before does not pay for new work"
    book.check(ledger)


def test_what_the_contract_remembers_is_taken_over_where_the_books_do_not_know_it() -> None:
    ledger = book.Ledger()
    book.remember(ledger, PAYEES[0], Wei(100))
    book.remember(ledger, PAYEES[0], Wei(700))
    assert ledger.earning[PAYEES[0]] == book.Pair(promised=Wei(100), paid=Wei(100), inherited=Wei(100))
    book.earn(ledger, PAYEES[0], Wei(10), Wei(110))
    assert book.unpaid(ledger, PAYEES[0]) == 10
    book.check(ledger)


@pytest.mark.parametrize(
    ("balances", "says"),
    [({"free": 1}, "sums to 1"), ({"free": -1, "chain": 1}, "free is at -1")],
)
def test_a_broken_book_is_found(balances: dict[str, int], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        book.check(book.Ledger(balances=balances))


def test_more_paid_than_promised_is_found() -> None:
    owing = {PAYEES[0]: book.Pair(promised=Wei(1), paid=Wei(2))}
    with pytest.raises(AssertionError, match="was paid 2 wei of 1"):
        book.check(book.Ledger(owing=owing))


class Books(RuleBasedStateMachine):
    """Any sequence of movements, some of them impossible."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = book.Ledger()

    @rule(amount=amounts)
    def deposit(self, amount: int) -> None:
        book.move(self.ledger, "chain", book.FREE, amount)

    @rule(task=st.sampled_from(TASKS), amount=amounts)
    def reserve(self, task: TaskId, amount: int) -> None:
        try:
            book.move(self.ledger, book.FREE, f"task/{task}", amount)
        except NotEnoughFunds:
            assert self.ledger.balances.get(book.FREE, 0) < amount

    @rule(task=st.sampled_from(TASKS), payee=st.sampled_from(PAYEES), amount=amounts)
    def accept(self, task: TaskId, payee: Address, amount: int) -> None:
        try:
            book.owe(self.ledger, task, payee, Wei(amount))
        except NotEnoughFunds:
            assert self.ledger.balances.get(f"task/{task}", 0) < amount

    @rule(payee=st.sampled_from(PAYEES))
    def pay(self, payee: Address) -> None:
        book.settle(self.ledger, payee, self.ledger.owing.get(payee, book.Pair()).promised)
        assert self.ledger.balances.get(f"owed/{payee}", 0) == 0

    @rule(payer=st.sampled_from(PAYEES), amount=amounts)
    def earn(self, payer: Address, amount: int) -> None:
        promised = self.ledger.earning.get(payer, book.Pair()).promised
        book.earn(self.ledger, payer, Wei(amount), Wei(promised + amount))

    @rule(payer=st.sampled_from(PAYEES), amount=amounts)
    def receive(self, payer: Address, amount: int) -> None:
        book.receive(self.ledger, payer, Wei(amount))

    @rule(task=st.sampled_from(TASKS))
    def finish(self, task: TaskId) -> None:
        book.close(self.ledger, f"task/{task}", book.FREE)

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        book.check(self.ledger)


Books.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestBooks = Books.TestCase
