"""The two sides of money, by what brings them up: what we owe (`settlement`), and what we earn (`income`)."""

from __future__ import annotations

from golem.core import income, settlement
from golem.core.turn import Turn
from golem.model.ids import NodeId
from golem.model.messages import Acceptance, Cancellation, Rejection


def heard(turn: Turn, peer: NodeId, message: Acceptance | Rejection | Cancellation) -> None:
    """A requestor has decided about our work."""
    income.on_verdict(turn, peer, message)


def fired(turn: Turn, kind: str) -> None:
    """It is time to pay, or to see who has paid."""
    if kind == "settle":
        settlement.on_timer(turn)
    else:
        income.observe(turn)
