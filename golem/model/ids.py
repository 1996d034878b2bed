"""Names of things. Ids are derived from their parents by hashing; only a task's nonce is minted, in the shell."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, NewType

from msgspec import Meta

NodeId = NewType("NodeId", Annotated[str, Meta(pattern=r"\A0[23][0-9a-f]{64}\Z")])
"""A node's compressed secp256k1 public key, in hex."""

TaskId = NewType("TaskId", Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")])
SubtaskId = NewType("SubtaskId", Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")])
JobId = NewType("JobId", Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")])
"""What an executor runs: a subtask's own work (the same hex), one of its checks, or a merge."""

BatchId = NewType("BatchId", Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")])

Cid = NewType("Cid", Annotated[str, Meta(pattern=r"\A(b[a-z2-7]{50,110})?\Z")])
"""A CIDv1 in base32; empty where there is no content."""

Address = NewType("Address", Annotated[str, Meta(pattern=r"\A0x[0-9a-f]{40}\Z")])
"""An account on the chain, lower case."""

NOBODY = Address("0x" + "00" * 20)

Ticket = NewType("Ticket", Annotated[bytes, Meta(max_length=32)])
"""What those who work at one task know, and nobody else: it opens the task's content. Empty: there is none."""

Staged = NewType("Staged", str)
"""A file or folder on this machine, by absolute path. Never sent to a peer."""

OWNER_DIGITS = 16  # of a task's id: 64 bits, more than anybody draws keys for


def derive(*parts: str | int) -> str:
    """32 hex digits that depend on every part and on where one part ends and the next begins."""
    hasher = sha256()
    for part in parts:
        data = str(part).encode()
        hasher.update(len(data).to_bytes(4, "big") + data)
    return hasher.hexdigest()[:32]


def task_id(requestor: NodeId, nonce: str) -> TaskId:
    """The id of the task that `requestor` submits under a nonce it has not used before. Its second half is whose."""
    return TaskId(derive("task", requestor, nonce)[:OWNER_DIGITS] + _owner(requestor))


def is_task_of(requestor: NodeId, task: TaskId) -> bool:
    """Whether a task's id is one that this requestor may give: what is kept for a task is kept for nobody else."""
    return task.endswith(_owner(requestor))


def _owner(requestor: NodeId) -> str:
    return derive("tasks of", requestor)[:OWNER_DIGITS]


def ticket(task: TaskId, salt: bytes) -> Ticket:
    """A task's ticket, from chance that nobody else has seen."""
    return Ticket(sha256(b"ticket" + task.encode() + salt).digest())


def subtask_id(task: TaskId, chunk: int, attempt: int) -> SubtaskId:
    """The id of one attempt at one chunk."""
    return SubtaskId(derive("subtask", task, chunk, attempt))


def check_id(subtask: SubtaskId, index: int) -> JobId:
    """The id of the `index`-th job that verifies a subtask's result."""
    return JobId(derive("check", subtask, index))


def merge_id(task: TaskId, name: str, pieces: int) -> JobId:
    """The id of the job that makes the merged result `name` of so many pieces."""
    return JobId(derive("merge", task, name, pieces))


def stage_id(task: TaskId, stage: str, number: int = 0) -> JobId:
    """The id of another job of the requestor's own: what prepares a task, a preview, what finishes it."""
    return JobId(derive("stage", task, stage, number))
