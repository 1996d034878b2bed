"""What a verdict rests on, so that a node that was not there can come to the same one."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from golem.model.ids import NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.spec import Count, Judgement, TaskSpec, Text
from golem.model.value import Value


class Evidence(Value):
    """A requestor says: of this task's chunk, this provider delivered this, and so I judged it.

    `spec`: without the folder of its requestor. `step`: of the verifier's, which judged. `salt`: from which the checks
    were drawn once the result was there; `care`: how closely they looked, of 1. `sums`: what the provider's results
    before it had gathered, by the requestor's word alone. `twin`: of which subtask this very result was accepted
    before, by the same word. `reason`: check, place, metric, value and threshold. `signature`: by `requestor`, over the
    evidence with this field empty.
    """

    requestor: NodeId
    provider: NodeId
    subtask_id: SubtaskId
    spec: TaskSpec
    chunk: Count
    delivery: Delivery
    step: Count
    salt: Annotated[bytes, Meta(max_length=64)]
    judgement: Judgement
    reason: Text
    care: Annotated[float, Meta(gt=0, le=1)] = 1.0
    sums: Annotated[dict[str, float], Meta(max_length=64)] = {}
    twin: SubtaskId | None = None
    signature: Annotated[bytes, Meta(max_length=64)] = b""
