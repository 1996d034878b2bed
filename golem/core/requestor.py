"""The requestor: from a submitted task to providers at work on it, and what ends it early."""

from __future__ import annotations

from golem.core.board import doom, fill, step
from golem.core.ledger import FREE, correct_free, move
from golem.core.machine import advance
from golem.core.market import LEAST_WORK_MS, unwanted_offer
from golem.core.reputation import Role
from golem.core.subtask import Lapsed
from golem.core.subtask import Phase as Attempt
from golem.core.task import LIVE, TABLE, Agreement, Board, Funded, Phase, Task
from golem.core.turn import Turn
from golem.core.verification import take
from golem.model.effects import Broadcast, Deposit, Observe, Send, SetTimer
from golem.model.events import Deposited, Failed, Observed, Published, TaskSubmitted
from golem.model.ids import NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery, Demand, Failure, Offer, Reason, Refusal
from golem.model.money import Wei, cost, show_ether

GAS_RESERVE = Wei(10**16)  # 0.01 ether stays in the wallet: it pays for a batch of 100 payees at 15 gwei
DEMAND_MS = 30_000  # a task that still has work is announced again
DEMAND_TTL_MS = 10 * 60_000
MAX_OFFERS = 1_000  # per task; beyond, the market is full


def submit(turn: Turn, e: TaskSubmitted) -> None:
    """Take a task up: see whether there is money for it."""
    template = turn.template(e.spec.template)
    chunks, merges = template.split(e.spec), template.merges(e.spec)
    board = Board(
        task=Task(
            task_id=e.task_id,
            spec=e.spec,
            resources=e.resources,
            submitted_ms=turn.now_ms,
            chunks=len(chunks),
            merges=len(merges),
        ),
        pending=list(range(len(chunks) - 1, -1, -1)),
        missing={merge.name: len(merge.chunks) for merge in merges},
    )
    turn.state.boards[e.task_id] = board
    turn.tell(e.task_id, "submitted", template=e.spec.template, chunks=len(chunks))
    least = cost(e.spec.max_price, LEAST_WORK_MS) * len(chunks)
    if e.spec.budget < least:
        doom(turn, board, f"budget too small: {len(chunks)} chunks need at least {show_ether(least)} at this price")
        return
    if e.spec.deadline_ms:
        turn.ask(SetTimer(name=f"deadline/{e.task_id}", at_ms=e.spec.deadline_ms))
    turn.ask(Observe(key=f"funds/{e.task_id}", payers=()))


def on_funds(turn: Turn, e: Observed) -> None:
    """The chain has told what we have: reserve the budget, or deposit what is missing, or say that it can't be paid."""
    board = turn.state.boards[TaskId(e.key.partition("/")[2])]
    turn.state.funds = e.sighting.funds
    correct_free(turn.state.ledger, e.sighting.funds.free)
    if board.task.phase is not Phase.FUNDING:
        return
    budget = board.task.spec.budget
    missing = budget - turn.state.ledger.balances.get(FREE, 0)
    if missing <= 0:
        _fund(turn, board)
    elif e.sighting.funds.wallet >= missing + GAS_RESERVE:
        turn.ask(Deposit(key=f"deposit/{board.task.task_id}", amount=Wei(missing)))
    else:
        have = show_ether(e.sighting.funds.wallet + max(0, budget - missing))
        doom(turn, board, f"not enough funds: the budget is {show_ether(budget)}, and there is {have} with {show_ether(GAS_RESERVE)} kept for gas")


def on_deposited(turn: Turn, e: Deposited) -> None:
    """What was missing is in the contract now."""
    board = turn.state.boards[TaskId(e.key.partition("/")[2])]
    missing = board.task.spec.budget - turn.state.ledger.balances.get(FREE, 0)
    move(turn.state.ledger, "chain", FREE, max(0, missing))
    if board.task.phase is Phase.FUNDING:
        _fund(turn, board)


def _fund(turn: Turn, board: Board) -> None:
    move(turn.state.ledger, FREE, f"task/{board.task.task_id}", board.task.spec.budget)
    step(turn, board, Funded())
    if board.task.phase is Phase.OPEN:
        _open(turn, board)


def on_published(turn: Turn, e: Published) -> None:
    """One of the task's resources is served; after the last, the market opens."""
    board = turn.state.boards[TaskId(e.key.split("/")[1])]
    board.task, effects = advance(TABLE, board.task, e)
    turn.ask(*effects)
    if board.task.phase is Phase.OPEN:
        _open(turn, board)


def on_failed(turn: Turn, e: Failed) -> None:
    """Something the task can't do without has failed."""
    board = turn.state.boards[TaskId(e.key.split("/")[1])]
    doom(turn, board, e.detail)


def demand_of(turn: Turn, board: Board) -> Demand:
    """A task's terms, as they are announced."""
    spec = board.task.spec
    return Demand(
        task_id=board.task.task_id,
        requestor=turn.started.node_id,
        address=turn.started.address,
        template=spec.template,
        environment=turn.template(spec.template).environment.name,
        max_price=spec.max_price,
        limits=spec.limits,
        chunks=board.task.chunks - board.task.accepted,
        expires_ms=turn.now_ms + DEMAND_TTL_MS,
    )


def _open(turn: Turn, board: Board) -> None:
    turn.tell(board.task.task_id, "open", chunks=board.task.chunks)
    turn.after(turn.settings.offers_ms, f"offers/{board.task.task_id}")
    announce(turn, board)


def announce(turn: Turn, board: Board) -> None:
    """Broadcast a task that has work to give, and do so again later."""
    if board.task.phase is not Phase.OPEN:
        return
    if board.pending:
        turn.ask(Broadcast(message=demand_of(turn, board)))
    turn.after(DEMAND_MS, f"demand/{board.task.task_id}")


def greet(turn: Turn, peer: NodeId) -> None:
    """Tell a peer that has just come about every task that has work to give."""
    for board in turn.state.boards.values():
        if board.task.phase is Phase.OPEN and board.pending:
            turn.ask(Send(to=peer, message=demand_of(turn, board)))


def on_offer(turn: Turn, peer: NodeId, offer: Offer) -> None:
    """Take, keep, or refuse an offer."""
    board = turn.state.boards.get(offer.task_id)
    if board is None or board.task.phase is not Phase.OPEN or len(board.offers) >= MAX_OFFERS:
        turn.ask(Send(to=peer, message=Refusal(task_id=offer.task_id, reason=Reason.CLOSED)))
        return
    if reason := unwanted_offer(turn, demand_of(turn, board), peer, offer):
        turn.refuse(offer.task_id, reason)
        turn.tell(offer.task_id, "offer refused", provider=peer, reason=reason.value)
        turn.ask(Send(to=peer, message=Refusal(task_id=offer.task_id, reason=reason)))
        return
    board.offers[peer] = offer
    turn.tell(offer.task_id, "offer", provider=peer, price_wei=str(offer.price), slots=offer.slots)
    if board.has_picked:
        _agree(board, peer)
        fill(turn, board)


def pick(turn: Turn, task_id: TaskId) -> None:
    """The first offers are in: agree with them in the order of their rank, and begin."""
    board = turn.state.boards[task_id]
    if board.task.phase is not Phase.OPEN:
        return
    board.has_picked = True
    trust = {node: turn.trust(node, Role.PROVIDER) for node in board.offers}
    for node in turn.strategy.rank(demand_of(turn, board), board.offers, trust):
        _agree(board, node)
    fill(turn, board)


def _agree(board: Board, provider: NodeId) -> None:
    known = board.agreements.get(provider)
    board.agreements[provider] = Agreement(offer=board.offers[provider], live=known.live if known else {})


def on_answer(turn: Turn, peer: NodeId, message: Delivery | Failure | Refusal) -> None:
    """A provider answers an assignment: with the result, a failure, or a no."""
    subtask = turn.state.subtasks.get(message.subtask_id) if message.subtask_id else None
    if subtask is None or subtask.provider != peer:
        return  # forgotten long ago, or never ours: nothing to hold against anybody
    take(turn, subtask, message)


def lapse(turn: Turn, subtask_id: SubtaskId, reason: str) -> None:
    """A lease is over."""
    subtask = turn.state.subtasks.get(subtask_id)
    if subtask and subtask.phase is Attempt.ASSIGNED:
        take(turn, subtask, Lapsed(reason=reason))


def vanished(turn: Turn, peer: NodeId) -> None:
    """A provider is gone and did not come back in time: what it had goes to others."""
    for board in list(turn.state.boards.values()):
        agreement = board.agreements.pop(peer, None)
        board.offers.pop(peer, None)
        for subtask_id in list(agreement.live) if agreement else ():
            lapse(turn, subtask_id, "the provider vanished")


def cancel(turn: Turn, task_id: TaskId, event: object) -> None:
    """End a task now. What was delivered is still verified and paid."""
    board = turn.state.boards[task_id]
    if board.task.phase in LIVE:
        step(turn, board, event)


def expire(turn: Turn, task_id: TaskId) -> None:
    """The user's own deadline has passed."""
    board = turn.state.boards[task_id]
    if board.task.phase in LIVE:
        doom(turn, board, "the task's deadline has passed")
