"""The two sides of money, by what brings them up: what we owe (`settlement`, `recall`), and what we earn (`income`)."""

from __future__ import annotations

from typing import assert_never

from golem.core import hiring, income, recall, settlement
from golem.core.turn import Turn
from golem.model.events import Failed, Observed, PayersFound
from golem.model.ids import NodeId
from golem.model.messages import Acceptance, Cancellation, Delay, Rejection, Reminder

Said = Acceptance | Rejection | Cancellation | Reminder | Delay


def heard(turn: Turn, peer: NodeId, message: Said) -> None:
    """A requestor has decided about our work, or says when it pays; or a provider shows what we have signed."""
    match message:
        case Acceptance() | Rejection() | Cancellation():
            income.on_verdict(turn, peer, message)
        case Delay():
            income.on_delay(turn, peer, message)
        case Reminder():
            recall.on_reminder(turn, peer, message)
        case _:
            assert_never(message)


def fired(turn: Turn, name: str) -> None:
    """It is time to pay, to see who has paid, or to look again at what a payee was paid."""
    kind, _, subject = name.partition("/")
    match kind:
        case "settle":
            settlement.on_timer(turn)
        case "observe":
            income.observe(turn)
        case _:
            recall.look(turn, subject)


def seen(turn: Turn, event: Observed) -> None:
    """The chain was looked at, for our income or for what a payee was paid."""
    if event.key.startswith("pair/"):
        hiring.known(turn, recall.on_seen(turn, event))
    else:
        income.on_income(turn, event)


def found(turn: Turn, event: PayersFound) -> None:
    """The chain's history tells who has paid us."""
    recall.on_payers(turn, event)


def unseen(turn: Turn, event: Failed) -> None:
    """The chain could not be looked at."""
    if event.key.startswith("pair/"):
        recall.on_blind(turn, event)
    else:
        income.on_blind(turn, event)
