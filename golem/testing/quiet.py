"""What holds of a network in which nothing is under way. Each function raises AssertionError on a breach."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from golem.core.state import NodeState
from golem.core.task import LIVE
from golem.interfaces import IJournal
from golem.model.ids import Address
from golem.node.engine import Engine, Saved
from golem.testing.clock import Clock
from golem.testing.keys import SeededEntropy
from golem.wire.codec import encode


def journal_tells_all(engine: Engine, journal: IJournal) -> None:
    """A node that is made of the journal alone knows what this one knows."""
    again = Engine(journal, engine.policies.templates, engine.policies.strategy, Clock(), SeededEntropy(""))
    again.recover()
    assert _told(engine.saved) == _told(again.saved), "the journal does not tell all that the node knows"


def _told(saved: Saved) -> bytes:
    """All of it but the acknowledgements, which no journal has."""
    return encode(replace(saved, mail=replace(saved.mail, waiting={})))


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
