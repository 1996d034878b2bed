"""A provider's offers: for which demands it makes them, where there are more than it could do, and what became of each.

So one that never gets work can be told why.
"""

from __future__ import annotations

from collections.abc import Mapping

from golem.core.market import ask
from golem.core.reputation import Role
from golem.core.rumours import Lost
from golem.core.trading import choose
from golem.core.turn import Turn
from golem.model.events import Gauged
from golem.model.ids import TaskId
from golem.model.messages import Demand, Reason
from golem.model.money import NOTHING, Wei

MOST_LOST = 32  # offers that led to nothing, of which we remember to whom and why
ANSWER_MS = 30_000  # an offer without an answer for so long binds no room any more
FRESH_PER_SLOT = 4  # offers without an answer yet; of three in four others get the work


def gauged(turn: Turn, gauge: Gauged) -> None:
    """This machine's speed at a template's work was tried: offers tell it from now on."""
    turn.state.gauges[gauge.template] = gauge
    turn.tell("node", "gauged", template=gauge.template, percent=gauge.percent)


def speed_at(turn: Turn, template: str) -> int:
    """What our offers say of this machine's speed, in percent of the template's guess; 0 where it was not tried."""
    gauge = turn.state.gauges.get(template)
    return gauge.percent if gauge else 0


def made(turn: Turn, demand: Demand, price: Wei) -> None:
    """We offer for a task. It stands until it is refused or the task ends."""
    turn.state.offered[demand.task_id] = price
    turn.state.dealings.offered_ms[demand.task_id] = turn.now_ms
    turn.state.dealings.offers += 1


def taken(turn: Turn, task_id: TaskId) -> None:
    """The task's requestor gives us work."""
    dealings = turn.state.dealings
    if dealings.offered_ms.pop(task_id, None) is not None:
        dealings.taken += 1


def over(turn: Turn, task_id: TaskId, reason: Reason, price: Wei = NOTHING) -> None:
    """An offer is off, whether it led to work or not. `price`: what who got the work was paid, where known."""
    dealings, demand = turn.state.dealings, turn.state.demands.get(task_id)
    asked = turn.state.offered.pop(task_id, None)
    if dealings.offered_ms.pop(task_id, None) is None or asked is None or demand is None:
        return
    lost = Lost(at_ms=turn.now_ms, task_id=task_id, requestor=demand.requestor, asked=asked, reason=reason, price=price)
    dealings.lost = [*dealings.lost[1 - MOST_LOST :], lost]
    dealings.losses[reason.value] = dealings.losses.get(reason.value, 0) + 1


def chosen(turn: Turn, wanted: Mapping[TaskId, Demand]) -> list[TaskId]:
    """Those of the wanted demands that are worth an offer beside the ones made lately, the best first."""
    most = FRESH_PER_SLOT * turn.settings.slots
    among = {**_fresh(turn, most), **wanted}
    prices = {task: ask(turn, demand) for task, demand in among.items()}
    trust = {demand.requestor: 0.0 for demand in among.values()}
    trust = {node: turn.trust(node, Role.REQUESTOR) for node in trust}
    return [task for task in choose(turn, among, prices, trust)[:most] if task in wanted]


def _fresh(turn: Turn, most: int) -> dict[TaskId, Demand]:
    """Demands that we have offered for lately, and nobody has answered."""
    found: dict[TaskId, Demand] = {}
    for task, at_ms in reversed(turn.state.dealings.offered_ms.items()):
        if len(found) >= most or turn.now_ms - at_ms >= ANSWER_MS:
            break
        found[task] = turn.state.demands[task]
    return found
