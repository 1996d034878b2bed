"""A node loses all it knew, but for its keys: nobody is paid twice, and nobody too little."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from twisted.internet.defer import Deferred

from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]
PROVIDERS = ("bob", "carol")
T = TypeVar("T")


def done(net: LocalNetwork, count: int) -> int:
    """Have a task done; returns what it cost, in wei."""
    alice = net["alice"]
    task = alice.submit("echo", {"count": count})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=60)
    return int(str(alice.task(task)["spent"]))


def paid(net: LocalNetwork) -> int:
    return sum(net.paid("alice", provider) for provider in PROVIDERS)


def lose_books(net: LocalNetwork, *names: str) -> None:
    for name in names:
        net[name].kill(loses_books=True)
    for name in names:
        net.boot(name)


def told(net: LocalNetwork, answer: Awaitable[T]) -> T:
    """What a node's user is told."""
    answers: list[T] = []
    Deferred.fromCoroutine(_wait(answer)).addCallback(answers.append)
    net.run_until(lambda: bool(answers), limit_s=30)
    return answers[0]


async def _wait(answer: Awaitable[T]) -> T:
    return await answer


def test_what_was_promised_and_not_paid_is_paid_by_who_forgot_it(network: Networks) -> None:
    net = network()
    spent = done(net, 6)
    net.run_until(lambda: paid(net) == spent, limit_s=30)
    spent += done(net, 8)
    assert paid(net) < spent, "the second batch is not sent yet"
    lose_books(net, "alice")
    net.run_until(lambda: paid(net) == spent, limit_s=60)
    spent += done(net, 8)
    net.run_until(lambda: paid(net) == spent, limit_s=60)
    net.advance(60)
    assert paid(net) == spent
    assert all(net[name].trust("alice", "requestor") > 0.5 for name in PROVIDERS)


def test_where_both_sides_forget_totals_go_on_from_the_contract(network: Networks) -> None:
    net = network()
    spent = done(net, 6)
    net.run_until(lambda: paid(net) == spent, limit_s=30)
    lose_books(net, "alice", *PROVIDERS)
    spent += done(net, 8)
    net.run_until(lambda: paid(net) == spent, limit_s=60)
    net.advance(60)
    assert paid(net) == spent


def test_a_provider_that_forgot_who_paid_it_finds_them_and_takes_out_what_they_paid(network: Networks) -> None:
    net = network(nodes=("alice", "bob"))
    spent = done(net, 6)
    net.run_until(lambda: net.paid("alice", "bob") == spent, limit_s=30)
    lose_books(net, "bob")
    bob, account = net["bob"], net["bob"].keyring.account
    before = net.ledger.wallets[account]
    told(net, bob.node.desk.withdraw())
    assert net.ledger.wallets[account] == before, "whom it has forgotten it can't ask for"
    (found,) = told(net, bob.node.desk.recover(0))
    assert found == {"account": net["alice"].keyring.account, "paid": spent}
    net.advance(1)
    assert told(net, bob.node.desk.recover(0)) == []
    told(net, bob.node.desk.withdraw())
    assert net.ledger.wallets[account] == before + spent
    assert all(finding["holds"] for name in ("alice", "bob") for finding in told(net, net[name].node.desk.audit()))
