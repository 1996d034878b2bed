"""Who is near: sessions wanted, kept and found again.

A node wants sixteen sessions that it dialled itself: others can't take those from it. It learns where to dial from
bootstrap nodes and from records that nodes sign and pass on (`golem.core.near`), takes two of one /24 at most, and
dials into each /24 once a minute at most. Every second dial goes to a place where that node answered before, and after
a restart those it had dialled come first. Of those who dial it, half of the room is for who was met first: a crowd that
comes later pushes nobody out. Every two minutes it looks at a place that it only heard of, so that it knows of places
that are sure when it needs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from golem.core import epochs
from golem.core.near import confirm, crowded, forget_old, learn, may_dial
from golem.core.places import Width, gateway_of, home, is_relayed, may_send, prefix
from golem.core.rumours import Known
from golem.core.state import Peer
from golem.core.turn import Turn
from golem.model.effects import ClearTimer, Dial, Drop, Whisper
from golem.model.events import Connected
from golem.model.ids import NodeId, derive
from golem.model.messages import MAX_TOLD, Assignment, PeerList, PeerRecord, Place
from golem.model.value import evolve

OUTBOUND = 16  # sessions that we dial; of 14 drawn where half of all are one owner's, two are others' in 99.9 %
MAX_IDLE = 48  # sessions that others dialled and that we have no business with; more are sent on
MAX_OLD = MAX_IDLE // 2  # of these, who was met first
MAX_PEERS = 10_000  # nodes we have dealt with and remember the account of
INTRODUCED = 3  # neighbours that are told of a newcomer at once
TRIM_MS = 1_000  # for those who are too many to hear of others, and to say what they came for
KEEP_UP_MS = 10_000
DIALLING_MS = 10_000  # a handshake takes no longer
SHUFFLE_MS = 60_000  # a neighbour is told some of what we know about as often
FEEL_MS = 120_000  # between two looks at a place that we only heard of
LONELY_MS = 500  # without any session; a node that starts before its bootstrap node joins soon after it; then doubled


def start(turn: Turn) -> None:
    """Sessions of an earlier run are gone: look again for neighbours of our choice, and for those we have work with.

    Who dialled us comes by itself: a restart makes nobody our choice who was not.
    """
    turn.state.near.tries_alone = 0
    turn.state.near.dialling.clear()
    turn.state.near.is_proved = False
    for node, peer in _here(turn).items():
        _gone(turn, node, peer)
        if peer.dialled or has_business(turn, node):
            dial(turn, peer.address)
    keep_up(turn)


def keep_up(turn: Turn) -> None:
    """Dial when there are fewer sessions than wanted, send on those who are too many, and tell what we know."""
    near, here = turn.state.near, _here(turn)
    forget_old(near, turn.now_ms)
    _let_go(turn, here)
    if not here:
        near.dialling.clear()
    if _missing(turn, here) > 0:
        _fill(turn, here)
    else:
        _feel(turn, here)
    if here and turn.now_ms % SHUFFLE_MS < KEEP_UP_MS:
        chosen = min(here, key=lambda node: derive(turn.salt.hex(), node))
        turn.ask(Whisper(to=(chosen,), message=_told(turn, chosen)))
    tries = near.tries_alone = 0 if here else near.tries_alone + 1
    turn.after(min(KEEP_UP_MS, LONELY_MS << min(tries - 1, 8)) if tries else KEEP_UP_MS, "overlay")


def dial(turn: Turn, address: Place) -> bool:
    """Dial an address that another node told us, if we may go there; says whether."""
    if not may_send(own(turn), address) or not may_dial(turn.state.near, address, turn.now_ms):
        return False
    _dial(turn, address)
    return True


def _dial(turn: Turn, address: Place) -> None:
    turn.state.near.dialling[address] = turn.now_ms
    turn.ask(Dial(address=address))


def own(turn: Turn) -> Width:
    """How far the network reaches that this node takes part in."""
    return home((turn.started.address, *turn.settings.bootstrap))


def sources(turn: Turn, requestor: NodeId, assignment: Assignment) -> tuple[Place, ...]:
    """The gateways that have an assignment's inputs, of those that we may be sent to: the requestor's first."""
    return (turn.gateway(requestor), *(place for place in assignment.sources if may_send(own(turn), place)))


def _here(turn: Turn) -> dict[NodeId, Peer]:
    return {node: peer for node, peer in turn.state.peers.items() if peer.is_connected}


def _missing(turn: Turn, here: dict[NodeId, Peer]) -> int:
    """How many sessions more are wanted, with those that are dialled now; below 0, there are some to spare."""
    dialling = turn.state.near.dialling
    for place in [place for place, since_ms in dialling.items() if turn.now_ms - since_ms >= DIALLING_MS]:
        del dialling[place]
    return OUTBOUND - sum(peer.dialled for peer in here.values()) - len(dialling)


def _candidates(turn: Turn, here: dict[NodeId, Peer], wanted: int) -> list[Place]:
    """Whom to dial: bootstrap nodes while we know nobody better, then others by chance, those we are sure of first."""
    state = turn.state
    there = {turn.started.address, *(peer.address for peer in here.values()), *state.near.dialling}
    crowd: dict[str, int] = {}
    for peer in here.values():
        crowd[prefix(peer.address)] = crowd.get(prefix(peer.address), 0) + 1
    is_poor = min(len(here), len(state.near.records)) < OUTBOUND
    found = [place for place in turn.settings.bootstrap if is_poor and place not in there][:wanted]
    known = [known for known in state.near.records.values() if known.record.address not in there]
    for place in _by_chance(turn, known):
        if len(found) >= wanted:
            break
        if place in found or crowded(crowd, place) or not may_dial(state.near, place, turn.now_ms):
            continue
        crowd[prefix(place)] = crowd.get(prefix(place), 0) + 1
        found.append(place)
    return found


def _by_chance(turn: Turn, among: Iterable[Known]) -> list[Place]:
    """Their places, in an order that nobody can foresee; one that is sure and one that is not in turn."""
    drawn = sorted(among, key=lambda known: derive(turn.salt.hex(), turn.now_ms, known.record.node))
    turns = Counter[bool]()
    order: list[tuple[int, Place]] = []
    for known in drawn:
        turns[known.is_sure] += 1
        order.append((2 * turns[known.is_sure] - known.is_sure, known.record.address))
    return [place for _, place in sorted(order)]


def _feel(turn: Turn, here: dict[NodeId, Peer]) -> None:
    """With sessions enough: look whether a place that we only heard of is what it is said to be."""
    near = turn.state.near
    if turn.now_ms - near.felt_ms < FEEL_MS:
        return
    unsure = [known for node, known in near.records.items() if not known.is_sure and node not in here]
    for place in _by_chance(turn, unsure):
        if may_dial(near, place, turn.now_ms):
            near.feeler, near.felt_ms = place, turn.now_ms
            _dial(turn, place)
            return


def trim(turn: Turn) -> None:
    """Those who came to us beyond what we carry have been told of others by now, and go there.

    Half of the room is for those we met first; of the others go those of the fullest network, then whom chance picks,
    for who came first must not keep all others out.
    """
    here = _here(turn)
    idle = {node: prefix(here[node].address) for node in _idle(turn, here) if not here[node].dialled}
    for node in sorted(idle, key=lambda node: here[node].met_ms)[:MAX_OLD]:
        del idle[node]
    crowd = Counter(idle.values())
    crowd[""] = 1  # a local network has no prefixes

    def claim(node: NodeId) -> tuple[int, str]:
        return crowd[idle[node]], derive(turn.salt.hex(), turn.now_ms, node)

    for node in sorted(idle, key=claim)[MAX_IDLE - MAX_OLD :]:
        turn.ask(Drop(peer=node, why="neighbours enough; you know of others now"))


def _let_go(turn: Turn, here: dict[NodeId, Peer]) -> None:
    """Of those that we dialled while we had too few, one at a time."""
    idle = _idle(turn, here)
    ours = {node: prefix(here[node].address) for node in idle if here[node].dialled}
    if len(ours) > OUTBOUND:
        crowd = Counter(ours.values())
        last = max(ours, key=lambda node: (crowd[ours[node]] if ours[node] else 0, here[node].met_ms))
        turn.ask(Drop(peer=last, why="neighbours enough"))


def _idle(turn: Turn, here: dict[NodeId, Peer]) -> list[NodeId]:
    return [node for node in here if not has_business(turn, node)]


def has_business(turn: Turn, node: NodeId) -> bool:
    """Whether we work for a node or it works for us, or either wants to."""
    state = turn.state
    return (
        any(node in board.offers for board in state.boards.values())
        or any(state.works[subtask_id].requestor == node for subtask_id in state.busy)
        or any(state.demands[task].requestor == node for task in state.offered if task in state.demands)
    )


def _told(turn: Turn, peer: NodeId) -> PeerList:
    """Our own record and some others, other ones each time."""
    others = [known.record for node, known in turn.state.near.records.items() if node != peer]
    some = sorted(others, key=lambda record: derive(turn.salt.hex(), turn.now_ms, record.node))
    return PeerList(peers=(*_own_record(turn), *some[: MAX_TOLD - 1]))


def _own_record(turn: Turn) -> tuple[PeerRecord, ...]:
    """Where we listen, once somebody came in there: until then it would only have others dial in vain."""
    started = turn.started
    if not turn.state.near.is_proved or is_relayed(started.address):
        return ()
    return (PeerRecord(node=started.node_id, address=started.address, at_ms=turn.now_ms),)


def located(turn: Turn, *, is_proved: bool) -> None:
    """Others get in where we listen, or they do not: neighbours are told where that is as soon as it is known."""
    turn.state.near.is_proved = is_proved
    if (record := _own_record(turn)) and (here := tuple(_here(turn))):
        turn.ask(Whisper(to=here, message=PeerList(peers=record)))


def _introduce(turn: Turn, newcomer: NodeId, here: dict[NodeId, Peer]) -> None:
    """Tell some neighbours of a node that has just come; one that has too few sessions dials it."""
    some = sorted(here.keys() - {newcomer}, key=lambda node: derive(turn.salt.hex(), node))[:INTRODUCED]
    if some:
        record = turn.state.near.records[newcomer].record
        turn.ask(Whisper(to=tuple(some), message=PeerList(peers=(record,))))


def connected(turn: Turn, e: Connected) -> None:
    """A session stands: exchange what we know."""
    peers, near = turn.state.peers, turn.state.near
    if e.peer not in peers and len(peers) >= MAX_PEERS:
        gone = next((node for node, peer in peers.items() if not peer.is_connected), None)
        if gone:
            del peers[gone]
    before = peers.pop(e.peer, None)  # the latest stand last
    peers[e.peer] = Peer(
        address=e.address,
        gateway=gateway_of(own(turn), e.gateway, e.host),
        payee=e.payee,
        is_connected=True,
        dialled=e.dialled,
        met_ms=before.met_ms if before else turn.now_ms,
    )
    near.dialling.pop(e.address, None)
    if e.dialled:
        confirm(near, e.peer, e.address)
    turn.ask(*(ClearTimer(name=f"{what}/{e.peer}") for what in ("vanished", "forsaken")))
    turn.ask(Whisper(to=(e.peer,), message=_told(turn, e.peer)))
    turn.tell("node", "connected", peer=e.peer, address=e.address)
    epochs.connected(turn, e.peer)
    if not e.dialled and sum(not peer.dialled for peer in _here(turn).values()) > MAX_IDLE:
        turn.after(TRIM_MS, "trim")
    if e.dialled and e.address == near.feeler:
        near.feeler = ""
        if _missing(turn, _here(turn)) < 0 and not has_business(turn, e.peer):
            turn.ask(Drop(peer=e.peer, why="only a look whether you are there"))


def lost(turn: Turn, node: NodeId) -> None:
    """A session ended. One that we work for, or our last, is sought again: a line that broke is soon whole."""
    peer = turn.state.peers.get(node)
    if peer is None:
        return
    _gone(turn, node, peer)
    if has_business(turn, node) or not _here(turn):
        dial(turn, peer.address)


def _gone(turn: Turn, node: NodeId, peer: Peer) -> None:
    """A peer has a grace to come back before its subtasks go to others."""
    turn.state.peers[node] = evolve(peer, is_connected=False)
    epochs.lost(turn, node)
    turn.after(turn.settings.lease_grace_ms, f"vanished/{node}")
    turn.tell("node", "lost", peer=node)


def on_peers(turn: Turn, source: NodeId, message: PeerList) -> None:
    """Records to keep. Who dialled us does not choose for us: only a peer of our choice has us dial at once."""
    state, wide = turn.state, own(turn)
    me, is_new = turn.started.node_id, source not in state.near.records
    has_learnt = [learn(state.near, r, source, wide, turn.now_ms) for r in message.peers if r.node != me]
    teller = state.peers.get(source)
    if teller and teller.dialled:
        confirm(state.near, source, teller.address)
    here = _here(turn)
    if is_new and source in state.near.records:
        _introduce(turn, source, here)
    if any(has_learnt) and teller and teller.dialled:
        _fill(turn, here)


def _fill(turn: Turn, here: dict[NodeId, Peer]) -> None:
    """Dial as many as are missing."""
    wanted = _missing(turn, here)
    for address in _candidates(turn, here, wanted) if wanted > 0 else ():
        _dial(turn, address)
