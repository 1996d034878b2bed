"""One job while it runs: whether it keeps its limits, whether it still does anything, and how far it says it is."""

from __future__ import annotations

import re

from golem.model.spec import MAX_LOG_BYTES, Job, Outcome, Status
from golem.node.disk import Measured
from golem.node.memory import Usage

TELLS = re.compile(rb"^progress +(\d{1,3})(?:\.\d*)? *%", re.MULTILINE)
LINE_BYTES = 64  # of a line that tells progress; what comes before the last piece of log may be its beginning
MOST = 99  # percent of a job that is not done
MIB = 1 << 20


class Vigil:
    """`log`: the tail of what the job printed. `percent`: how far it is. `peak_bytes`: the most memory seen."""

    def __init__(self, job: Job, now_s: float) -> None:
        self.job = job
        self.log = b""
        self.percent = 0
        self.peak_bytes = 0
        self.began_s = now_s
        self._printed = 0
        self._active_s = now_s
        self._signs: tuple[int, ...] = ()

    def left_ms(self, now_s: float) -> int:
        """How much of its time is left."""
        return self.job.limits.timeout_ms - round((now_s - self.began_s) * 1000)

    def heard(self, data: bytes) -> None:
        """It printed something."""
        self._printed += len(data)
        known = len(self.log[-LINE_BYTES:])
        self.log = (self.log + data)[-MAX_LOG_BYTES:]
        if told := TELLS.findall(self.log[-len(data) - known :]):
            self.percent = min(int(told[-1]), MOST)

    def judge(self, now_s: float, used: Usage, made: Measured) -> Outcome | None:
        """What it takes now: the outcome that it is ended with, or None where it may go on."""
        limits = self.job.limits
        self.peak_bytes = max(self.peak_bytes, used.memory_bytes)
        if self.job.files:
            self.percent = max(self.percent, min(made.files * 100 // self.job.files, MOST))
        if used.memory_bytes > limits.memory_bytes:
            return Outcome(status=Status.OUT_OF_MEMORY, detail=self.memory())
        signs = (used.cpu_ticks, used.io_bytes, made.bytes, self._printed)
        if signs != self._signs or not used.memory_bytes:  # of what can't be seen, nothing is said
            self._signs, self._active_s = signs, now_s
        if (now_s - self._active_s) * 1000 >= limits.stuck_ms:
            idle_s = f"{limits.stuck_ms / 1000:g} s"
            detail = f"no computing, no reading or writing, and no line of log for {idle_s}, at {self.percent} %"
            return Outcome(status=Status.STUCK, detail=detail)
        return None

    def memory(self) -> str:
        """What it took of its memory, for people."""
        most = self.job.limits.memory_bytes // MIB
        if self.peak_bytes > self.job.limits.memory_bytes:
            return f"took {self.peak_bytes // MIB} MiB, more than {most} MiB"
        return f"had {most} MiB, and {self.peak_bytes // MIB} MiB when it was last looked at"
