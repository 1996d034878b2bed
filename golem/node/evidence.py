"""What the verdicts against a task's results rest on, signed, for other nodes to repeat: docs/verification.md."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence

from golem.core.state import NodeState
from golem.core.subtask import Subtask
from golem.core.task import Board
from golem.core.twins import twin
from golem.model.evidence import Evidence
from golem.model.ids import NodeId
from golem.model.spec import Judgement
from golem.model.value import evolve
from golem.wire.codec import encode

MAX_EVIDENCE = 64  # verdicts in one answer, the last ones: 2 MiB, as params have 16 KiB at most
AGAINST = (Judgement.WRONG, Judgement.MALFORMED)


def evidence(state: NodeState, board: Board, sign: Callable[[Evidence], Evidence]) -> Sequence[Mapping[str, object]]:
    """Each verdict against a result of a task: for people, and as it is signed."""
    started = state.started
    attempts = [state.subtasks[subtask_id] for subtask_id in board.history]
    against = [attempt for attempt in attempts if attempt.judgement in AGAINST][-MAX_EVIDENCE:]
    return [_told(sign(_of(started.node_id, board, attempt))) for attempt in against] if started else []


def _of(requestor: NodeId, board: Board, attempt: Subtask) -> Evidence:
    if attempt.delivery is None or attempt.judgement is None:
        raise AssertionError(f"{attempt.subtask_id} was judged without a delivery")
    return Evidence(
        requestor=requestor,
        provider=attempt.provider,
        subtask_id=attempt.subtask_id,
        spec=evolve(board.task.spec, output=""),
        chunk=attempt.chunk,
        delivery=attempt.delivery,
        step=attempt.step,
        salt=attempt.salt,
        care=attempt.care,
        sums=attempt.sums,
        twin=twin(board, attempt),
        judgement=attempt.judgement,
        reason=attempt.reason,
    )


def _told(one: Evidence) -> Mapping[str, object]:
    return {
        "subtask_id": one.subtask_id,
        "chunk": one.chunk,
        "provider": one.provider,
        "judgement": one.judgement.value,
        "reason": one.reason,
        "signed": b64encode(encode(one)).decode(),
        "contents": [cid for cid in (*(given.cid for given in one.spec.inputs), one.delivery.result) if cid],
    }
