"""Why a task waits, and why this provider gets no work: every node, and every demand, counted under one reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from golem.core.board import MAX_WAITING
from golem.core.market import ask
from golem.core.provider import objection
from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.core.task import LIVE, Board, Phase
from golem.core.turn import Turn
from golem.model.ids import NodeId
from golem.model.messages import Demand, Reason
from golem.model.money import show_ether
from golem.model.spec import Environment

Record = Mapping[str, object]
Said = tuple[str, str]
"""A reason, and who says so: "this node", "providers" or "requestors"."""

HERE, PROVIDERS, REQUESTORS = "this node", "providers", "requestors"
MOST_NAMED = 8  # chunks of a group that are named
HEADLINES = {
    Phase.FUNDING: "the budget is not reserved yet: the chain has not answered",
    Phase.PUBLISHING: "its files are being put into the store",
    Phase.PREPARING: "a job of this node's own looks at its files first",
}
UNCHECKED = "so many results wait for their checks that no more work is given out before"
LIMITS = {
    Reason.REPUTATION.value: "provider.min_requestor_trust",
    Reason.RESOURCES.value: "provider.memory, cores or max_output",
    Reason.TOO_LONG.value: "provider.max_job",
    Reason.UNLISTED.value: "provider.requestors",
    Reason.EXPOSURE.value: "provider.max_exposure",
    Reason.TIER.value: "provider.executor",
}  # by which key of golem.toml this provider says no
STATES = ("accepted", "verifying", "computing", "waiting")


def task(state: NodeState, board: Board, labels: Sequence[str]) -> Record:
    """Where every chunk of a task is, and for those that wait, what every known node says. All counts add up."""
    states = _states(state, board)
    groups = _groups(state, board, labels, states)
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


def _groups(state: NodeState, board: Board, labels: Sequence[str], states: Sequence[str]) -> list[Record]:
    """Waiting chunks, together where every node says the same about them; the largest group first."""
    if board.task.phase is not Phase.OPEN:
        return []
    alike: dict[frozenset[NodeId], list[int]] = {}
    for chunk in [chunk for chunk in dict.fromkeys(reversed(board.pending)) if states[chunk] == "waiting"]:
        alike.setdefault(frozenset(board.tried.get(chunk, ())), []).append(chunk)
    nodes = _known(state, board)
    return [
        {
            "chunks": len(chunks),
            "which": [labels[chunk] for chunk in chunks[:MOST_NAMED]],
            "reasons": _counted(_stance(state, board, node, tried) for node in nodes),
        }
        for tried, chunks in sorted(alike.items(), key=lambda item: (-len(item[1]), item[1][0]))
    ]


def _counted(said: Iterable[Said]) -> list[Record]:
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


def node(turn: Turn, reached: str, advice: str) -> Record:
    """Why this provider gets no work, or not more: what it says to every demand it knows, and how its offers fared.

    `reached`: how others get to it; `advice`: what is to be done about that.
    """
    state, settings, dealings = turn.state, turn.settings, turn.state.dealings
    demands = [demand for demand in state.demands.values() if demand.requestor != turn.started.node_id]
    said = [_prospect(turn, demand) for demand in demands]
    return {
        "is_provider": settings.provide,
        "peers": sum(peer.is_connected for peer in state.peers.values()),
        "slots": settings.slots,
        "busy": min(settings.slots, len(state.busy)),
        "queued": max(0, len(state.busy) - settings.slots),
        "demands": len(demands),
        "reasons": _counted(said),
        "offers": dealings.offers,
        "taken": dealings.taken,
        "waiting": len(dealings.offered_ms),
        "losses": _counted((reason, REQUESTORS) for reason, count in dealings.losses.items() for _ in range(count)),
        "lost": [
            {
                "task_id": lost.task_id,
                "requestor": lost.requestor,
                "at_ms": lost.at_ms,
                "asked": str(lost.asked),
                "reason": lost.reason.value,
                "price": str(lost.price),
            }
            for lost in dealings.lost
        ],
        "reached": reached,
        "advice": [words for words in (advice, *(rule(turn, demands) for rule in RULES)) if words],
    }


def _prospect(turn: Turn, demand: Demand) -> Said:
    """The one thing there is to say about a demand that we know."""
    state = turn.state
    if any(state.works[sid].assignment.job.task_id == demand.task_id for sid in state.busy):
        return "we work on it", HERE
    if demand.expires_ms < turn.now_ms:
        return "it has expired", HERE
    if demand.task_id in state.offered:
        is_new = demand.task_id in state.dealings.offered_ms
        return ("we have offered, and wait for work" if is_new else "we have offered, and wait for more work"), HERE
    reason = objection(turn, demand, ask(turn, demand))
    return reason.value if reason else "an offer is to be made at the next look", HERE


def _idle(turn: Turn, demands: Sequence[Demand]) -> str:
    if not turn.settings.provide:
        return "this node does not provide: set provider.enabled = true in golem.toml"
    if turn.state.resting is not None:
        return f"no new work is taken: {turn.state.resting.value}"
    return ""


def _unreached(turn: Turn, demands: Sequence[Demand]) -> str:
    if not any(peer.is_connected for peer in turn.state.peers.values()):
        return "no peers: nobody can tell us of tasks; see golem status"
    if not demands:
        return "no task of another node is known: nobody near wants anything computed now"
    return ""


def _unequipped(turn: Turn, demands: Sequence[Demand]) -> str:
    settings, have = turn.settings, turn.started.capability.environments
    missing = sorted(
        {name for name in settings.templates if name in turn.templates and _environment(turn, name) not in have}
    )
    if missing:
        return f"this machine can't run {', '.join(missing)}: its environment is missing; see golem template list"
    return ""


def _unasked(turn: Turn, demands: Sequence[Demand]) -> str:
    wanted = sorted({demand.template for demand in demands} - set(turn.settings.templates))
    return f"others want {', '.join(wanted)}: add it to provider.templates to compute that" if wanted else ""


def _limited(turn: Turn, demands: Sequence[Demand]) -> str:
    said = Counter(_prospect(turn, demand)[0] for demand in demands)
    keys = [f"{count} of {len(demands)} demands by {LIMITS[why]}" for why, count in said.most_common() if why in LIMITS]
    return f"golem.toml refuses {', '.join(keys)}" if keys else ""


def _environment(turn: Turn, name: str) -> str:
    environment: Environment = turn.templates[name].environment
    return environment.name


def _priced_out(turn: Turn, demands: Sequence[Demand]) -> str:
    ours = {demand.task_id: ask(turn, demand) for demand in demands}
    dear = [demand for demand in demands if ours[demand.task_id] > demand.max_price]
    if dear:
        best = max(dear, key=lambda demand: demand.max_price)
        asked, paid = show_ether(ours[best.task_id]), show_ether(best.max_price)
        how = f"{asked} per hour; the best of them pays {paid}"
        return f"{len(dear)} of {len(demands)} demands pay less than we ask: {how}"
    lost = [lost for lost in turn.state.dealings.lost if lost.reason is Reason.OUTBID and lost.price]
    if lost:
        asked, paid = show_ether(lost[-1].asked), show_ether(lost[-1].price)
        return f"offers were lost to others who were paid at most {paid} per hour; we asked {asked}"
    return ""


def _mistrusted(turn: Turn, demands: Sequence[Demand]) -> str:
    bad = {Reason.REPUTATION, Reason.QUARANTINE}
    who = {lost.requestor for lost in turn.state.dealings.lost if lost.reason in bad}
    return f"{len(who)} requestors trust us too little, by their own experience or what they heard" if who else ""


RULES: tuple[Callable[[Turn, Sequence[Demand]], str], ...] = (
    _idle,
    _unreached,
    _unequipped,
    _unasked,
    _limited,
    _priced_out,
    _mistrusted,
)
