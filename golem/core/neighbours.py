"""What passes between neighbours and is no business of two nodes: who is near, which tasks are open, who is trusted."""

from __future__ import annotations

from typing import assert_never

from golem.core import checking, epochs, overlay, provider, tree
from golem.core.admission import readmit
from golem.core.hiring import greet, moved
from golem.core.income import remind
from golem.core.turn import Turn
from golem.model.events import Connected, Located
from golem.model.ids import NodeId
from golem.model.messages import Demand, Digest, Graft, Opinions, PeerList, Prune, Share, Withdrawal

News = Demand | Withdrawal | Digest | Graft | Prune | PeerList | Share | Opinions


def start(turn: Turn) -> None:
    """The node runs, and with it what an earlier run had begun."""
    checking.resume(turn)
    readmit(turn)
    epochs.start(turn)
    overlay.start(turn)


def connected(turn: Turn, event: Connected) -> None:
    """A session stands: exchange what we know, and say which tasks of ours are open."""
    overlay.connected(turn, event)
    tree.connected(turn, event.peer)
    remind(turn, event)
    greet(turn, event.peer)


def located(turn: Turn, event: Located) -> None:
    """Others reach us elsewhere from now on, or it is known now that they do."""
    if event.address != turn.started.address:
        moved(turn, event.address)
    overlay.located(turn, is_proved=event.is_proved)


def lost(turn: Turn, peer: NodeId) -> None:
    """A session ended."""
    overlay.lost(turn, peer)
    tree.lost(turn, peer)


def fired(turn: Turn, kind: str) -> None:
    """It is time to look around, for news that wait, or for a round of gossip."""
    match kind:
        case "gossip":
            epochs.on_timer(turn)
        case "trim":
            overlay.trim(turn)
        case "digest":
            tree.on_digest_timer(turn)
        case "graft":
            tree.on_graft_timer(turn)
        case _:
            overlay.keep_up(turn)
            provider.look_for_work(turn)


def heard(turn: Turn, peer: NodeId, message: News) -> None:
    """A neighbour tells something that is not meant for us alone."""
    match message:
        case Demand() | Withdrawal():
            _news(turn, peer, message)
        case Digest() | Graft() | Prune():
            _of_the_tree(turn, peer, message)
        case PeerList():
            overlay.on_peers(turn, peer, message)
        case Share():
            epochs.on_share(turn, peer, message)
        case Opinions():
            epochs.on_opinions(turn, peer, message)
        case _:
            assert_never(message)


def _news(turn: Turn, peer: NodeId, news: Demand | Withdrawal) -> None:
    """A task is open, or over: pass it on, once, and see what it means for us."""
    if isinstance(news, Withdrawal) and news.requestor is None:
        provider.on_withdrawal(turn, peer, news)
    elif not tree.take(turn, peer, news):
        return
    elif isinstance(news, Demand):
        provider.on_demand(turn, news)
    else:
        provider.on_withdrawal(turn, tree.author_of(news, peer), news)


def _of_the_tree(turn: Turn, peer: NodeId, message: Digest | Graft | Prune) -> None:
    match message:
        case Digest():
            tree.on_digest(turn, peer, message)
        case Graft():
            tree.on_graft(turn, peer, message)
        case _:
            tree.on_prune(turn, peer)
