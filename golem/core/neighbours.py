"""What passes between neighbours and is no business of two nodes: who is near, which tasks are open, who is trusted."""

from __future__ import annotations

from typing import assert_never

from golem.core import checking, epochs, overlay, provider
from golem.core.hiring import greet
from golem.core.income import remind
from golem.core.turn import Turn
from golem.model.events import Connected
from golem.model.ids import NodeId
from golem.model.messages import Demand, Opinions, PeerList, Share, Withdrawal

News = Demand | Withdrawal | PeerList | Share | Opinions


def start(turn: Turn) -> None:
    """The node runs, and with it what an earlier run had begun."""
    checking.resume(turn)
    overlay.start(turn)
    epochs.start(turn)


def connected(turn: Turn, event: Connected) -> None:
    """A session stands: exchange what we know, and say which tasks of ours are open."""
    overlay.connected(turn, event)
    remind(turn, event)
    greet(turn, event.peer)


def lost(turn: Turn, peer: NodeId) -> None:
    """A session ended."""
    overlay.lost(turn, peer)


def fired(turn: Turn, kind: str) -> None:
    """It is time to look around, or for a round of gossip."""
    if kind == "gossip":
        epochs.on_timer(turn)
    else:
        overlay.keep_up(turn)
        provider.look_for_work(turn)


def heard(turn: Turn, peer: NodeId, message: News) -> None:
    """A neighbour tells something that is not meant for us alone."""
    match message:
        case Demand():
            provider.on_demand(turn, peer, message)
        case Withdrawal():
            provider.on_withdrawal(turn, peer, message)
        case PeerList():
            overlay.on_peers(turn, peer, message)
        case Share():
            epochs.on_share(turn, peer, message)
        case Opinions():
            epochs.on_opinions(turn, peer, message)
        case _:
            assert_never(message)
