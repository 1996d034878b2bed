"""Where the end of a job goes: to what it was run for, a requestor's own errand or a provider's work."""

from __future__ import annotations

from golem.core import exhibits, merging, preparing, protection, provider, reports, showing, substitute
from golem.core.turn import Turn
from golem.model.events import Executed
from golem.model.ids import SubtaskId, TaskId


def executed(turn: Turn, event: Executed) -> None:
    """A job has ended."""
    kind, subject = turn.state.errands.pop(event.key, ("work", event.key))
    match kind:
        case "check":
            concerned = exhibits.concerned(turn, SubtaskId(subject))
            reports.on_check(turn, SubtaskId(subject), event)
            for subtask_id in concerned:
                exhibits.keep(turn, subtask_id, event.outcome)
        case substitute.ERRAND:
            substitute.on_computed(turn, SubtaskId(subject), event)
        case "merge":
            merging.on_merged(turn, subject, event)
        case "prepare":
            preparing.on_prepared(turn, TaskId(subject), event)
        case "preview":
            showing.on_preview(turn, TaskId(subject), event)
        case _:
            work = turn.state.works[SubtaskId(subject)]
            protection.learn(turn, work.requestor, work.assignment.job.template, event.outcome.status)
            provider.take(turn, work.subtask_id, None, event)
