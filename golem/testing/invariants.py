"""What holds after every turn of every node, whatever happens. Each function raises AssertionError on a breach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golem.core import ledger
from golem.core.near import MAX_RECORDS
from golem.core.overlay import MAX_PEERS
from golem.core.provider import MAX_DEMANDS
from golem.core.state import NodeState
from golem.core.turn import MAX_TOPICS
from golem.model.effects import Effect, Tell
from golem.model.events import Heard
from golem.model.ids import Address
from golem.model.messages import Cancellation
from golem.testing.boards import check_board


def check_node(state: NodeState) -> None:
    """All that one node's state alone can tell."""
    check_books(state)
    for board in state.boards.values():
        check_board(state, board)


def check_books(state: NodeState) -> None:
    """What is no task's own."""
    ledger.check(state.ledger)
    debts_are_booked(state)
    dues_are_booked(state)
    caches_are_bounded(state)
    trust_is_a_share(state)


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
