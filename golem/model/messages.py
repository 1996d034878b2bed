"""Nouns: everything one node says to another, once both are known. The handshake is `golem.wire.session`'s.

Messages travel in signed envelopes (`golem.wire.envelope`), in order and exactly once between two durable nodes.
A tag (the class name) never changes its meaning; bodies must be canonical, so a new field means a new version.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, NewType

from msgspec import Meta

from golem.model.budgets import ALONG
from golem.model.chain import Voucher
from golem.model.ids import NOBODY, Address, Cid, NodeId, SubtaskId, TaskId, Ticket
from golem.model.money import Wei
from golem.model.spec import Capability, Count, Job, Limits, Name, Report, Text, Tiers
from golem.model.value import Value

MAX_SAID = 2_048  # characters of a job's log in one message; a second of it
MAX_TOLD = 16  # peer records in one message: 4 KiB
MAX_IDS = 256  # of news in one message: 9 KiB
MAX_SOURCES = 7  # beside the requestor; a fetcher asks eight
MAX_ALONG_BYTES = ALONG.limit  # as many as a chunk's own parameters
MAX_SUMS = 512  # in one Share: 50 KiB
MAX_OPINIONS = 64  # in one message: 6 KiB
MAX_EVIDENCE = 10**9  # a million deeds

Place = Annotated[str, Meta(max_length=120)]
"""Where a node listens: "host:port"."""

Along = Annotated[bytes, Meta(max_length=MAX_ALONG_BYTES)]
"""Blocks of the content that a message names, as a CAR: the first of it, or all. The shell takes them out."""

NewsId = NewType("NewsId", Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")])
"""A demand as it is announced once, or a withdrawal."""

Rated = NewType("Rated", Annotated[str, Meta(pattern=r"\A(provider|requestor)/0[23][0-9a-f]{64}\Z")])
"""Who is rated, and as what."""

Sum = Annotated[int, Meta(ge=-(2**60), le=2**60)]
"""In units of 2**-32: room for 2**28 raters."""

Evidence = Annotated[int, Meta(ge=0, le=MAX_EVIDENCE)]
"""In thousandths of a deed."""


class Reason(Enum):
    """Why somebody says no: data on the wire, counted for `explain`."""

    BUSY = "no free slot"
    PRICE_TOO_LOW = "the demand pays less than the provider's least price"
    PRICE_TOO_HIGH = "the offer asks more than the demand's most"
    REPUTATION = "the other side's reputation is below the limit"
    TEMPLATE = "the template is not enabled here"
    ENVIRONMENT = "the environment is not available here"
    TIER = "the demand wants its jobs kept apart in another way than this provider does"
    RESOURCES = "not enough cores, memory or disk here"
    TOO_LONG = "jobs may take longer than the provider allows"
    HOURS = "the provider's hours are over"
    IN_USE = "the provider's machine is used for something else"
    DISK = "the provider's disk is nearly full"
    UNLISTED = "the provider works for the requestors on its list only"
    CRASHED = "jobs of this template and requestor crashed on this provider twice"
    FAULTY = "the provider's own sandbox or disk failed twice"
    EXPOSURE = "too much unpaid work for this requestor already"
    CLOSED = "the task is over"
    BUDGET = "the budget is spent"
    LATE = "the lease had lapsed"
    QUARANTINE = "a wrong result was seen from this node lately"
    OUTBID = "others got all the work: they are cheaper, faster or more trusted"
    BETTER = "the provider offers for better paid or more trusted work first"
    UNKNOWN = "no such agreement or subtask"
    OVERDUE = "earlier work for this requestor is overdue and not paid"
    TOO_MANY = "more news of one node, or by one neighbour, than others carry"
    UNREACHABLE = "the other side's address can't be dialled from here, or not again so soon"
    NOT_PROVIDING = "the node does not provide"


class Demand(Value):
    """Broadcast: this task is open, on these terms. Signed by itself, since nodes pass it on.

    `max_price`: wei per hour of one slot. `address`: where the requestor listens.
    `expires_ms`: forgotten then. `signature`: by `requestor`, over the demand with this field empty.
    """

    task_id: TaskId
    requestor: NodeId
    address: Place
    template: Name
    environment: Name
    max_price: Wei
    limits: Limits
    chunks: Count
    expires_ms: Count
    tiers: Tiers = ()
    signature: Annotated[bytes, Meta(max_length=64)] = b""


class Withdrawal(Value):
    """The task needs no more providers; what is assigned goes on.

    `requestor`, `signature`: by whom, as in a demand, where nodes pass it on; without, it is the sender's own task.
    """

    task_id: TaskId
    requestor: NodeId | None = None
    signature: Annotated[bytes, Meta(max_length=64)] = b""


class Offer(Value):
    """A provider answers a demand with its own price, in wei per hour of one slot, and how many slots it has free.

    `speed`: in percent of what the template guesses, by the provider's own trial: a claim; 0 where there was none.
    """

    task_id: TaskId
    price: Wei
    slots: Annotated[int, Meta(ge=1, le=1024)]
    capability: Capability
    speed: Count = 0


class Refusal(Value):
    """A polite no to a demand, an offer, or an assignment (then `subtask_id` names it).

    `price`: what the provider that says no to a demand would ask, in wei per hour of one slot; to a provider that was
    OUTBID, the most that another was paid.
    """

    task_id: TaskId
    reason: Reason
    subtask_id: SubtaskId | None = None
    price: Wei = Wei(0)


class Assignment(Value):
    """The requestor takes an offer for one subtask. `job.job_id` is the subtask's id.

    `price`: as offered. `cap`: the most this subtask can cost, in wei. `deadline_ms`: results after it are late.
    `sources`: gateways of others who work at the task, and have its inputs, or a part. `ticket`: opens its content.
    `along`: of the inputs, what has room.
    """

    subtask_id: SubtaskId
    price: Wei
    cap: Wei
    deadline_ms: Count
    job: Job
    sources: Annotated[tuple[Place, ...], Meta(max_length=MAX_SOURCES)] = ()
    ticket: Ticket = Ticket(b"")
    along: Along = b""


class Delivery(Value):
    """The provider hands over a subtask's result: content to fetch from it, or a report that says it all.

    `along`: of the result, what has room.
    """

    subtask_id: SubtaskId
    result: Cid
    size_bytes: Count
    report: Report
    used_ms: Count
    along: Along = b""


class Failure(Value):
    """The provider could not do the subtask, and says so in time."""

    subtask_id: SubtaskId
    detail: Text
    log: Text = ""


class Acceptance(Value):
    """The result is right: `amount` is owed, which brings all ever owed to this provider to `cumulative`.

    `due_ms`: paid by then. The provider matches payments by `cumulative` alone. `payer`, `payee`, `signature`: they
    make it a voucher (`golem.wire.voucher`), which the contract takes where the payment does not come.
    """

    subtask_id: SubtaskId
    amount: Wei
    cumulative: Wei
    due_ms: Count
    payer: Address = NOBODY
    payee: Address = NOBODY
    signature: Annotated[bytes, Meta(max_length=65)] = b""

    @property
    def voucher(self) -> Voucher:
        """The promise alone."""
        return Voucher(
            payer=self.payer,
            payee=self.payee,
            cumulative=self.cumulative,
            due_ms=self.due_ms,
            signature=self.signature,
        )


class Reminder(Value):
    """A payee shows a payer what it has signed, in case the payer has lost its books: the newest voucher."""

    voucher: Voucher


class Delay(Value):
    """A payer tells a payee that what it owes is not sent now, and why. It is late no later for that."""

    owed: Wei
    reason: Text


class Rejection(Value):
    """The result is not taken and not paid. `evidence`: what check found it, and how."""

    subtask_id: SubtaskId
    reason: Reason | None
    evidence: Text


class Cancellation(Value):
    """The subtask is not wanted any more; the provider stops it."""

    subtask_id: SubtaskId


class Progress(Value):
    """How far a subtask is, in percent, and what it printed since the last time: a claim, for people to look at.

    Sent without a number, about once a second, and lost where there is no session. Nothing is decided by it.
    """

    subtask_id: SubtaskId
    percent: Annotated[int, Meta(ge=0, le=100)]
    log: Annotated[str, Meta(max_length=MAX_SAID)] = ""


class PeerRecord(Value):
    """Where a node listens, by its own word. `at_ms`: when it said so; the latest counts. `signature`: by `node`."""

    node: NodeId
    address: Place
    at_ms: Count
    signature: Annotated[bytes, Meta(max_length=64)] = b""


class PeerList(Value):
    """Where some nodes listen, the sender perhaps among them."""

    peers: Annotated[tuple[PeerRecord, ...], Meta(max_length=MAX_TOLD)]


class Digest(Value):
    """News that the sender has, by id; whoever lacks some asks for them."""

    ids: Annotated[tuple[NewsId, ...], Meta(max_length=MAX_IDS)]


class Graft(Value):
    """Send me these, and from now on all news as soon as you have them."""

    ids: Annotated[tuple[NewsId, ...], Meta(max_length=MAX_IDS)]


class Prune(Value):
    """I had this already: from now on send me ids only."""


class Share(Value):
    """One half of an exchange of reputations: running sums of all that the sender ever gave on this edge.

    `epoch`: nothing counts beyond it. `number`: grows with every Share on this edge. `answers`: the number of the Share
    that this one answers, or 0. `degree`: how many neighbours the sender has. `sums`: target, value, weight.
    """

    epoch: Count
    number: Count
    answers: Count
    degree: Annotated[int, Meta(ge=1, le=4096)]
    sums: Annotated[tuple[tuple[Rated, Sum, Sum], ...], Meta(max_length=MAX_SUMS)]


class Opinions(Value):
    """What the sender saw of others and what its neighbours saw, as far as it believes them. Only what changed.

    `of`: target, good and bad of its own, faded to now, good and bad that it heard at first hand.
    """

    of: Annotated[tuple[tuple[Rated, Evidence, Evidence, Evidence, Evidence], ...], Meta(max_length=MAX_OPINIONS)]


Message = (
    Demand
    | Withdrawal
    | Offer
    | Refusal
    | Assignment
    | Delivery
    | Failure
    | Acceptance
    | Reminder
    | Delay
    | Rejection
    | Cancellation
    | Progress
    | PeerList
    | Digest
    | Graft
    | Prune
    | Share
    | Opinions
)
