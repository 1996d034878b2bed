"""The records of the control API, as a client reads them: every field has a default, and what we don't know is skipped.

Amounts of wei are `int` here and decimal strings in JSON; instants are milliseconds since 1970, durations milliseconds.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from golem.errors import Fault
from golem.model.value import Value

View = TypeVar("View", bound="Record")

LAST_PHASES = frozenset({"done", "failed", "cancelled"})

Amount = Annotated[str, Meta(pattern=r"\A[0-9]+\Z")]
"""Wei, as a decimal string; `int()` it."""


class Record(Value, tag=False, forbid_unknown_fields=False):
    """Base of all records: open to fields that a newer node adds."""


class Funds(Record):
    """`free`: in the contract, to pay with; `claimable`: in it, for us to withdraw; `wallet`: outside of it.

    `gas`: what the node's own transactions have cost so far. `problems`: what there is too little of, and the way out.
    """

    free: Amount = "0"
    claimable: Amount = "0"
    wallet: Amount = "0"
    gas: Amount = "0"
    problems: tuple[str, ...] = ()


class Status(Record):
    """A node. `busy` of `slots` run a job, by `tier`; `owed`: by us; `due`: to us; `refused`: by limit."""

    node_id: str
    version: str = ""
    network: str = ""
    address: str = ""
    account: str = ""
    started_ms: int = 0
    peers: int = 0
    is_provider: bool = False
    slots: int = 0
    busy: int = 0
    tier: str = ""
    gpus: tuple[str, ...] = ()
    has_chain: bool = True
    templates: tuple[str, ...] = ()
    funds: Funds = Funds()
    owed: Amount = "0"
    due: Amount = "0"
    reached: str = ""
    refused: dict[str, int] = {}
    tasks: dict[str, int] = {}
    problems: tuple[str, ...] = ()


class Parameter(Record):
    """One parameter of a template. `default`: None where the user must say it."""

    name: str
    help: str = ""
    default: str | None = None


class Template(Record):
    """A kind of task. `environment`: what its jobs need. `speed`: in percent, here; 0: not tried. `schema`: JSON's."""

    name: str
    title: str = ""
    environment: str = ""
    speed: int = 0
    parameters: tuple[Parameter, ...] = ()
    schema: dict[str, object] = {}


class Subtask(Record):
    """One attempt at one chunk. `amount`: what was accepted for it. `reason`: why it is in this phase.

    `percent`: how far its provider says it is, while it is assigned.
    """

    subtask_id: str
    chunk: int = 0
    label: str = ""
    attempt: int = 0
    phase: str = ""
    percent: int = 0
    provider: str = ""
    price: Amount = "0"
    amount: Amount = "0"
    used_ms: int = 0
    reason: str = ""


class Task(Record):
    """One task. `results`: paths on this machine by name. `pending`, `running`, `accepted`: chunks of `chunks`."""

    task_id: str
    template: str = ""
    phase: str = ""
    reason: str = ""
    submitted_ms: int = 0
    finished_ms: int = 0
    chunks: int = 0
    pending: int = 0
    running: int = 0
    accepted: int = 0
    budget: Amount = "0"
    spent: Amount = "0"
    max_price: Amount = "0"
    output: str = ""
    results: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.phase in LAST_PHASES


class Log(Record):
    """What an attempt printed, as far as it is kept. `provider`: "here", where it is computed by us."""

    subtask_id: str
    chunk: int = 0
    provider: str = ""
    percent: int = 0
    log: str = ""


class Evidence(Record):
    """What a verdict against a result rests on. `signed`: all of it, as golem.model.evidence has it, in base64.

    `contents`: the cids of what the checks read.
    """

    subtask_id: str
    chunk: int = 0
    provider: str = ""
    judgement: str = ""
    reason: str = ""
    signed: str = ""
    contents: tuple[str, ...] = ()


class Rehearing(Record):
    """What a verdict was `said` to be, and was `found` to be here, by so many `checks`; and why, each."""

    requestor: str
    provider: str
    subtask_id: str
    template: str = ""
    checks: int = 0
    said: str = ""
    said_why: str = ""
    found: str = ""
    found_why: str = ""


class Job(Record):
    """An attempt that is computed here for somebody."""

    subtask_id: str
    task_id: str = ""
    template: str = ""
    requestor: str = ""
    phase: str = ""
    percent: int = 0
    since_ms: int = 0


class Reason(Record):
    """Why something waits, and how often that was said. `by`: who said so, where known."""

    reason: str
    count: int = 1
    by: str = ""


class Group(Record):
    """Chunks that wait, alike to every node. `which`: some of them; `reasons`: one of every known node."""

    chunks: int = 0
    which: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


class Explanation(Record):
    """Why a task waits. Of its `chunks`, some are accepted, verifying, computing and waiting; the `groups` have those
    that wait, and in each the reasons' counts add up to `peers`, the nodes we know. `advice`: what may help.
    """

    task_id: str
    phase: str = ""
    reason: str = ""
    chunks: int = 0
    accepted: int = 0
    verifying: int = 0
    computing: int = 0
    waiting: int = 0
    peers: int = 0
    groups: tuple[Group, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What is said about most of the chunks that wait."""
        return self.groups[0].reasons if self.groups else ()


class Lost(Record):
    """An offer that led to no work. `asked`: our price per hour; `price`: the most that others got, 0: not known."""

    task_id: str
    requestor: str = ""
    at_ms: int = 0
    asked: Amount = "0"
    reason: str = ""
    price: Amount = "0"


class Prospects(Record):
    """Why a provider gets no work, or not more. `reasons`: of each of the `demands` we know one. `queued`: for a slot.

    Of the `offers` ever made some were `taken`, some are `waiting`; the rest are `losses`, the latest in `lost`.
    `network`: the mean of how far about so many `raters` trust us as a provider.
    """

    is_provider: bool = False
    peers: int = 0
    slots: int = 0
    busy: int = 0
    queued: int = 0
    demands: int = 0
    reasons: tuple[Reason, ...] = ()
    offers: int = 0
    taken: int = 0
    waiting: int = 0
    losses: tuple[Reason, ...] = ()
    lost: tuple[Lost, ...] = ()
    reached: str = ""
    network: float = 0.0
    raters: float = 0.0
    advice: tuple[str, ...] = ()


class Payment(Record):
    """Money between us and one account. `direction`: "out" or "in". `due_ms`: when the oldest unpaid work is due.

    `state`: settled, due, late, delayed, sending (in the open batch) or claiming. `reserved`: set aside for the payee.
    `last_ms`, `last_tx`: of the latest payment. `on_chain`: all ever paid, by the contract; `problem`: why unseen.
    """

    direction: str
    account: str
    promised: Amount = "0"
    paid: Amount = "0"
    due_ms: int = 0
    state: str = ""
    reserved: Amount = "0"
    last_ms: int = 0
    last_tx: str = ""
    on_chain: Amount | None = None
    problem: str = ""


class Found(Record):
    """A requestor that our books had forgotten. `paid`: to us, all ever."""

    account: str
    paid: str


class Estimate(Record):
    """What a task may cost: from `least` to `most`, for `time_ms` of slots. `is_enough`: the budget covers `most`."""

    chunks: int = 0
    time_ms: int = 0
    least: Amount = "0"
    most: Amount = "0"
    is_enough: bool = True


class Finding(Record):
    """One law of the books. `broken`: what breaks it, where it does not hold."""

    law: str
    words: str = ""
    holds: bool = False
    broken: tuple[str, ...] = ()


class Happening(Record):
    """Something happened. `topic`: a task's id, or "node"."""

    topic: str
    name: str
    at_ms: int = 0
    fields: dict[str, str | int] = {}


def view(kind: type[View], record: object) -> View:
    """One record. Raises Fault where a node answers what it should not."""
    try:
        return msgspec.convert(record, kind)
    except msgspec.ValidationError as why:
        raise Fault(f"the node's answer does not fit: {why}; are node and command of one version?") from why


def views(kind: type[View], records: object) -> list[View]:
    """Records in their order. Raises Fault as `view` does."""
    if not isinstance(records, list):
        raise Fault("the node's answer is no list; are node and command of one version?")
    return [view(kind, record) for record in records]


class Kept(Record):
    """A content that is here. `owners`: ids of the tasks that keep it, or `user/` and its cid."""

    cid: str
    size_bytes: int = 0
    owners: tuple[str, ...] = ()


class Incoming(Record):
    """A content that comes in."""

    cid: str
    size_bytes: int = 0
    received_bytes: int = 0


class Importing(Record):
    """A file or folder that is put in."""

    path: str
    read_bytes: int = 0


class Stock(Record):
    """What the content store has. `used_bytes` of `quota_bytes`: on this disk, without the user's own files.

    `gateway`: where others take what is public, as seen from this machine.
    """

    kept: tuple[Kept, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    importing: tuple[Importing, ...] = ()
    used_bytes: int = 0
    quota_bytes: int = 0
    gateway: str = ""
