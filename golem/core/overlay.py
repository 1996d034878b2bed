"""Who is near: sessions wanted, kept and found again. Bootstrap addresses and what peers tell are enough here."""

from __future__ import annotations

from golem.core import epochs
from golem.core.state import Peer
from golem.core.turn import Turn
from golem.model.effects import ClearTimer, Dial, Send
from golem.model.events import Connected
from golem.model.ids import NodeId
from golem.model.messages import PeerList

WANTED = 8  # sessions; with 5, small islands form at 10,000 nodes (docs/protocol.md, Overlay)
MAX_ADDRESSES = 1_024
MAX_PEERS = 10_000  # nodes we have dealt with and remember the account of
TOLD = 16  # addresses in one peer list
KEEP_UP_MS = 10_000
LONELY_MS = 500  # without any session; a node that starts before its bootstrap node joins soon after it; then doubled


def start(turn: Turn) -> None:
    """Sessions of an earlier run are gone; look for new ones."""
    for node, peer in turn.state.peers.items():
        if peer.is_connected:
            lost(turn, node)
    keep_up(turn)


def keep_up(turn: Turn) -> None:
    """Dial when there are fewer sessions than wanted: bootstrap nodes first, then others, each in its turn."""
    connected = {peer.address for peer in turn.state.peers.values() if peer.is_connected}
    wanted = max(0, WANTED - len(connected))
    heard_of = list(turn.state.addresses)
    first = turn.now_ms // KEEP_UP_MS % max(1, len(heard_of))  # the dead must not keep the living from a try
    known = dict.fromkeys([*turn.settings.bootstrap, *heard_of[first:], *heard_of[:first]])
    for address in [a for a in known if a not in connected and a != turn.started.address][:wanted]:
        turn.ask(Dial(address=address))
    tries = turn.state.tries_alone = 0 if connected else turn.state.tries_alone + 1
    turn.after(min(KEEP_UP_MS, LONELY_MS << min(tries - 1, 8)) if tries else KEEP_UP_MS, "overlay")


def connected(turn: Turn, e: Connected) -> None:
    """A session stands: exchange what we know."""
    peers = turn.state.peers
    if e.peer not in peers and len(peers) >= MAX_PEERS:
        gone = next((node for node, peer in peers.items() if not peer.is_connected), None)
        if gone:
            del peers[gone]
    near = tuple((node, p.address) for node, p in peers.items() if p.is_connected and p.address)[-TOLD:]
    peers[e.peer] = Peer(address=e.address, gateway=e.gateway, payee=e.payee, is_connected=True)
    turn.ask(*(ClearTimer(name=f"{what}/{e.peer}") for what in ("vanished", "forsaken")))
    turn.ask(Send(to=e.peer, message=PeerList(peers=near)))
    turn.tell("node", "connected", peer=e.peer, address=e.address)
    epochs.connected(turn, e.peer)


def lost(turn: Turn, node: NodeId) -> None:
    """A session ended; the peer has a grace to come back before its subtasks go to others."""
    peer = turn.state.peers.get(node)
    if peer is None:
        return
    turn.state.peers[node] = Peer(address=peer.address, gateway=peer.gateway, payee=peer.payee, is_connected=False)
    epochs.lost(turn, node)
    if peer.address:
        turn.ask(Dial(address=peer.address))  # a line that broke is whole again within the grace
    turn.after(turn.settings.lease_grace_ms, f"vanished/{node}")
    turn.tell("node", "lost", peer=node)


def on_peers(turn: Turn, message: PeerList) -> None:
    """Addresses to try, if we need any."""
    for node, address in message.peers:
        if node != turn.started.node_id and address and len(turn.state.addresses) < MAX_ADDRESSES:
            turn.state.addresses[address] = node
    if sum(peer.is_connected for peer in turn.state.peers.values()) < WANTED:
        for node, address in message.peers:
            peer = turn.state.peers.get(node)
            if node != turn.started.node_id and address and not (peer and peer.is_connected):
                turn.ask(Dial(address=address))
