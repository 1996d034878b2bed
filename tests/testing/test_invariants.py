"""Every law is shown to be broken once: what could not fail would prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from golem.core.ledger import FREE, Pair
from golem.core.overlay import MAX_PEERS
from golem.core.reputation import Standing
from golem.core.state import Peer
from golem.core.task import Board
from golem.model.effects import Deposit, Tell
from golem.model.ids import NOBODY, Address, NodeId, SubtaskId
from golem.model.messages import Cancellation
from golem.model.money import Wei
from golem.model.value import evolve
from golem.testing import invariants, lawbook
from golem.testing.chaos import check_rest
from golem.testing.keys import FixedKeyring
from golem.testing.local import LocalNetwork
from golem.testing.quiet import asked, journal_tells_all, shown_adds_up
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.requesting import TASK, at_work, delivery, opened

ROOT = Path(__file__).parents[2]
OTHER = Address("0x" + "01" * 20)

Break = Callable[[Solo], object]


def board(me: Solo) -> Board:
    return me.state.boards[TASK]


def promised(me: Solo, _: object = None) -> None:
    me.state.ledger.owing[OTHER] = Pair(promised=Wei(5))


def crowd(me: Solo) -> None:
    peer = Peer(address="", gateway="", payee=NOBODY, is_connected=False)
    me.state.peers.update({NodeId(str(n)): peer for n in range(MAX_PEERS + 1)})


def dear(me: Solo) -> None:
    first, *_ = board(me).open
    most = me.state.subtasks[first].cap
    me.state.subtasks[first] = evolve(me.state.subtasks[first], amount=Wei(most + 1))
    board(me).spent = Wei(most + 1)


BREAKS: dict[str, tuple[Break, str]] = {
    "money comes from nowhere": (lambda me: me.state.ledger.balances.update({FREE: 7}), "sums to"),
    "a debt is in one book only": (promised, "0 wei owed"),
    "a due is in one book only": (
        lambda me: me.state.ledger.earning.update({OTHER: Pair(promised=Wei(5))}),
        "0 wei due",
    ),
    "a cache grows": (crowd, f"peers are kept, and {MAX_PEERS} are the most"),
    "evidence is negative": (lambda me: me.state.standings.update({"x": Standing(bad=-1.0, deeds=1)}), "negative"),
    "evidence comes of nothing": (lambda me: me.state.standings.update({"x": Standing()}), "without a deed"),
    "a task overspends": (lambda me: setattr(board(me), "spent", board(me).task.spec.budget), "spent and promised"),
    "spent is made up": (lambda me: setattr(board(me), "spent", Wei(1)), "no sum of amounts"),
    "promised is made up": (lambda me: setattr(board(me), "outstanding", Wei(0)), "no sum of caps"),
    "an attempt costs more than its cap": (dear, "more than a cap"),
    "a chunk runs and waits": (lambda me: board(me).pending.append(0), "runs and waits"),
    "a chunk waits twice": (lambda me: board(me).pending.extend(board(me).pending[:1]), "waits twice"),
    "a chunk is lost": (lambda me: board(me).pending.clear(), "are nowhere"),
    "an acceptance is made up": (
        lambda me: board(me).accepted.update({0: delivery(next(iter(board(me).open)))}),
        "made up an acceptance",
    ),
}
"""What is done to the books of a requestor some of whose chunks are being done, and what is said of it."""


def requestor() -> Solo:
    me = at_work("bob", template=Toy(chunks=4))
    assert board(me).open and board(me).pending
    invariants.check_node(me.state)
    return me


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_law_is_named(what: str) -> None:
    me, (breaks, said) = requestor(), BREAKS[what]
    breaks(me)
    with pytest.raises(AssertionError, match=said):
        invariants.check_node(me.state)


def test_an_accepted_chunk_that_waits_is_named() -> None:
    me = requestor()
    first, *_ = board(me).open
    board(me).accepted[board(me).pending[0]] = delivery(first)
    with pytest.raises(AssertionError, match="an accepted chunk waits"):
        invariants.check_node(me.state)


def test_more_paid_than_promised_and_more_booked_than_paid_are_named() -> None:
    me = opened()
    with pytest.raises(AssertionError, match="and promised 0"):
        invariants.payments_were_promised(NOBODY, me.state, {(NOBODY, OTHER): 5})
    me.state.ledger.earning[OTHER] = Pair(promised=Wei(5), paid=Wei(5))
    invariants.income_is_real(NOBODY, me.state, {(OTHER, NOBODY): 5})
    with pytest.raises(AssertionError, match="the chain shows 4"):
        invariants.income_is_real(NOBODY, me.state, {(OTHER, NOBODY): 4})


def test_lateness_without_a_deed_is_named() -> None:
    with pytest.raises(AssertionError, match="1 payments came late"):
        invariants.lateness_is_remembered([Tell(topic="node", name="income", fields={"late_ms": 1})])


def test_books_that_disagree_are_named(tmp_path: Path) -> None:
    net = done(tmp_path)
    try:
        net.check_quiet()
        state, account = net["alice"].node.engine.state, net["bob"].keyring.account
        whole = state.ledger.owing[account]
        state.ledger.owing[account] = evolve(whole, promised=Wei(whole.promised + 1))
        with pytest.raises(AssertionError, match="alice owes bob"):
            net.check_quiet()
        state.ledger.owing[account] = whole
        net.ledger.paid[net["alice"].keyring.account, account] += 1
        with pytest.raises(AssertionError, match="the chain shows"):
            net.check_quiet()
    finally:
        net.close()


@pytest.mark.parametrize(
    ("part", "field", "value", "said"),
    [
        ("/status", "tasks", {"done": 7}, "'done': 7} tasks are shown"),
        ("/status", "owed", "7", "7 wei are shown as still to go out"),
        ("/status", "due", "7", "7 wei are shown as still to go in"),
        ("/tasks", "accepted", 7, "shows 7 chunks accepted"),
        ("/tasks", "spent", "7", "shows 7 wei spent"),
    ],
)
def test_what_is_shown_and_not_booked_is_named(tmp_path: Path, part: str, field: str, value: object, said: str) -> None:
    net = done(tmp_path)
    try:
        ask = partial(asked, net["alice"].node.desk)
        shown_adds_up(ask)

        def lie(path: str) -> Any:
            answer: Any = ask(path)
            if path != part:
                return answer
            return [{**one, field: value} for one in answer] if isinstance(answer, list) else {**answer, field: value}

        with pytest.raises(AssertionError, match=said):
            shown_adds_up(lie)
    finally:
        net.close()


def test_what_is_left_of_a_task_is_named(tmp_path: Path) -> None:
    net = done(tmp_path)
    try:
        check_rest(net, "alice")
        journal_tells_all(net["alice"].node.engine, net["alice"].journal)
        (tmp_path / "alice" / "jobs" / "rooms" / "left").mkdir(parents=True)
        with pytest.raises(AssertionError, match="alice keeps files of jobs that are over: left"):
            check_rest(net, "alice")
        (tmp_path / "alice" / "jobs" / "rooms" / "left").rmdir()
        pending = net["alice"].node.engine.saved.pending
        pending["deposit/x"] = Deposit(key="deposit/x", amount=Wei(5))
        with pytest.raises(AssertionError, match="asked for what never came: deposit/x"):
            check_rest(net, "alice")
        pending.clear()
        net["alice"].node.engine.mail.push(FixedKeyring("bob").node_id, Cancellation(subtask_id=SubtaskId("5" * 32)))
        with pytest.raises(AssertionError, match="nobody acknowledged"):
            check_rest(net, "alice")
        net["alice"].node.engine.state.batches += 1
        with pytest.raises(AssertionError, match="does not tell all"):
            journal_tells_all(net["alice"].node.engine, net["alice"].journal)
    finally:
        net.close()


def done(folder: Path) -> LocalNetwork:
    """A network in which all has been done and paid."""
    net = LocalNetwork(folder, ("alice", "bob"))
    task = net["alice"].submit("echo", {"count": 2})
    net.run_until(lambda: net["alice"].phase(task) == "done" and net.is_even(), 120)
    net.advance(10)
    return net


def test_the_book_of_laws_names_what_there_is_and_the_documents_have_it() -> None:
    for law in lawbook.LAWS:
        for by in law.by:
            module, _, name = by.partition(":")
            assert hasattr(import_module(module), name) if name else (ROOT / by).exists(), by
    assert "\n".join(lawbook.table()) in (ROOT / "docs" / "testing.md").read_text()
