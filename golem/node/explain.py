"""Why a task waits: every node that we know, counted under one reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from golem.core.board import MAX_WAITING
from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.core.task import LIVE, Board, Phase
from golem.model.ids import NodeId
from golem.model.messages import Reason
from golem.model.money import show_ether
from golem.model.spec import Chunk

Record = Mapping[str, object]
Said = tuple[str, str]
"""A reason, and who says so: "this node", "providers" or "requestors"."""

HERE, PROVIDERS = "this node", "providers"
MOST_NAMED = 8  # chunks of a group that are named
HEADLINES = {
    Phase.FUNDING: "the budget is not reserved yet: the chain has not answered",
    Phase.PUBLISHING: "its files are being put into the store",
    Phase.PREPARING: "a job of this node's own looks at its files first",
}
UNCHECKED = "so many results wait for their checks that no more work is given out before"
STATES = ("accepted", "verifying", "computing", "waiting")


def task(state: NodeState, board: Board, chunks: Sequence[Chunk]) -> Record:
    """Where every chunk of a task is, and for those that wait, what every known node says. All counts add up."""
    states = _states(state, board)
    groups = _groups(state, board, chunks, states)
    return {
        "task_id": board.task.task_id,
        "phase": board.task.phase.value,
        "reason": board.task.reason or _headline(state, board),
        "chunks": len(states),
        **{name: states.count(name) for name in STATES},
        "peers": len(_known(state, board)),
        "groups": groups,
        "advice": _advice(board) if groups else [],
    }


def _headline(state: NodeState, board: Board) -> str:
    if board.task.phase is Phase.OPEN and board.pending and len(state.to_check) >= MAX_WAITING:
        return UNCHECKED
    return HEADLINES.get(board.task.phase, "")


def _states(state: NodeState, board: Board) -> list[str]:
    """Of every chunk, the furthest that it has come."""
    found = ["waiting" if board.task.phase in LIVE else "given up"] * board.task.chunks
    for sid in board.open:
        subtask = state.subtasks[sid]
        if subtask.phase is not Attempt.ASSIGNED:
            found[subtask.chunk] = "verifying"
        elif found[subtask.chunk] != "verifying":
            found[subtask.chunk] = "computing"
    for chunk in board.accepted:
        found[chunk] = "accepted"
    return found


def _known(state: NodeState, board: Board) -> list[NodeId]:
    return list(dict.fromkeys([*state.peers, *board.offers, *board.agreements, *board.refused, *board.declined]))


def _groups(state: NodeState, board: Board, chunks: Sequence[Chunk], states: Sequence[str]) -> list[Record]:
    """Waiting chunks, together where every node says the same about them; the largest group first."""
    if board.task.phase is not Phase.OPEN:
        return []
    alike: dict[frozenset[NodeId], list[int]] = {}
    for chunk in [chunk for chunk in dict.fromkeys(reversed(board.pending)) if states[chunk] == "waiting"]:
        alike.setdefault(frozenset(board.tried.get(chunk, ())), []).append(chunk)
    nodes = _known(state, board)
    return [
        {
            "chunks": len(waiting),
            "which": [chunks[chunk].label for chunk in waiting[:MOST_NAMED]],
            "reasons": counted(_stance(state, board, node, tried) for node in nodes),
        }
        for tried, waiting in sorted(alike.items(), key=lambda item: (-len(item[1]), item[1][0]))
    ]


def counted(said: Iterable[Said]) -> list[Record]:
    """Each reason once, the most frequent first."""
    return [
        {"reason": reason, "count": count, "by": by}
        for (reason, by), count in sorted(Counter(said).items(), key=lambda item: (-item[1], item[0]))
    ]


def _stance(state: NodeState, board: Board, node: NodeId, tried: frozenset[NodeId]) -> Said:
    """The one reason for which a node does not compute a waiting chunk."""
    agreement, peer = board.agreements.get(node), state.peers.get(node)
    if agreement is not None and not agreement.is_paused:
        if len(agreement.live) >= agreement.offer.slots:
            return "all the slots it offered work on this task", HERE
        if node in tried:
            return "it has failed this chunk already", HERE
        return "it has a free slot and is given work next", HERE
    if node in board.declined:
        return board.declined[node].reason.value, PROVIDERS
    if node in board.offers:
        late = "the chain is asked first what it was paid" if board.has_picked else "the first pick is still to come"
        return f"it has offered; {late}", HERE
    if node in board.refused:
        return board.refused[node].value, HERE
    if peer is None or not peer.is_connected:
        return "unreachable: there is no session with it", HERE
    return "it has not answered; nodes that do not provide say nothing", HERE


def _advice(board: Board) -> list[str]:
    prices = [no.price for no in board.declined.values() if no.reason is Reason.PRICE_TOO_LOW]
    advice = []
    if prices:
        advice.append(f"the cheapest asks {show_ether(min(prices))} per hour: submit with a higher --max-price")
    if not board.offers and not board.declined and not board.refused:
        advice.append("no provider has answered: none is near; see golem peer list")
    return advice
