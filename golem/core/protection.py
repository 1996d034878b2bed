"""What a provider keeps away from its machine, whatever is paid for it."""

from __future__ import annotations

from golem.core.turn import Turn
from golem.model.ids import NodeId
from golem.model.messages import Reason
from golem.model.spec import Limits, Status

CRASHES = 2  # in a row; one may be chance
CRASHED_MS = 3_600_000  # after so long it is tried again
FAULTY_MS = 60_000  # what ails this machine itself may pass, or have been mended
MAX_CRASHES = 1_000  # templates and requestors that are remembered
FAULTS = "fault"  # the key of our own


def shut_out(turn: Turn, requestor: NodeId, template: str, limits: Limits) -> Reason | None:
    """Why this machine's owner does not want such a job, or None."""
    settings = turn.settings
    if turn.state.resting is not None:
        return turn.state.resting
    if settings.requestors and requestor not in settings.requestors:
        return Reason.UNLISTED
    if limits.timeout_ms > settings.max_job_ms:
        return Reason.TOO_LONG
    if limits.output_bytes > settings.max_output_bytes:
        return Reason.RESOURCES
    if _is_broken(turn, FAULTS, FAULTY_MS):
        return Reason.FAULTY
    return Reason.CRASHED if _is_broken(turn, _key(template, requestor), CRASHED_MS) else None


def learn(turn: Turn, requestor: NodeId, template: str, status: Status) -> None:
    """A job has ended: two that took their sandbox with them are enough. Who sends them harms nobody but itself."""
    crashes = turn.state.crashes
    for key, is_bad in ((_key(template, requestor), status is Status.CRASHED), (FAULTS, status is Status.FAULT)):
        if is_bad:
            crashes[key] = (crashes.pop(key, (0, 0))[0] + 1, turn.now_ms)
        elif status is Status.DONE:
            crashes.pop(key, None)
    while len(crashes) > MAX_CRASHES:
        del crashes[next(iter(crashes))]


def _key(template: str, requestor: NodeId) -> str:
    return f"{template}/{requestor}"


def _is_broken(turn: Turn, key: str, rest_ms: int) -> bool:
    count, last_ms = turn.state.crashes.get(key, (0, 0))
    return count >= CRASHES and turn.now_ms < last_ms + rest_ms
