"""The requestor's side of the market: announces a task, and takes offers."""

from __future__ import annotations

from collections.abc import Sequence

from golem.core.board import fill, turn_down
from golem.core.market import unwanted_offer
from golem.core.recall import is_known, look
from golem.core.tails import hurry
from golem.core.task import Agreement, Board, Phase
from golem.core.trading import rank
from golem.core.tree import publish, withdraw
from golem.core.turn import Turn
from golem.model.effects import Send, Whisper
from golem.model.ids import Address, NodeId, TaskId
from golem.model.messages import Demand, Offer, Place, Reason, Refusal
from golem.model.value import evolve

DEMAND_MS = 30_000  # a task that still has work is announced again
DEMAND_TTL_MS = 10 * 60_000
MAX_OFFERS = 1_000  # per task; beyond, the market is full
MAX_RETURNED = 8  # assignments that a provider may refuse in a row; each announcement forgives one of them


def demand_of(turn: Turn, board: Board) -> Demand:
    """A task's terms, as they are announced."""
    spec = board.task.spec
    return Demand(
        task_id=board.task.task_id,
        requestor=turn.started.node_id,
        address=turn.started.address,
        template=spec.template,
        environment=turn.plan(board.task.task_id, spec).environment.name,
        max_price=spec.max_price,
        limits=spec.limits,
        chunks=board.task.chunks - board.task.accepted,
        expires_ms=turn.now_ms + DEMAND_TTL_MS,
        tiers=spec.tiers,
    )


def open_market(turn: Turn, board: Board) -> None:
    """All that providers need is published: say what is wanted, and gather offers for a while."""
    turn.tell(board.task.task_id, "open", chunks=board.task.chunks)
    turn.after(turn.settings.offers_ms, f"offers/{board.task.task_id}")
    announce(turn, board)


def announce(turn: Turn, board: Board) -> None:
    """Tell all of a task that has work to give, rank who offers anew, and do so again later; or that it is over."""
    if board.task.phase is not Phase.OPEN:
        withdraw(turn, board.task.task_id)
        return
    if board.pending:
        publish(turn, demand_of(turn, board))
        board.returned = {node: times - 1 for node, times in board.returned.items() if times > 1}
        board.agreements = {node: board.agreements[node] for node in _ranked(turn, board) if node in board.agreements}
    else:
        hurry(turn, board)
    turn.after(DEMAND_MS, f"demand/{board.task.task_id}")


def moved(turn: Turn, address: Place) -> None:
    """Others reach us elsewhere from now on: whoever would offer must know."""
    turn.state.started = evolve(turn.started, address=address)
    for board in turn.state.boards.values():
        if board.task.phase is Phase.OPEN and board.pending:
            publish(turn, demand_of(turn, board))


def greet(turn: Turn, peer: NodeId) -> None:
    """Tell a peer that has just come about every task that has work to give."""
    for board in turn.state.boards.values():
        if board.task.phase is Phase.OPEN and board.pending:
            turn.ask(Whisper(to=(peer,), message=demand_of(turn, board)))


def on_offer(turn: Turn, peer: NodeId, offer: Offer) -> None:
    """Take, keep, or refuse an offer."""
    board = turn.state.boards.get(offer.task_id)
    if board is None or board.task.phase is not Phase.OPEN or len(board.offers) >= MAX_OFFERS:
        turn.ask(Send(to=peer, message=Refusal(task_id=offer.task_id, reason=Reason.CLOSED)))
        return
    reason = unwanted_offer(turn, demand_of(turn, board), peer, offer)
    if reason is None and board.returned.get(peer, 0) >= MAX_RETURNED:
        reason = Reason.REPUTATION
    if reason:
        turn.refuse(offer.task_id, reason)
        turn_down(board, peer, reason)
        turn.tell(offer.task_id, "offer refused", provider=peer, reason=reason.value)
        turn.ask(Send(to=peer, message=Refusal(task_id=offer.task_id, reason=reason)))
        return
    board.offers[peer] = offer
    board.declined.pop(peer, None)
    board.refused.pop(peer, None)
    tier = offer.capability.tier
    turn.tell(offer.task_id, "offer", provider=peer, price_wei=str(offer.price), slots=offer.slots, tier=tier)
    if not _is_known(turn, peer):
        look(turn, turn.state.peers[peer].payee)
    elif board.has_picked:
        _agree(board, peer)
        fill(turn, board)


def _is_known(turn: Turn, provider: NodeId) -> bool:
    return is_known(turn, turn.state.peers[provider].payee)


def known(turn: Turn, payee: Address) -> None:
    """Our books say now how it stands with a payee: take the offers that waited for that."""
    for board in list(turn.state.boards.values()):
        if board.task.phase is Phase.OPEN and board.has_picked:
            for node in board.offers:
                if node not in board.agreements and turn.state.peers[node].payee == payee:
                    _agree(board, node)
            fill(turn, board)


def on_decline(turn: Turn, peer: NodeId, refusal: Refusal) -> None:
    """A provider does not offer, or takes its offer back: remember why, as long as that stands. What it has goes on."""
    board = turn.state.boards[refusal.task_id]
    if agreement := board.agreements.get(peer):
        agreement.is_paused = True
    else:
        board.offers.pop(peer, None)
    if board.task.phase is Phase.OPEN and len(board.declined) < MAX_OFFERS:
        board.declined[peer] = refusal
        board.refused.pop(peer, None)
        turn.tell(refusal.task_id, "declined", provider=peer, because=refusal.reason.value)


def pick(turn: Turn, task_id: TaskId) -> None:
    """The first offers are in: agree with them in the order of their rank, and begin."""
    board = turn.state.boards[task_id]
    if board.task.phase is not Phase.OPEN:
        return
    board.has_picked = True
    for node in _ranked(turn, board):
        if _is_known(turn, node):
            _agree(board, node)
    fill(turn, board)


def _ranked(turn: Turn, board: Board) -> Sequence[NodeId]:
    """Who offers, the best first."""
    return rank(turn, demand_of(turn, board), board.offers)


def _agree(board: Board, provider: NodeId) -> None:
    known = board.agreements.get(provider)
    board.agreements[provider] = Agreement(offer=board.offers[provider], live=known.live if known else {})
