"""What holds of a network in which nothing is under way. Each function raises AssertionError on a breach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from golem.control.face import Face
from golem.control.routes import route, to_json
from golem.control.views import Payment, Status, Subtask, Task, view, views
from golem.core.state import NodeState
from golem.core.task import LIVE
from golem.interfaces import IJournal
from golem.model.ids import Address
from golem.node.engine import Engine, Saved
from golem.testing.clock import Clock
from golem.testing.keys import SeededEntropy
from golem.wire.codec import encode

Ask = Callable[[str], object]
"""What a node's control API has to say of a path."""


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


def asked(face: Face, path: str) -> object:
    """What the control API says of a path, without a socket."""
    parts = path.strip("/").split("/")
    handler = route("GET", parts)
    assert handler is not None, path
    return msgspec.json.decode(to_json(handler(face, "".join(parts[1:2]), b"")))


def shown_adds_up(ask: Ask) -> None:
    """What is shown counts what the books say: all tasks, all that is owed and due, and each task's work."""
    status, tasks, payments = view(Status, ask("/status")), views(Task, ask("/tasks")), views(Payment, ask("/payments"))
    phases = Counter(task.phase for task in tasks)
    assert status.tasks == phases, f"{status.tasks} tasks are shown, and there are {dict(phases)}"
    for direction, shown in (("out", status.owed), ("in", status.due)):
        rest = sum(int(p.promised) - int(p.paid) for p in payments if p.direction == direction)
        assert int(shown) == rest, f"{shown} wei are shown as still to go {direction}, and payments lack {rest}"
    for task in tasks:
        attempts = views(Subtask, ask(f"/tasks/{task.task_id}/subtasks"))
        accepted, spent = {a.chunk for a in attempts if a.phase == "accepted"}, sum(int(a.amount) for a in attempts)
        assert task.accepted == len(accepted), f"{task.task_id} shows {task.accepted} chunks accepted, not {accepted}"
        assert int(task.spent) == spent, f"{task.task_id} shows {task.spent} wei spent, and its attempts {spent}"
