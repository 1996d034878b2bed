"""The double-entry book: every movement has two sides, so all balances always sum to zero.

As a requestor: `chain` (the world) -> `free` -> `task/<id>` (its budget) -> `owed/<payee>` -> `paid/<payee>`, with
what a task did not spend going back to `free`. As a provider: `work` -> `due/<payer>` -> `received/<payer>`.
Only `chain` and `work`, where money comes from, may be negative.
"""

from __future__ import annotations

import msgspec

from golem.errors import NotEnoughFunds
from golem.model.ids import Address, TaskId
from golem.model.money import Wei
from golem.model.value import Value, evolve

FREE = "free"
SOURCES = frozenset({"chain", "work"})


class Pair(Value):
    """A payer and a payee, seen from one side. `promised`: all ever owed; `paid`: all ever paid. Both only grow.

    `due_ms`: when the oldest of what we have not paid is due. `inherited`: what of the promised is from before these
    books; for the rest they know the work. `last_ms`: when the latest payment was seen; `last_tx`: what ours was.
    """

    promised: Wei = Wei(0)
    paid: Wei = Wei(0)
    due_ms: int = 0
    inherited: Wei = Wei(0)
    last_ms: int = 0
    last_tx: str = ""


class Ledger(msgspec.Struct):
    """Balances in wei by account, and the totals by pair. Changed only through the functions of this module."""

    balances: dict[str, int] = {}
    owing: dict[Address, Pair] = {}
    earning: dict[Address, Pair] = {}


def move(ledger: Ledger, source: str, target: str, amount: int) -> None:
    """Move `amount` wei. Raises NotEnoughFunds, changing nothing, where `source` has less."""
    have = ledger.balances.get(source, 0)
    if amount < 0 or (have < amount and source not in SOURCES):
        raise NotEnoughFunds(f"{source} has {have} wei, not {amount}")
    ledger.balances[source] = have - amount
    ledger.balances[target] = ledger.balances.get(target, 0) + amount


def close(ledger: Ledger, account: str, target: str) -> int:
    """Move all that an account has left, and forget the account."""
    rest = ledger.balances.get(account, 0)
    move(ledger, account, target, rest)
    ledger.balances.pop(account, None)
    return rest


def correct_free(ledger: Ledger, in_contract: int) -> None:
    """Take over from the chain how much of our deposit is left; what is promised or owed is not free."""
    kept = sum(have for name, have in ledger.balances.items() if name.startswith(("task/", "owed/")))
    free = max(0, in_contract - kept)
    change = free - ledger.balances.get(FREE, 0)
    if change >= 0:
        move(ledger, "chain", FREE, change)
    else:
        move(ledger, FREE, "chain", -change)


def owe(ledger: Ledger, task: TaskId, payee: Address, amount: Wei, due_ms: int = 0) -> Wei:
    """Book accepted work against its task's budget; returns all ever promised to `payee`."""
    move(ledger, f"task/{task}", f"owed/{payee}", amount)
    old = ledger.owing.get(payee, Pair())
    oldest_ms = old.due_ms if old.promised > old.paid else due_ms
    ledger.owing[payee] = evolve(old, promised=Wei(old.promised + amount), due_ms=oldest_ms)
    return ledger.owing[payee].promised


def recall(ledger: Ledger, payee: Address, given: Wei) -> None:
    """Take over from the contract what `payee` was ever paid, where these books do not know it."""
    if payee not in ledger.owing:
        move(ledger, "chain", f"paid/{payee}", given)
        ledger.owing[payee] = Pair(promised=given, paid=given, inherited=given)


def admit(ledger: Ledger, payee: Address, cumulative: Wei, due_ms: int) -> int:
    """Take over that `payee` was promised `cumulative`; returns how much of that these books did not know."""
    old = ledger.owing.get(payee, Pair())
    more = max(0, cumulative - old.promised)
    if more:
        move(ledger, "chain", f"owed/{payee}", more)
        oldest_ms = old.due_ms if old.promised > old.paid else due_ms
        inherited = Wei(old.inherited + more)
        ledger.owing[payee] = evolve(old, promised=cumulative, due_ms=oldest_ms, inherited=inherited)
    return more


def settle(
    ledger: Ledger, payee: Address, cumulative: Wei, rest_due_ms: int = 0, at_ms: int = 0, tx_hash: str = ""
) -> None:
    """Book what a batch has paid; a second time changes nothing. `rest_due_ms`: when what it did not pay is due."""
    pair = ledger.owing.get(payee, Pair())
    if cumulative > pair.paid:
        move(ledger, f"owed/{payee}", f"paid/{payee}", cumulative - pair.paid)
        due_ms = rest_due_ms if pair.promised > cumulative else 0
        ledger.owing[payee] = evolve(pair, paid=cumulative, due_ms=due_ms, last_ms=at_ms, last_tx=tx_hash)


def earn(ledger: Ledger, payer: Address, amount: Wei, cumulative: Wei) -> None:
    """Book work of ours that was accepted. `cumulative`: all that `payer` has ever promised.

    Where that is more than these books know, the difference is from before them.
    """
    old = ledger.earning.get(payer, Pair())
    before = Wei(cumulative - amount - old.promised)
    move(ledger, "work", f"due/{payer}", before + amount)
    ledger.earning[payer] = evolve(old, promised=cumulative, inherited=Wei(old.inherited + before))


def remember(ledger: Ledger, payer: Address, received: Wei) -> None:
    """Take over from the contract what `payer` has ever paid us, where these books do not know it."""
    if payer not in ledger.earning:
        move(ledger, "work", f"received/{payer}", received)
        ledger.earning[payer] = Pair(promised=received, paid=received, inherited=received)


def receive(ledger: Ledger, payer: Address, cumulative: Wei, at_ms: int = 0) -> None:
    """Book what the chain shows. Over-payment is credit: it is booked when work has been accepted for it."""
    pair = ledger.earning.get(payer, Pair())
    booked = Wei(min(cumulative, pair.promised))
    if booked > pair.paid:
        move(ledger, f"due/{payer}", f"received/{payer}", booked - pair.paid)
        ledger.earning[payer] = evolve(pair, paid=booked, last_ms=at_ms)


def unpaid(ledger: Ledger, payer: Address) -> int:
    """What `payer` owes us, in wei."""
    return ledger.balances.get(f"due/{payer}", 0)


def check(ledger: Ledger) -> None:
    """The book's law. Raises AssertionError naming the account that breaks it."""
    total = sum(ledger.balances.values())
    if total:
        raise AssertionError(f"the ledger sums to {total} wei, not 0")
    for name, have in ledger.balances.items():
        if have < 0 and name not in SOURCES:
            raise AssertionError(f"{name} is at {have} wei")
    for payee, pair in ledger.owing.items():
        if pair.paid > pair.promised:
            raise AssertionError(f"{payee} was paid {pair.paid} wei of {pair.promised} promised")
