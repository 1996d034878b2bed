"""Whatever four actors do, in any order, the contract holds what it owes, to the wei."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from golem.testing.bank import Bank, is_done

ACTORS = st.sampled_from([0, 0, 0, 1, 2, 3])  # one pair meets itself often: what two calls do to it together is found
GWEI = 10**9
AMOUNTS = st.sampled_from([0, 1, 2, 3, 5, 8, GWEI, 2 * GWEI, GWEI + 1])
START = 3 * GWEI + 15  # what each has deposited before: enough to pay with, and soon short
NEXT = [1, 1, 1, 2, 3]  # a payee, counted from the payer
OTHERS = st.sampled_from(NEXT * 3 + [0])  # 0 is itself, and refused
WORDS = st.lists(st.tuples(OTHERS, AMOUNTS), min_size=1, max_size=3)
SINK = "0x" + "99" * 20
TWO_DAYS = 48 * 3600


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
        self.reserved = dict(self.paid)
        self.seq = [0] * 4
        self.unlock_at = [0] * 4

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
        for times in range(2):  # a batch sent again pays nothing
            assert is_done(self.bank.pay(payer, listed, 0 if times else value)) == is_allowed
        if is_allowed:
            self.free[payer] += value - sum(more.values())
            for payee, wei in more.items():
                self.paid[payer, payee] += wei

    @rule(payer=ACTORS, words=WORDS, ahead=st.sampled_from([1, 1, 1, 0, 2]), value=st.sampled_from([0, 3]))
    def push(self, payer: int, words: list[tuple[int, int]], ahead: int, value: int) -> None:
        words = [((payer + other) % 4, amount) for other, amount in words]
        is_allowed = ahead == 1 and sum(amount for _, amount in words) <= self.free[payer] + value
        seq = self.seq[payer] + ahead
        before = [self.bank.balance(actor) for actor in self.bank.actors]
        done = is_done(self.bank.push(payer, [(self.bank.actors[n], amount) for n, amount in words], seq, value))
        assert done == is_allowed
        if is_allowed:
            self.seq[payer] += 1
            self.free[payer] += value - sum(amount for _, amount in words)
            for payee in {payee for payee, _ in words} - {payer}:
                got = sum(amount for name, amount in words if name == payee)
                assert self.bank.balance(self.bank.actors[payee]) - before[payee] == got
            assert not is_done(self.bank.push(payer, [], seq, 0)), "a sequence number counts once"

    @rule(payer=ACTORS, other=OTHERS, gwei=st.integers(0, 3), value=st.sampled_from([0, GWEI]))
    def reserve(self, payer: int, other: int, gwei: int, value: int) -> None:
        payee = (payer + other) % 4
        is_allowed = payee != payer and gwei * GWEI <= self.free[payer] + value
        signature = "reserve(address,uint256)"
        assert is_done(self.bank.send(payer, signature, self.bank.actors[payee], gwei, value=value)) == is_allowed
        if is_allowed:
            self.free[payer] += value - gwei * GWEI
            self.reserved[payer, payee] += gwei * GWEI
            self.unlock_at[payer] = 0

    @rule(payer=ACTORS)
    def unlock(self, payer: int) -> None:
        assert is_done(self.bank.send(payer, "unlock()"))
        self.unlock_at[payer] = self.bank.now + TWO_DAYS

    @rule(seconds=st.sampled_from([60, TWO_DAYS // 2, TWO_DAYS]))
    def wait(self, seconds: int) -> None:
        self.bank.wait(seconds)

    @rule(payer=ACTORS, other=st.sampled_from(NEXT))
    def reclaim(self, payer: int, other: int) -> None:
        pair = (payer, (payer + other) % 4)
        is_allowed = 0 < self.unlock_at[payer] <= self.bank.now
        assert is_done(self.bank.send(payer, "reclaim(address)", self.bank.actors[pair[1]])) == is_allowed
        if is_allowed:
            self.free[payer] += self.reserved[pair]
            self.reserved[pair] = 0

    @rule(payer=ACTORS, other=st.sampled_from(NEXT), signer=st.sampled_from([0, 0, 1]), lasts=st.sampled_from([600, -600]))
    def release(self, payer: int, other: int, signer: int, lasts: int) -> None:
        payee = (payer + other) % 4
        until = self.bank.now + lasts
        gwei = self.reserved[payer, payee] // GWEI
        is_allowed = lasts > 0 and not signer
        assert is_done(self.bank.release(payer, payee, (payee + signer) % 4, gwei, until)) == is_allowed
        if is_allowed:
            self.free[payer] += self.reserved[payer, payee]
            self.reserved[payer, payee] = 0

    @rule(
        payer=ACTORS,
        other=st.sampled_from(NEXT),
        more=st.sampled_from([-1, 0, 1, 3, GWEI, GWEI + 1, 2 * GWEI]),
        aside=st.sampled_from([0, 0, 1, 2]),
        lie=st.sampled_from(["", "", "", "not due", "not the payer's"]),
    )
    def claim(self, payer: int, other: int, more: int, aside: int, lie: str) -> None:
        """A payee claims `more` than it was paid, after `aside` gwei were reserved for it."""
        self.reserve(payer, other, aside, aside * GWEI)
        payee = (payer + other) % 4
        pair = (payer, payee)
        total = max(0, self.paid[pair] + more)
        signer = payee if lie == "not the payer's" else payer
        due_by = self.bank.now + (60 if lie == "not due" else -60)
        is_allowed = not lie
        for _ in range(2):  # claimed again, it credits nothing, but for what was short
            assert is_done(self.bank.claim(payee, payer, total, due_by, signer)) == is_allowed
            if is_allowed:
                need = max(0, total - self.paid[pair])
                reserved = min(need, self.reserved[pair])
                free = min(need - reserved, self.free[payer])
                left = self.reserved[pair] - reserved
                self.reserved[pair] = left // GWEI * GWEI
                self.free[payer] += left % GWEI - free
                self.paid[pair] += reserved + free

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

    @rule(payer=ACTORS, amount=st.sampled_from([0, 1, 20, GWEI, 4 * GWEI]))
    def withdraw_own(self, payer: int, amount: int) -> None:
        is_allowed = amount <= self.free[payer]
        assert is_done(self.bank.send(payer, "withdraw_own(uint256)", amount)) == is_allowed
        self.free[payer] -= amount if is_allowed else 0

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        owed = sum(self.paid.values()) - sum(self.taken.values())
        assert self.bank.held == sum(self.free) + owed + sum(self.reserved.values())

    def teardown(self) -> None:
        """At the end, since it is dear: the contract says what the model says, in every bit."""
        actors = self.bank.actors
        accounts = self.bank.look("accounts(address[])", actors, returns="uint256[]")
        assert accounts == tuple(
            self.free[n] + (self.seq[n] << 96) + (self.unlock_at[n] << 128) for n in range(len(actors))
        )
        for number, payee in enumerate(actors):
            pairs = self.bank.look("pairs(address[],address)", actors, payee, returns="uint256[]")
            mine = [(payer, number) for payer in range(len(actors))]
            assert pairs == tuple(
                self.paid[p] + (self.taken[p] << 96) + (self.reserved[p] // GWEI << 192) for p in mine
            )


TestConservation = Conservation.TestCase
TestConservation.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
