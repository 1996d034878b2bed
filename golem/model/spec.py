"""What is to be computed, on what terms, and what came of it."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from msgspec import Meta

from golem.model.ids import Cid, JobId, TaskId
from golem.model.money import Wei
from golem.model.value import Value

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,118}\Z")]
"""One component of a path or the name of a template: nothing a shell, a file system or a terminal could trip over."""

Text = Annotated[str, Meta(max_length=4096)]
Count = Annotated[int, Meta(ge=0, le=2**53)]

MAX_PARAMS_BYTES = 16 << 10  # JSON a template makes for one chunk; content goes by Cid
MAX_REPORT_BYTES = 4 << 10  # JSON a job answers with; it travels in the delivery itself
MAX_LOG_BYTES = 4 << 10  # the tail of a job's log that travels with its outcome
MAX_GPUS = 16  # in one machine
MAX_GPU_NAME = 64  # characters

Params = Annotated[bytes, Meta(max_length=MAX_PARAMS_BYTES)]
Report = Annotated[bytes, Meta(max_length=MAX_REPORT_BYTES)]


Tiers = Annotated[tuple[Name, ...], Meta(max_length=8)]
"""Names of ways to keep a job apart from the machine, as offers carry them: `sandbox`, `docker` …"""


class Resource(Value):
    """A user's file or folder, and the name under which jobs see it. Local: never sent."""

    name: Name
    path: str


class Input(Value):
    """Content a job reads, mounted read-only as `/in/<name>`; a file or a folder."""

    name: Name
    cid: Cid
    size_bytes: Count


class Limits(Value):
    """What a job may use at most. Past any of them it is ended, with the reason.

    `stuck_ms`: how long it may go without computing, reading, writing or printing anything; it has nothing to wait for.
    """

    cores: Annotated[int, Meta(ge=1, le=1024)] = 1
    memory_bytes: Count = 2 << 30
    output_bytes: Count = 1 << 30
    timeout_ms: Annotated[int, Meta(ge=1, le=7 * 24 * 3_600_000)] = 3_600_000
    stuck_ms: Annotated[int, Meta(ge=1, le=7 * 24 * 3_600_000)] = 300_000


WASI = "wasi_snapshot_preview1"
"""What an environment names as its module whose programs are WebAssembly, not Python."""


Device = Literal["", "nvidia"]
"""What there may be beside processors: `nvidia` for all of the machine's cards."""


class Environment(Value):
    """What a template's jobs need of a machine.

    `name`: what offers and demands compare; it changes whenever results would. `modules`: Python modules that must
    be importable in the sandbox, or WASI. `image`: a container image by digest, for executors that take one, or empty.
    `device`: what a machine must have beside processors, and show to jobs that ask for it.
    """

    name: Name
    modules: tuple[str, ...] = ()
    image: str = ""
    device: Device = ""


class Capability(Value):
    """What a provider says it has: a claim, until measured. `gpus`: by the names that their driver gives them."""

    tier: Name
    cores: Annotated[int, Meta(ge=1, le=1024)]
    memory_bytes: Count
    environments: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    gpus: Annotated[tuple[Annotated[str, Meta(max_length=MAX_GPU_NAME)], ...], Meta(max_length=MAX_GPUS)] = ()


class Chunk(Value):
    """A piece of the work itself, as `split` made it. `params`: a JSON object that only the template reads."""

    index: Count
    label: Text
    params: Params


class Job(Value):
    """One attempt as an executor is told it.

    `program`: a module in the template's `job` folder, with `run(params, inputs, output) -> report`.
    `params`: a JSON object. `warm`: may share a running worker with other jobs of the same task. `files`: how many it
    makes, by which its progress is told; 0 where it prints `progress 40%` itself, or keeps silent. `device`: what it is
    shown beside processors, where the machine has it.
    """

    job_id: JobId
    task_id: TaskId
    template: Name
    program: Name
    params: Params
    inputs: Annotated[tuple[Input, ...], Meta(max_length=4096)] = ()
    limits: Limits = Limits()
    warm: bool = False
    files: Count = 0
    device: Device = ""


class Merge(Value):
    """A result made of several chunks' results, as soon as all of them are accepted. `chunks`: their indices."""

    name: Name
    chunks: tuple[int, ...]


class Status(Enum):
    """How a job ended. Only DONE has a result; FAULT is ours and says nothing about the job.

    ERROR: it said so itself. CRASHED: it took its worker with it. STUCK: it did nothing any more.
    """

    DONE = "done"
    ERROR = "error"
    CRASHED = "crashed"
    STUCK = "stuck"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out of memory"
    OUTPUT_REFUSED = "output refused"
    STOPPED = "stopped"
    FAULT = "fault"


class Outcome(Value):
    """What came of a job.

    `result`: a folder of files, or empty where the report is all. `used_ms`: wall-clock time of one slot.
    `peak_bytes`: the most memory that was seen, four times a second; 0 for a job that was too short for that.
    `detail`: for people. `log`: the tail of what the job printed.
    """

    status: Status
    result: Cid = Cid("")
    size_bytes: Count = 0
    report: Report = b"{}"
    used_ms: Count = 0
    peak_bytes: Count = 0
    detail: Text = ""
    log: Annotated[str, Meta(max_length=MAX_LOG_BYTES)] = ""


class Judgement(Enum):
    """UNSURE is never held against the provider: the chunk is done again by another."""

    ACCEPT = "accept"
    WRONG = "wrong"
    MALFORMED = "malformed"
    UNSURE = "unsure"


class Verdict(Value):
    """A verifier's answer. `reason` names check, place, metric, value and threshold, for `explain`."""

    judgement: Judgement
    reason: Text = ""
    checked: bool = True


class TaskSpec(Value):
    """One user's request, whole. Immutable from submission on.

    `params`: a JSON object as `ITaskTemplate.parse` returned it. `inputs`: filled in once published.
    `max_price`: wei per hour of one slot. `output`: a folder of the requestor's machine for the merged results.
    `tiers`: what may keep the jobs apart from a provider's machine; empty: anything.
    `check_share`: at least so many of the results are checked, where the template lets checks be sampled, or at least
    so closely, where all are; 1: all, as closely as can be.
    """

    template: Name
    params: Params
    budget: Wei
    max_price: Wei
    output: str
    inputs: tuple[Input, ...] = ()
    limits: Limits = Limits()
    deadline_ms: Count = 0
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 8
    tiers: Tiers = ()
    check_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
