"""What holds after every turn of every node, whatever happens. Each function raises AssertionError on a breach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from golem.core import ledger
from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.core.task import LIVE, Board
from golem.model.ids import Address


def check_node(state: NodeState) -> None:
    """All that one node's state alone can tell."""
    ledger.check(state.ledger)
    debts_are_booked(state)
    dues_are_booked(state)
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
    """A chunk is with one provider at most, waits or runs but not both, and once accepted is done for good."""
    task_id = board.task.task_id
    leased = Counter(state.subtasks[subtask_id].chunk for subtask_id in board.open)
    accepted = Counter(s.chunk for s in map(state.subtasks.__getitem__, board.history) if s.phase is Attempt.ACCEPTED)
    for what, counts in (("leased", leased), ("accepted", accepted), ("waiting", Counter(board.pending))):
        twice = [chunk for chunk, count in counts.items() if count > 1]
        assert not twice, f"{task_id}: chunks {twice} are {what} twice"
    assert accepted.keys() == board.accepted.keys(), f"{task_id}: the board forgot or made up an acceptance"
    assert not leased.keys() & accepted.keys(), f"{task_id}: an accepted chunk was given out again"
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
