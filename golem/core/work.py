"""The job of one attempt, as its template makes it."""

from __future__ import annotations

from golem.core.asking import asking
from golem.core.turn import Turn
from golem.errors import TemplateFailed
from golem.model.ids import NodeId, SubtaskId, TaskId
from golem.model.spec import Job, TaskSpec
from golem.model.value import evolve


def job_of(turn: Turn, task_id: TaskId, spec: TaskSpec, chunk: int, attempt: tuple[SubtaskId, NodeId]) -> Job | str:
    """What the provider of an attempt is to do; or, where the template raises, its fault."""
    try:
        with asking(spec.template, "job"):
            job = turn.template(spec.template).job(spec, turn.plan(task_id, spec).chunks[chunk], *attempt)
            return evolve(job, task_id=task_id)
    except TemplateFailed as why:
        return str(why)
