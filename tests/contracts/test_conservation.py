"""Whatever four actors do, in any order, the contract holds what it owes, to the wei."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from golem.testing.bank import Bank, is_done

ACTORS = st.integers(0, 3)
AMOUNTS = st.integers(0, 9)
START = 15  # what each has deposited before: enough to pay with, and soon short
OTHERS = st.sampled_from([1, 2, 3] * 5 + [0])  # a payee, counted from the payer; 0 is itself, and refused
WORDS = st.lists(st.tuples(OTHERS, AMOUNTS), min_size=1, max_size=3)
SINK = "0x" + "99" * 20


class Conservation(RuleBasedStateMachine):
    """The contract beside a model of it."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = Bank()
        self.free = [START] * 4
        for actor in range(4):
            self.bank.send(actor, "deposit()", value=START)
        self.paid = {(payer, payee): 0 for payer in range(4) for payee in range(4)}
        self.taken = dict(self.paid)

    @rule(payer=ACTORS, amount=AMOUNTS)
    def deposit(self, payer: int, amount: int) -> None:
        assert is_done(self.bank.send(payer, "deposit()", value=amount))
        self.free[payer] += amount

    @rule(payer=ACTORS, words=WORDS, value=st.sampled_from([0, 0, 3]))
    def pay(self, payer: int, words: list[tuple[int, int]], value: int) -> None:
        words = [((payer + other) % 4, total) for other, total in words]
        due = {payee: max(total for name, total in words if name == payee) for payee, _ in words}
        more = {payee: max(0, total - self.paid[payer, payee]) for payee, total in due.items()}
        is_allowed = payer not in due and sum(more.values()) <= self.free[payer] + value
        listed = [(self.bank.actors[payee], total) for payee, total in words]
        assert is_done(self.bank.pay(payer, listed, value)) == is_allowed
        if is_allowed:
            self.free[payer] += value - sum(more.values())
            for payee, wei in more.items():
                self.paid[payer, payee] += wei

    @rule(payee=ACTORS, payers=st.lists(ACTORS, min_size=2, max_size=5))
    def withdraw(self, payee: int, payers: list[int]) -> None:
        before = self.bank.balance(SINK)
        due = sum(self.paid[payer, payee] - self.taken[payer, payee] for payer in set(payers))
        listed = [self.bank.actors[payer] for payer in payers]
        assert is_done(self.bank.send(payee, "withdraw(address[],address)", listed, SINK))
        assert self.bank.balance(SINK) - before == due
        for payer in payers:
            self.taken[payer, payee] = self.paid[payer, payee]
        assert self.bank.look("claimable(address[],address)", listed, self.bank.actors[payee]) == 0

    @rule(payer=ACTORS, amount=st.integers(0, 20))
    def withdraw_own(self, payer: int, amount: int) -> None:
        is_allowed = amount <= self.free[payer]
        assert is_done(self.bank.send(payer, "withdraw_own(uint256)", amount)) == is_allowed
        self.free[payer] -= amount if is_allowed else 0

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert self.bank.held == sum(self.free) + sum(self.paid.values()) - sum(self.taken.values())

    def teardown(self) -> None:
        """At the end, since it is dear: the contract says what the model says."""
        actors = self.bank.actors
        assert [self.bank.look("free(address)", actor) for actor in actors] == self.free
        for number, payee in enumerate(actors):
            paid = self.bank.look("paid_by(address[],address)", actors, payee, returns="uint256[]")
            assert paid == tuple(self.paid[payer, number] for payer in range(4))


TestConservation = Conservation.TestCase
TestConservation.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
