"""What the `golem` command's exit codes mean, and which error ends in which."""

from __future__ import annotations

from enum import IntEnum

from golem.errors import (
    BadParameters,
    ConfigError,
    GolemError,
    NotFound,
    NotRunning,
    Refused,
    UnknownTemplate,
)


class Exit(IntEnum):
    """The codes. Scripts rely on them: they are added to, never changed."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_RUNNING = 4
    CONFIG = 5
    REFUSED = 6
    INTERRUPTED = 130


MEANING = {
    Exit.OK: "done",
    Exit.FAILED: "the task failed, be it for want of funds, or the node or the world had a fault",
    Exit.USAGE: "the command or a task's parameters make no sense",
    Exit.NOT_FOUND: "no such task, template or node",
    Exit.NOT_RUNNING: "no node runs in that folder",
    Exit.CONFIG: "configuration, keys or password are not right",
    Exit.REFUSED: "the node says no, and says why",
    Exit.INTERRUPTED: "interrupted; a task that was submitted goes on",
}


class UsageError(GolemError):
    """The command line makes no sense."""


_CODES: tuple[tuple[type[GolemError], Exit], ...] = (
    (UsageError, Exit.USAGE),
    (BadParameters, Exit.USAGE),
    (NotFound, Exit.NOT_FOUND),
    (UnknownTemplate, Exit.NOT_FOUND),
    (NotRunning, Exit.NOT_RUNNING),
    (ConfigError, Exit.CONFIG),
    (Refused, Exit.REFUSED),
    (GolemError, Exit.FAILED),
)


def code(error: GolemError) -> Exit:
    """The code for an error: that of the first family it belongs to."""
    return next(exit_code for kind, exit_code in _CODES if isinstance(error, kind))
