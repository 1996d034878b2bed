"""How fast providers are, by what was verified of their work.

A speed is the template's guess of a chunk's time over the time from assignment to delivery, so that chunks of all sizes
compare. Whatever a provider gains by being near or having our inputs already is part of it, since we gain it too.
"""

from __future__ import annotations

from golem.core.asking import asking
from golem.core.knowledge import known, rated
from golem.core.reputation import Role
from golem.core.subtask import Subtask
from golem.core.task import Board
from golem.core.turn import Turn
from golem.errors import TemplateFailed
from golem.model.ids import NodeId
from golem.model.trade import Seen

MOST_PACES = 5_000  # providers and templates, measured last
NEWS = 0.25  # of a speed is its last measurement: four or so make it


def measure(turn: Turn, board: Board, subtask: Subtask) -> None:
    """A result was checked and is right: its provider's speed is better known."""
    spec = board.task.spec
    chunk = turn.plan(board.task.task_id, spec).chunks[subtask.chunk]
    took_ms = max(1, (subtask.delivered_ms - subtask.assigned_ms) // subtask.ahead)
    try:
        with asking(spec.template, "cost_ms"):
            now = max(1, turn.template(spec.template).cost_ms(spec, chunk)) / took_ms
    except TemplateFailed as why:
        turn.tell(board.task.task_id, "not measured", provider=subtask.provider, reason=str(why))
        return
    paces, key = turn.state.dealings.paces, f"{spec.template}/{subtask.provider}"
    old = paces.pop(key, now)
    paces[key] = old * (now / old) ** NEWS
    if len(paces) > MOST_PACES:
        del paces[next(iter(paces))]


def see(turn: Turn, template: str, node: NodeId) -> Seen:
    """A provider as its work for a template shows it: evidence of all sources, and measured speed."""
    good, bad = known(turn.state, rated(node, Role.PROVIDER), turn.now_ms).evidence
    return Seen(good=good, bad=bad, speed=turn.state.dealings.paces.get(f"{template}/{node}", 0.0))
