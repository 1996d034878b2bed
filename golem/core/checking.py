"""Checks under way: a few results at once, each with an end.

    begin --room--> under check --its last report--> judged
      |                  '--its time is over--> UNSURE, naming the check that hung
      '--no room--> in the queue, the oldest first

All of it is state: after a restart the checks under way are run again, with their whole time before them.
"""

from __future__ import annotations

from collections.abc import Sequence

from golem.core.machine import advance
from golem.core.subtask import TABLE, Planned, Subtask
from golem.core.turn import Turn
from golem.model.effects import Execute, SetTimer, Stop
from golem.model.events import Executed
from golem.model.ids import JobId, SubtaskId, check_id
from golem.model.spec import Job
from golem.model.value import evolve

MAX_CHECKS = 64  # of one result: templates plan a handful, and each is a job of ours
RESULTS_PER_SLOT = 2  # one whose checks run, and one whose checks are ready to: more would wait on the clock


def has_room(turn: Turn) -> bool:
    """Whether the checks of one more result may begin."""
    return len(turn.state.checking) < RESULTS_PER_SLOT * turn.settings.slots


def queue(turn: Turn, subtask: Subtask) -> None:
    """Have a result wait for its check. No more wait than were assigned, and with many waiting none are."""
    turn.state.to_check[subtask.subtask_id] = None


def next_queued(turn: Turn) -> SubtaskId | None:
    """The result whose turn it is to be checked, if there is room; it is out of the queue then."""
    waiting = turn.state.to_check
    if not waiting or not has_room(turn):
        return None
    first = next(iter(waiting))
    del waiting[first]
    return first


def begin(turn: Turn, subtask: Subtask, jobs: Sequence[Job]) -> None:
    """Have the checks of a result run, and see to it that they end."""
    planned, _ = advance(TABLE, evolve(subtask, salt=turn.salt), Planned(checks=len(jobs)))
    turn.state.checking[subtask.subtask_id] = None
    for job_id, job in zip(job_ids(planned), jobs, strict=True):
        turn.state.errands[job_id] = ("check", subtask.subtask_id)
        turn.ask(Execute(job=evolve(job, job_id=job_id, task_id=subtask.task_id)))
    give_time(turn, planned, turn.settings.verification_ms)


def give_time(turn: Turn, subtask: Subtask, length_ms: int) -> None:
    """The lease on an assignment becomes one on what follows its delivery."""
    deadline_ms = turn.now_ms + length_ms
    turn.state.subtasks[subtask.subtask_id] = evolve(subtask, deadline_ms=deadline_ms)
    turn.ask(SetTimer(name=f"lease/{subtask.subtask_id}", at_ms=deadline_ms))


def resume(turn: Turn) -> None:
    """The node runs again, and so do the checks that were under way."""
    for subtask_id in turn.state.checking:
        give_time(turn, turn.state.subtasks[subtask_id], turn.settings.verification_ms)


def end(turn: Turn, subtask: Subtask) -> None:
    """A result is judged: what still runs of its checks is not wanted any more."""
    if subtask.subtask_id in turn.state.checking:
        del turn.state.checking[subtask.subtask_id]
        turn.ask(*(Stop(job_id=job_id) for job_id in missing(subtask) if job_id in turn.state.errands))


def report(turn: Turn, subtask: Subtask, event: Executed) -> Subtask:
    """One of the checks has reported."""
    new, _ = advance(TABLE, subtask, event)
    turn.state.subtasks[subtask.subtask_id] = new
    return new


def escalate(turn: Turn, subtask: Subtask) -> Subtask:
    """The next step of the verifier is asked about a result."""
    new = evolve(subtask, step=subtask.step + 1, checks=0, reports={})
    turn.state.subtasks[subtask.subtask_id] = new
    return new


def job_ids(subtask: Subtask) -> list[JobId]:
    """Of the checks of this step, in the order of their plan."""
    first = subtask.step * MAX_CHECKS
    return [check_id(subtask.subtask_id, first + index) for index in range(subtask.checks)]


def missing(subtask: Subtask) -> list[JobId]:
    """The checks of this step without a report so far."""
    return [job_id for job_id in job_ids(subtask) if job_id not in subtask.reports]
