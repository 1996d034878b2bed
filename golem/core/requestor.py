"""The requestor: from a submitted task to an open market for it, and what ends it early."""

from __future__ import annotations

from golem.core.board import affords, doom, step
from golem.core.ledger import FREE, correct_free, move
from golem.core.machine import advance
from golem.core.opening import open_board
from golem.core.preparing import begin
from golem.core.task import LIVE, TABLE, Board, Funded, Phase
from golem.core.turn import Turn
from golem.model.effects import Deposit, Observe, Release, SetTimer
from golem.model.events import Deposited, Failed, Observed, Published, TaskSubmitted
from golem.model.ids import TaskId
from golem.model.money import Wei, show_ether

GAS_RESERVE = Wei(10**16)  # 0.01 ether stays in the wallet: it pays for a batch of 100 payees at 15 gwei


def submit(turn: Turn, e: TaskSubmitted) -> None:
    """Take a task up: see whether there is money for it."""
    board, fault = open_board(turn, e)
    turn.state.boards[e.task_id] = board
    if fault:
        doom(turn, board, fault)
        return
    turn.tell(e.task_id, "submitted", template=e.spec.template, chunks=board.task.chunks)
    if not affords(turn, board):
        return
    if e.spec.deadline_ms:
        turn.ask(SetTimer(name=f"deadline/{e.task_id}", at_ms=e.spec.deadline_ms))
    turn.ask(Observe(key=f"funds/{e.task_id}", payers=()))


def on_funds(turn: Turn, e: Observed) -> None:
    """The chain has told what we have: reserve the budget, or deposit what is missing, or say that it can't be paid."""
    board = turn.state.boards[TaskId(e.key.partition("/")[2])]
    turn.state.funds, turn.state.sent = e.sighting.funds, e.sighting.sent
    correct_free(turn.state.ledger, e.sighting.funds.free)
    if board.task.phase is not Phase.FUNDING:
        return
    budget = board.task.spec.budget
    missing = budget - turn.state.ledger.balances.get(FREE, 0)
    wallet = e.sighting.funds.wallet
    if not budget or (missing <= 0 and wallet >= GAS_RESERVE):
        _fund(turn, board)
    elif missing > 0 and wallet >= missing + GAS_RESERVE:
        amount = budget if wallet >= budget + GAS_RESERVE else missing  # what is over saves the next task this wait
        turn.ask(Deposit(key=f"deposit/{board.task.task_id}", amount=Wei(amount)))
    else:
        doom(turn, board, _short(turn, budget, wallet + max(0, budget - missing)))


def _short(turn: Turn, budget: Wei, have: int) -> str:
    if not turn.settings.has_chain:
        return "no chain is configured: set payment.rpc and payment.contract, or have it done for a budget of 0"
    return (
        f"not enough funds: the budget is {show_ether(budget)}, there is {show_ether(have)}, "
        f"{show_ether(GAS_RESERVE)} of it for gas; send ether to {turn.started.payee}"
    )


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
    begin(turn, board)


def on_published(turn: Turn, e: Published) -> None:
    """One of the task's resources is served; after the last, the market opens."""
    board = turn.state.boards[TaskId(e.key.split("/")[1])]
    board.task, effects = advance(TABLE, board.task, e)
    turn.ask(*effects)
    if board.task.phase in LIVE:
        begin(turn, board)
    else:
        turn.ask(Release(task_id=board.task.task_id))  # it ended while this was being published


def on_failed(turn: Turn, e: Failed) -> None:
    """Something the task can't do without has failed."""
    board = turn.state.boards[TaskId(e.key.split("/")[1])]
    doom(turn, board, e.detail)


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
