"""What a node shows of its state: plain records for the control API, as `golem.control.views` reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from golem.core.job import Phase as WorkPhase
from golem.core.ledger import Pair
from golem.core.state import NodeState
from golem.core.subtask import Phase as Attempt
from golem.core.task import Board
from golem.errors import NotFound
from golem.model.chain import Funds
from golem.model.ids import TaskId
from golem.model.money import Wei
from golem.model.spec import Chunk
from golem.node.live import Story

MAX_LOGS = 64  # logs in one answer: 1 MiB

Record = Mapping[str, object]


def board(state: NodeState, task_id: str) -> Board:
    """A task's board. Raises NotFound."""
    found = state.boards.get(TaskId(task_id))
    if found is None:
        raise NotFound(f"no task {task_id}; `golem task list` shows those there are")
    return found


def task(b: Board) -> Record:
    """One task, counted."""
    t = b.task
    return {
        "task_id": t.task_id,
        "template": t.spec.template,
        "phase": t.phase.value,
        "reason": t.reason,
        "submitted_ms": t.submitted_ms,
        "finished_ms": b.finished_ms,
        "chunks": t.chunks,
        "pending": len(b.pending),
        "running": len(b.open),
        "accepted": t.accepted,
        "budget": t.spec.budget,
        "spent": b.spent,
        "max_price": t.spec.max_price,
        "output": t.spec.output,
        "results": dict(b.exported),
    }


def subtasks(state: NodeState, b: Board, chunks: Sequence[Chunk], percent: Callable[[str], int]) -> list[Record]:
    """Every attempt, in the order of assignment."""
    records: list[Record] = []
    counts: dict[int, int] = {}
    for s in (state.subtasks[subtask_id] for subtask_id in b.history):
        attempt = counts[s.chunk] = counts.get(s.chunk, -1) + 1
        records.append(
            {
                "subtask_id": s.subtask_id,
                "chunk": s.chunk,
                "label": chunks[s.chunk].label,
                "attempt": attempt,
                "phase": s.phase.value,
                "percent": percent(s.subtask_id) if s.phase is Attempt.ASSIGNED else 0,
                "provider": s.provider,
                "price": s.price,
                "amount": s.amount,
                "used_ms": s.delivery.used_ms if s.delivery else 0,
                "reason": s.reason,
            }
        )
    return records


def logs(state: NodeState, task_id: TaskId, story: Callable[[str], Story | None]) -> Sequence[Record]:
    """What is kept of the logs of a task's last attempts: as its requestor, or as one who computes it."""
    found = state.boards.get(task_id)
    if found is not None:
        attempts = [(s, state.subtasks[s].chunk, str(state.subtasks[s].provider)) for s in found.history]
    else:
        attempts = [(s, 0, "here") for s, work in state.works.items() if work.assignment.job.task_id == task_id]
    if found is None and not attempts:
        raise NotFound(f"no task {task_id}, neither of ours nor computed here")
    told = ((attempt, story(attempt[0])) for attempt in attempts)
    return [
        {"subtask_id": s, "chunk": chunk, "provider": provider, "percent": said.percent, "log": said.log}
        for (s, chunk, provider), said in told
        if said is not None
    ][-MAX_LOGS:]


def jobs(state: NodeState, percent: Callable[[str], int]) -> Sequence[Record]:
    """What others have computed here now."""
    works = (state.works[subtask_id] for subtask_id in state.busy)
    return [
        {
            "subtask_id": w.subtask_id,
            "task_id": w.assignment.job.task_id,
            "template": w.assignment.job.template,
            "requestor": w.requestor,
            "phase": w.phase.value,
            "percent": percent(w.subtask_id),
            "since_ms": w.since_ms,
        }
        for w in works
    ]


def payments(state: NodeState) -> list[Record]:
    """Whom we owe and who owes us."""
    sending = {word.payee for word in state.batch.words} if state.batch else set()
    out: list[Record] = [
        _payment("out", payee, pair, pair.due_ms, "sending" if payee in sending else "due")
        for payee, pair in sorted(state.ledger.owing.items())
    ]
    for payer, pair in sorted(state.ledger.earning.items()):
        due = [state.works[subtask_id] for subtask_id in state.dues.get(payer, [])]
        late = "claiming" if payer in state.claims else "late"
        words = late if any(work.is_late for work in due) else "delayed" if payer in state.delays else "due"
        record = _payment("in", payer, pair, due[0].due_ms if due else 0, words)
        out.append({**record, "reserved": state.reserved.get(payer, Wei(0))})
    return out


def _payment(direction: str, account: str, pair: Pair, due_ms: int, words: str) -> Record:
    return {
        "direction": direction,
        "account": account,
        "promised": pair.promised,
        "paid": pair.paid,
        "due_ms": due_ms,
        "last_ms": pair.last_ms,
        "last_tx": pair.last_tx,
        "state": words if pair.promised > pair.paid else "settled",
    }


def money(state: NodeState) -> tuple[Funds, Wei, Wei]:
    """Our funds as last seen, what we owe, and what is due to us."""
    owed = sum(have for name, have in state.ledger.balances.items() if name.startswith("owed/"))
    due = sum(have for name, have in state.ledger.balances.items() if name.startswith("due/"))
    return state.funds, Wei(owed), Wei(due)


def _alone(bootstrap: Sequence[str]) -> str:
    if not bootstrap:
        return "no peers: set node.bootstrap to the address of a node of this network"
    return f"no peers: nobody answers at {', '.join(bootstrap)}; is node.bootstrap right, and does that node run?"


def problems(state: NodeState) -> list[str]:
    """What keeps this node from doing what it is for, and the way out."""
    found: list[str] = []
    started = state.started
    if not any(peer.is_connected for peer in state.peers.values()):
        found.append(_alone(started.settings.bootstrap if started else ()))
    if started and started.settings.provide and not started.capability.environments:
        found.append("no environment of an enabled template is available: see `golem template list`")
    if state.resting is not None:
        found.append(f"no new work is taken: {state.resting.value}")
    late = sum(w.is_overdue for w in state.works.values() if w.phase is WorkPhase.ACCEPTED)
    if late:
        found.append(f"{late} accepted subtasks were not paid in time: see `golem payment list`")
    if problem := state.dealings.strategy_problem:
        found.append(f"{problem}; such questions are decided as without node.strategy")
    if state.payment_problem:
        found.append(state.payment_problem)
    if state.chain_problem:
        found.append(f"{state.chain_problem}; work goes on up to provider.max_exposure, and nothing is paid")
    return found
