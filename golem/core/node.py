"""The whole node as one machine: hands each event to whom it concerns. Only routes; decides nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from golem.core import merging, overlay, provider, requestor, settlement, verification
from golem.core.state import NodeState
from golem.core.turn import Policies, Turn
from golem.interfaces import IMarketStrategy, ITaskTemplate
from golem.model import events as e
from golem.model import messages as m
from golem.model.effects import Effect
from golem.model.ids import NodeId, SubtaskId, TaskId


class Core:
    """A node's state, and `step`, which alone changes it. Deterministic: the same events make the same state."""

    def __init__(self, state: NodeState, templates: Mapping[str, ITaskTemplate], strategy: IMarketStrategy) -> None:
        self.state = state
        self._policies = Policies(templates, strategy)

    def step(self, event: e.Event, stamp: e.Stamp) -> list[Effect]:
        """Take one event and say what to do. Raises IllegalTransition where no table allows the event."""
        turn = Turn(self.state, stamp, self._policies)
        _route(turn, event)
        return turn.effects


def _route(turn: Turn, event: e.Event) -> None:
    match event:
        case e.Heard():
            _heard(turn, event.peer, event.message)
        case e.TimerFired():
            _fired(turn, event.name)
        case e.Started() | e.Connected() | e.Lost() | e.TaskSubmitted() | e.TaskCancelled():
            _local(turn, event)
        case _:
            _completed(turn, event)


def _local(
    turn: Turn, event: e.Started | e.Connected | e.Lost | e.TaskSubmitted | e.TaskCancelled
) -> None:
    match event:
        case e.Started():
            turn.state.started = event
            overlay.start(turn)
        case e.Connected():
            overlay.connected(turn, event)
        case e.Lost():
            overlay.lost(turn, event.peer)
        case e.TaskSubmitted():
            requestor.submit(turn, event)
        case e.TaskCancelled():
            requestor.cancel(turn, event.task_id, event)
        case _:
            assert_never(event)


def _heard(turn: Turn, peer: NodeId, message: m.Message) -> None:
    match message:
        case m.Delivery() | m.Failure():
            requestor.on_answer(turn, peer, message)
        case m.Refusal():
            _refused(turn, peer, message)
        case m.Acceptance() | m.Rejection() | m.Cancellation():
            provider.on_verdict(turn, peer, message)
        case m.Assignment():
            provider.on_assignment(turn, peer, message)
        case m.Offer():
            requestor.on_offer(turn, peer, message)
        case _:
            _news(turn, peer, message)


def _refused(turn: Turn, peer: NodeId, message: m.Refusal) -> None:
    if message.subtask_id is None:
        provider.on_refusal(turn, message)
    else:
        requestor.on_answer(turn, peer, message)


def _news(turn: Turn, peer: NodeId, message: m.Demand | m.Withdrawal | m.PeerList) -> None:
    match message:
        case m.Demand():
            provider.on_demand(turn, peer, message)
        case m.Withdrawal():
            provider.on_withdrawal(turn, message)
        case m.PeerList():
            overlay.on_peers(turn, message)
        case _:
            assert_never(message)


def _fired(turn: Turn, name: str) -> None:
    kind, _, subject = name.partition("/")
    match kind:
        case "lease":
            requestor.lapse(turn, SubtaskId(subject), "the deadline passed")
        case "vanished":
            requestor.vanished(turn, NodeId(subject))
        case "settle":
            settlement.on_timer(turn)
        case "observe":
            provider.observe(turn)
        case "overlay":
            overlay.keep_up(turn)
            provider.look_for_work(turn)
        case _:
            _task_timer(turn, kind, TaskId(subject))


def _task_timer(turn: Turn, kind: str, task_id: TaskId) -> None:
    match kind:
        case "offers":
            requestor.pick(turn, task_id)
        case "demand":
            requestor.announce(turn, turn.state.boards[task_id])
        case "deadline":
            requestor.expire(turn, task_id)
        case _:
            raise AssertionError(f"no timer of that name: {kind}")


def _completed(turn: Turn, event: e.Completion) -> None:
    kind, _, rest = event.key.partition("/")
    match event:
        case e.Executed():
            _executed(turn, event)
        case e.Fetched() | e.Failed() if kind in ("result", "input"):
            _transferred(turn, kind, SubtaskId(rest.partition("/")[0]), event)
        case e.Published():
            requestor.on_published(turn, event)
        case e.Exported():
            merging.on_exported(turn, event)
        case e.Observed():
            requestor.on_funds(turn, event) if kind == "funds" else provider.on_income(turn, event)
        case e.Deposited():
            requestor.on_deposited(turn, event)
        case e.Paid():
            settlement.on_paid(turn, event)
        case e.Failed():
            _failed(turn, kind, event)


def _transferred(turn: Turn, kind: str, subtask_id: SubtaskId, event: e.Fetched | e.Failed) -> None:
    if kind == "input":
        provider.take(turn, subtask_id, None, event)
    else:
        verification.take(turn, turn.state.subtasks[subtask_id], event)


def _executed(turn: Turn, event: e.Executed) -> None:
    kind, subject = turn.state.errands.pop(event.key, ("work", event.key))
    match kind:
        case "check":
            verification.on_check(turn, SubtaskId(subject), event)
        case "merge":
            merging.on_merged(turn, subject, event)
        case _:
            provider.on_executed(turn, SubtaskId(subject), event)


def _failed(turn: Turn, kind: str, event: e.Failed) -> None:
    match kind:
        case "resource" | "funds" | "deposit" | "export":
            requestor.on_failed(turn, event)
        case "income":
            provider.on_blind(turn)
        case _:
            settlement.on_failed(turn, event)
