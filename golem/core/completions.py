"""Where the completion of an effect goes, and what comes before it, by the key that the effect was given."""

from __future__ import annotations

from golem.core import attempts, errands, income, merging, provider, purse, requestor, settlement
from golem.core.turn import Turn
from golem.model import events as e
from golem.model.ids import SubtaskId
from golem.model.spec import Outcome, Status


def completed(turn: Turn, event: e.Completion | e.Deceived) -> None:
    """An effect has ended, one way or the other: hand its event to whom it concerns."""
    kind, _, rest = event.key.partition("/")
    if isinstance(event, e.Fetched | e.Failed | e.Deceived) and kind in ("result", "input"):
        _transferred(turn, kind, SubtaskId(rest.partition("/")[0]), event)
        return
    match event:
        case e.Executed():
            errands.executed(turn, event)
        case e.Published():
            requestor.on_published(turn, event)
        case e.Exported():
            merging.on_exported(turn, event)
        case e.Observed():
            requestor.on_funds(turn, event) if kind == "funds" else purse.seen(turn, event)
        case e.Deposited() | e.Paid() | e.Claimed() | e.Withdrawn():
            _moved(turn, event)
        case _:
            _failed(turn, kind, event)


def _moved(turn: Turn, event: e.Deposited | e.Paid | e.Claimed | e.Withdrawn) -> None:
    turn.state.gas += event.receipt.fee
    match event:
        case e.Deposited():
            requestor.on_deposited(turn, event)
        case e.Paid():
            settlement.on_paid(turn, event)
        case e.Claimed():
            income.on_claimed(turn, event)
        case _:
            income.on_withdrawn(turn, event)


def _transferred(turn: Turn, kind: str, subtask_id: SubtaskId, event: e.Fetched | e.Failed | e.Deceived) -> None:
    if isinstance(event, e.Deceived):
        (provider if kind == "input" else attempts).deceived(turn, subtask_id, event.source)
    elif kind == "input":
        provider.take(turn, subtask_id, None, event)
    else:
        attempts.take(turn, turn.state.subtasks[subtask_id], event)


def _failed(turn: Turn, kind: str, event: e.Fetched | e.Failed | e.Deceived) -> None:
    if not isinstance(event, e.Failed):
        raise AssertionError(f"nobody asked for {event.key}")
    match kind:
        case "resource" | "funds" | "deposit" | "export":
            requestor.on_failed(turn, event)
        case "income" | "pair":
            purse.unseen(turn, event)
        case "claim" | "withdraw":
            income.on_failed(turn, event)
        case "preview" | "exhibit":
            turn.tell(event.key.split("/")[1], f"no {kind}", reason=event.detail)
        case _ if event.key in turn.state.errands or event.key in turn.state.works:
            fault = Outcome(status=Status.FAULT, detail=event.detail)  # the computer itself broke down under a job
            errands.executed(turn, e.Executed(key=event.key, outcome=fault))
        case _:
            settlement.on_failed(turn, event)
