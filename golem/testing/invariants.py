"""What holds after every turn of every node, whatever happens. Each function raises AssertionError on a breach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from golem.core import ledger
from golem.core.near import MAX_RECORDS
from golem.core.overlay import MAX_PEERS
from golem.core.provider import MAX_DEMANDS
from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.core.task import LIVE, Board
from golem.core.turn import MAX_TOPICS
from golem.model.effects import Effect, Tell
from golem.model.events import Heard
from golem.model.ids import Address
from golem.model.messages import Cancellation


def check_node(state: NodeState) -> None:
    """All that one node's state alone can tell."""
    ledger.check(state.ledger)
    debts_are_booked(state)
    dues_are_booked(state)
    caches_are_bounded(state)
    trust_is_a_share(state)
    for board in state.boards.values():
        budget_holds(state, board)
        chunks_are_leased_once(state, board)


def debts_are_booked(state: NodeState) -> None:
    """What is owed to a payee is all ever promised less all ever paid."""
    for payee, pair in state.ledger.owing.items():
        owed = state.ledger.balances.get(f"owed/{payee}", 0)
        assert owed == pair.promised - pair.paid, f"{owed} wei owed to {payee}, of {pair}"


def dues_are_booked(state: NodeState) -> None:
    """What a payer owes us is all it ever promised less all it ever paid."""
    for payer, pair in state.ledger.earning.items():
        due = ledger.unpaid(state.ledger, payer)
        assert due == pair.promised - pair.paid, f"{due} wei due from {payer}, of {pair}"


def budget_holds(state: NodeState, board: Board) -> None:
    """Spent and promised never exceed the budget, and are the sums of what the attempts say."""
    spec, task_id = board.task.spec, board.task.task_id
    attempts = [state.subtasks[subtask_id] for subtask_id in board.history]
    assert board.spent + board.outstanding <= spec.budget, f"{task_id} overspends: {board.spent} + {board.outstanding}"
    assert board.spent == sum(a.amount for a in attempts), f"{task_id}: spent is no sum of amounts"
    assert board.outstanding == sum(state.subtasks[s].cap for s in board.open), (
        f"{task_id}: outstanding is no sum of caps"
    )
    assert all(a.amount <= a.cap for a in attempts), f"{task_id} pays more than a cap"


def chunks_are_leased_once(state: NodeState, board: Board) -> None:
    """A chunk is with one provider at most, waits or runs but not both, and once accepted is done for good.

    Of a slow attempt there may be one copy. Where several do each, none has two of them, and once one is accepted no
    more are given out.
    """
    task_id = board.task.task_id
    if board.copies > 1:
        for chunk, doers in board.doers.items():
            assert len(set(doers)) == len(doers), f"{task_id}: one provider does chunk {chunk} twice"
        assert not board.accepted.keys() & set(board.pending), f"{task_id}: an accepted chunk waits"
        return
    leased = Counter(state.subtasks[subtask_id].chunk for subtask_id in board.open)
    accepted = Counter(s.chunk for s in map(state.subtasks.__getitem__, board.history) if s.phase is Attempt.ACCEPTED)
    for what, counts in (("leased", leased), ("accepted", accepted), ("waiting", Counter(board.pending))):
        most = 1 if what == "waiting" else 2
        twice = [chunk for chunk, count in counts.items() if count > (most if chunk in board.doubled else 1)]
        assert not twice, f"{task_id}: chunks {twice} are {what} twice"
    assert accepted.keys() == board.accepted.keys(), f"{task_id}: the board forgot or made up an acceptance"
    assert not (leased.keys() - board.doubled.keys()) & accepted.keys(), (
        f"{task_id}: an accepted chunk was given out again"
    )
    assert not accepted.keys() & set(board.pending), f"{task_id}: an accepted chunk waits"
    assert not leased.keys() & set(board.pending), f"{task_id}: a chunk runs and waits"
    if board.task.phase in LIVE and board.has_picked:
        lost = set(range(board.task.chunks)) - leased.keys() - accepted.keys() - set(board.pending)
        assert not lost, f"{task_id}: chunks {sorted(lost)} are nowhere"


def payments_were_promised(payer: Address, state: NodeState, paid: Mapping[tuple[Address, Address], int]) -> None:
    """The chain shows no wei from `payer` that it had not promised. `paid`: by payer and payee, all ever paid."""
    for (source, payee), amount in paid.items():
        if source == payer:
            promised = state.ledger.owing[payee].promised if payee in state.ledger.owing else 0
            assert amount <= promised, f"{payer} paid {amount} wei to {payee}, and promised {promised}"


def income_is_real(account: Address, state: NodeState, paid: Mapping[tuple[Address, Address], int]) -> None:
    """No more is booked as received than the chain shows for good."""
    for payer, pair in state.ledger.earning.items():
        there = paid.get((payer, account), 0)
        assert pair.paid <= there, f"{account} books {pair.paid} wei of {payer}, and the chain shows {there}"


def caches_are_bounded(state: NodeState) -> None:
    """What strangers can make grow has its bound."""
    for name, held, most in (
        ("demands", state.demands, MAX_DEMANDS),
        ("records", state.near.records, MAX_RECORDS),
        ("peers", state.peers, MAX_PEERS),
        ("notes", state.notes, MAX_TOPICS),
    ):
        assert len(held) <= most, f"{len(held)} {name} are kept, and {most} are the most"


def trust_is_a_share(state: NodeState) -> None:
    """Evidence is never negative, and comes of deeds alone."""
    for who, standing in state.standings.items():
        assert standing.good >= 0 and standing.bad >= 0, f"negative evidence of {who}: {standing}"
        assert standing.deeds > 0, f"{who} has a standing without a deed"


def told_to_stop_is_stopped(event: object, state: NodeState) -> None:
    """Who was told that a subtask is not wanted any more does not go on with it."""
    if isinstance(event, Heard) and isinstance(event.message, Cancellation):
        work = state.works.get(event.message.subtask_id)
        assert work is None or work.requestor != event.peer or work.subtask_id not in state.busy, (
            f"{event.message.subtask_id} is cancelled, and goes on"
        )


def lateness_is_remembered(effects: Sequence[Effect]) -> None:
    """Who paid late is trusted less."""
    tells = [effect for effect in effects if isinstance(effect, Tell)]
    late = [t for t in tells if t.name == "income" and int(t.fields["late_ms"]) > 0]
    noted = [t for t in tells if t.name == "deed" and t.fields["deed"] == "paid_late"]
    assert len(noted) >= len(late), f"{len(late)} payments came late, and {len(noted)} are held against anybody"


def check_quiet(states: Mapping[str, NodeState], paid: Mapping[tuple[Address, Address], int]) -> None:
    """What holds of all these nodes once nothing is under way: their books agree with each other and with the chain."""
    accounts = {name: state.started.payee for name, state in states.items() if state.started}
    asking = {state.started.node_id for state in states.values() if state.started}
    for name, state in states.items():
        busy = [subtask_id for subtask_id in state.busy if state.works[subtask_id].requestor in asking]
        assert not busy, f"{name} computes although no task is open: {busy}"
        for board in state.boards.values():
            assert board.task.phase not in LIVE and not board.open, f"{board.task.task_id} of {name} never ended"
            assert f"task/{board.task.task_id}" not in state.ledger.balances, f"{board.task.task_id} keeps its budget"
        for other, theirs in states.items():
            mine = state.ledger.owing.get(accounts[other])
            seen = theirs.ledger.earning.get(accounts[name])
            owed = (mine.promised, mine.paid) if mine else (0, 0)
            due = (seen.promised, seen.paid) if seen else (0, 0)
            assert owed == due, f"{name} owes {other} {owed} (promised, paid), and {other} expects {due}"
            there = paid.get((accounts[name], accounts[other]), 0)
            assert owed[1] == there, f"{name} books {owed[1]} wei paid to {other}, and the chain shows {there}"
