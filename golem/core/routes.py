"""Hands each event to whom it concerns. Only routes; decides nothing itself."""

from __future__ import annotations

from typing import assert_never

from golem.core import hiring, leases, neighbours, offers, provider, purse, requestor
from golem.core.completions import completed
from golem.core.turn import Turn
from golem.model import events as e
from golem.model import messages as m
from golem.model.ids import NodeId, SubtaskId, TaskId

Local = e.Started | e.Connected | e.Lost | e.TaskSubmitted | e.TaskCancelled | e.Rested | e.PayersFound
"""What happens to a node itself, be it its user's doing or its machine's."""


def route(turn: Turn, event: e.Event) -> None:
    """Have an event change the state, and ask for what follows."""
    match event:
        case e.Heard():
            _heard(turn, event.peer, event.message)
        case e.TimerFired():
            _fired(turn, event.name)
        case e.Located():
            neighbours.located(turn, event)
        case e.Gauged():
            offers.gauged(turn, event)
        case (
            e.Started()
            | e.Connected()
            | e.Lost()
            | e.TaskSubmitted()
            | e.TaskCancelled()
            | e.Rested()
            | e.PayersFound()
        ):
            _local(turn, event)
        case _:
            completed(turn, event)


def _local(turn: Turn, event: Local) -> None:
    match event:
        case e.Started():
            turn.state.started, turn.state.dealings.strategy_problem = event, ""
            neighbours.start(turn)
        case e.Connected():
            neighbours.connected(turn, event)
        case e.Lost():
            neighbours.lost(turn, event.peer)
        case e.TaskSubmitted():
            requestor.submit(turn, event)
        case e.Rested():
            provider.rest(turn, event.reason)
        case e.TaskCancelled():
            requestor.cancel(turn, event.task_id, event)
        case e.PayersFound():
            purse.found(turn, event)
        case _:
            assert_never(event)


def _heard(turn: Turn, peer: NodeId, message: m.Message) -> None:
    match message:
        case m.Delivery() | m.Failure():
            leases.on_answer(turn, peer, message)
        case m.Refusal():
            _refused(turn, peer, message)
        case m.Acceptance() | m.Rejection() | m.Cancellation() | m.Reminder() | m.Delay():
            purse.heard(turn, peer, message)
        case m.Assignment():
            provider.on_assignment(turn, peer, message)
        case m.Offer():
            hiring.on_offer(turn, peer, message)
        case m.Progress():
            pass  # for people: the shell shows it, and nothing follows from it
        case _:
            neighbours.heard(turn, peer, message)


def _refused(turn: Turn, peer: NodeId, message: m.Refusal) -> None:
    if message.subtask_id is not None:
        leases.on_answer(turn, peer, message)
    elif message.task_id in turn.state.boards:
        hiring.on_decline(turn, peer, message)
    else:
        provider.on_refusal(turn, peer, message)


def _fired(turn: Turn, name: str) -> None:
    kind, _, subject = name.partition("/")
    match kind:
        case "lease":
            leases.lapse(turn, SubtaskId(subject))
        case "vanished":
            leases.vanished(turn, NodeId(subject))
            provider.wait_for(turn, NodeId(subject))
        case "forsaken":
            provider.forsaken(turn, NodeId(subject))
        case "settle" | "observe" | "pair":
            purse.fired(turn, name)
        case "overlay" | "gossip" | "digest" | "graft" | "trim":
            neighbours.fired(turn, kind)
        case _:
            _task_timer(turn, kind, TaskId(subject))


def _task_timer(turn: Turn, kind: str, task_id: TaskId) -> None:
    match kind:
        case "offers":
            hiring.pick(turn, task_id)
        case "demand":
            hiring.announce(turn, turn.state.boards[task_id])
        case "deadline":
            requestor.expire(turn, task_id)
        case _:
            raise AssertionError(f"no timer of that name: {kind}")
