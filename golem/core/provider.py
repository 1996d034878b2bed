"""The provider: demands it hears, offers it makes, and work it does. What that earns: `golem.core.income`."""

from __future__ import annotations

from golem.core import offers
from golem.core.job import LIVE, TABLE, Forsaken, Phase, Work, begin
from golem.core.keeping import is_needed
from golem.core.machine import advance
from golem.core.market import ask, room_for, unwanted_assignment, unwanted_demand
from golem.core.overlay import dial, sources
from golem.core.reputation import Deed
from golem.core.turn import Turn
from golem.model.effects import Admit, Release, Send
from golem.model.ids import NodeId, SubtaskId, TaskId
from golem.model.messages import (
    Assignment,
    Demand,
    Offer,
    Place,
    Reason,
    Refusal,
    Withdrawal,
)
from golem.model.money import NOTHING, Wei

MAX_DEMANDS = 20_000  # of 400 bytes: 8 MB; the oldest is forgotten first
MAX_WORKS = 5_000  # ended and settled work that is kept for the record


def on_demand(turn: Turn, demand: Demand) -> None:
    """A task is open somewhere: offer if it is worth it."""
    if demand.task_id not in turn.state.demands:
        turn.tell("node", "demand", task=demand.task_id, requestor=demand.requestor, template=demand.template)
    turn.state.demands[demand.task_id] = demand
    _bound(turn)
    consider(turn, demand)


def _bound(turn: Turn) -> None:
    demands = turn.state.demands
    if len(demands) > MAX_DEMANDS:
        _forget(turn, next(iter(demands)))


def _forget(turn: Turn, task_id: TaskId, reason: Reason = Reason.CLOSED, price: Wei = NOTHING) -> None:
    offers.over(turn, task_id, reason, price)
    turn.state.demands.pop(task_id, None)
    turn.state.declined.pop(task_id, None)


def busy(turn: Turn) -> int:
    """How many jobs this provider has at hand."""
    return len(turn.state.busy)


def consider(turn: Turn, *demands: Demand) -> None:
    """Offer for demands, or say why not. One offer stands until it is refused or the task ends."""
    wanted: dict[TaskId, Demand] = {}
    for demand in demands:
        if demand.task_id in turn.state.offered:
            _meet(turn, demand)
            continue
        price = ask(turn, demand)
        if reason := objection(turn, demand, price):
            _decline(turn, demand, reason, price)
        else:
            wanted[demand.task_id] = demand
    best = offers.chosen(turn, wanted) if wanted else []
    for task_id in best:
        _offer(turn, wanted.pop(task_id))
    for demand in wanted.values():
        _decline(turn, demand, Reason.BETTER, ask(turn, demand))


def objection(turn: Turn, demand: Demand, price: Wei) -> Reason | None:
    """Why this provider can't or won't offer for a demand now, at the price that it asks, or None."""
    if reason := unwanted_demand(turn, demand, price):
        return reason
    return None if room_for(turn, demand.limits) > 0 else Reason.BUSY


def _meet(turn: Turn, demand: Demand) -> bool:
    """Have a session with a requestor, or try to; says whether we may."""
    peer = turn.state.peers.get(demand.requestor)
    return bool(peer and peer.is_connected) or dial(turn, demand.address)


def _offer(turn: Turn, demand: Demand) -> None:
    price = ask(turn, demand)
    if not _meet(turn, demand):
        turn.refuse(demand.task_id, Reason.UNREACHABLE)
        return
    offers.made(turn, demand, price)
    turn.state.declined.pop(demand.task_id, None)
    free = room_for(turn, demand.limits)
    speed = offers.speed_at(turn, demand.template)
    offer = Offer(task_id=demand.task_id, price=price, slots=free, capability=turn.started.capability, speed=speed)
    turn.ask(Send(to=demand.requestor, message=offer))
    turn.tell("node", "offered", task=demand.task_id, price_wei=str(price))


def _decline(turn: Turn, demand: Demand, reason: Reason, price: Wei) -> None:
    """Keep why not, and let a requestor that we are connected with know, once."""
    turn.refuse(demand.task_id, reason)
    peer, told = turn.state.peers.get(demand.requestor), turn.state.declined
    if not turn.settings.provide or not (peer and peer.is_connected) or told.get(demand.task_id) is reason:
        return
    told[demand.task_id] = reason
    turn.ask(Send(to=demand.requestor, message=Refusal(task_id=demand.task_id, reason=reason, price=price)))


def look_for_work(turn: Turn) -> None:
    """A slot is free: see whether a demand that was passed over is still worth an offer."""
    if busy(turn) >= turn.settings.slots:
        return
    for task_id in [task for task, demand in turn.state.demands.items() if demand.expires_ms < turn.now_ms]:
        _forget(turn, task_id)
    consider(turn, *(demand for demand in turn.state.demands.values() if demand.requestor != turn.started.node_id))


def _is_from(turn: Turn, peer: NodeId, task_id: TaskId) -> bool:
    """Whether a task that we know is that peer's own: nobody else has a say in it."""
    if demand := turn.state.demands.get(task_id):
        return demand.requestor == peer
    return any(work.requestor == peer and work.assignment.job.task_id == task_id for work in turn.state.works.values())


def rest(turn: Turn, reason: Reason | None) -> None:
    """This machine takes no new work, and takes its offers back; or it looks for work again. What runs goes on."""
    turn.state.resting = reason
    turn.tell("node", "resting" if reason else "working again", reason=reason.value if reason else "")
    if reason is not None:
        for task_id, price in list(turn.state.offered.items()):
            offers.over(turn, task_id, reason)
            if demand := turn.state.demands.get(task_id):
                _decline(turn, demand, reason, price)
    else:
        look_for_work(turn)


def on_refusal(turn: Turn, peer: NodeId, refusal: Refusal) -> None:
    """Our offer is not taken: the demand is forgotten until it is announced again."""
    if _is_from(turn, peer, refusal.task_id):
        turn.refuse(refusal.task_id, refusal.reason)
        _forget(turn, refusal.task_id, refusal.reason, refusal.price)


def on_withdrawal(turn: Turn, peer: NodeId, withdrawal: Withdrawal) -> None:
    """The task is over."""
    if not _is_from(turn, peer, withdrawal.task_id):
        return
    _forget(turn, withdrawal.task_id)
    _release_if_idle(turn, withdrawal.task_id)


def on_assignment(turn: Turn, peer: NodeId, assignment: Assignment) -> None:
    """Take the work, or say why not."""
    if assignment.subtask_id in turn.state.works:
        return
    if reason := unwanted_assignment(turn, peer, assignment, busy(turn)):
        turn.refuse(assignment.job.task_id, reason)
        no = Refusal(task_id=assignment.job.task_id, reason=reason, subtask_id=assignment.subtask_id)
        turn.ask(Send(to=peer, message=no))
        return
    offers.taken(turn, assignment.job.task_id)
    work, effects = begin(peer, assignment, sources(turn, peer, assignment), turn.now_ms)
    turn.state.works[work.subtask_id] = work
    turn.state.busy[work.subtask_id] = None
    turn.ask(Admit(task_id=assignment.job.task_id, ticket=assignment.ticket), *effects)
    turn.tell("node", "working", subtask=work.subtask_id, requestor=peer, template=assignment.job.template)


def take(turn: Turn, subtask_id: SubtaskId, peer: NodeId | None, event: object) -> None:
    """Advance a piece of work; whoever speaks about it must be its requestor."""
    work = turn.state.works.get(subtask_id)
    if work is None or (peer is not None and work.requestor != peer):
        return
    new, effects = advance(TABLE, work, event)
    turn.state.works[subtask_id] = new
    turn.ask(*effects)
    if work.phase in LIVE and new.phase not in LIVE:
        turn.state.busy.pop(subtask_id, None)
        turn.tell("node", new.phase.value, subtask=subtask_id, reason=new.reason)
        if work.phase is Phase.FETCHING and new.phase is Phase.FAILED:
            turn.note(work.requestor, Deed.BAD_TASK, work.assignment.cap, subtask_id, new.reason)
        look_for_work(turn)
    if new.phase is not Phase.DELIVERED and new.phase not in LIVE:
        _prune(turn, new)


def deceived(turn: Turn, subtask_id: SubtaskId, source: Place) -> None:
    """A gateway sent other bytes than an input's id names: a deed of the requestor's, if it was its own.

    Others are its word only; it could name whom it wants to be blamed.
    """
    work = turn.state.works.get(subtask_id)
    if work is not None and turn.gateway(work.requestor) == source:
        why = "its gateway sent other bytes than its inputs' ids name"
        turn.note(work.requestor, Deed.FALSE_INPUT, work.assignment.cap, subtask_id, why)


def _prune(turn: Turn, work: Work) -> None:
    """Keep the record bounded: the oldest work that is over and owed nothing goes first."""
    if work.assignment.job.task_id not in turn.state.demands:
        _release_if_idle(turn, work.assignment.job.task_id)
    works = turn.state.works
    if len(works) > MAX_WORKS:
        over = next((w for w in works.values() if w.phase not in LIVE | {Phase.DELIVERED, Phase.ACCEPTED}), None)
        if over:
            del works[over.subtask_id]


def _release_if_idle(turn: Turn, task_id: TaskId) -> None:
    """Forget an ended task's content once nothing of it is computed or waits for its verdict."""
    if not is_needed(turn.state, task_id):
        turn.ask(Release(task_id=task_id))


def wait_for(turn: Turn, peer: NodeId) -> None:
    """A peer is gone: if we compute for it, see later whether it came back."""
    if any(turn.state.works[s].requestor == peer for s in turn.state.busy):
        turn.after(turn.settings.forsaken_ms, f"forsaken/{peer}")


def forsaken(turn: Turn, peer: NodeId) -> None:
    """A requestor is gone for long: nobody computes for it any more."""
    gone_s = turn.settings.forsaken_ms // 1000
    for subtask_id in [s for s in turn.state.busy if turn.state.works[s].requestor == peer]:
        take(turn, subtask_id, peer, Forsaken(reason=f"the requestor was gone for {gone_s} s"))
