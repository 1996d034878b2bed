"""Imperatives: everything a node can do. An effect with a `key` ends in one event of that key, come what may."""

from __future__ import annotations

from golem.model.chain import Batch, Voucher
from golem.model.ids import Address, Cid, JobId, NodeId, TaskId, Ticket
from golem.model.messages import Message, Place
from golem.model.money import Wei
from golem.model.spec import Job
from golem.model.value import Value


class Send(Value):
    """Tell one peer, in order and exactly once, now or when it is back."""

    to: NodeId
    message: Message


class Whisper(Value):
    """Tell these peers, if they are connected now; it may be lost, and nobody hears it later."""

    to: tuple[NodeId, ...]
    message: Message


class Dial(Value):
    """Try to have a session with whoever listens at `address`."""

    address: Place


class Drop(Value):
    """End the session with a peer."""

    peer: NodeId
    why: str


class SetTimer(Value):
    """Ask for `TimerFired(name)` at an instant; a timer of the same name is replaced."""

    name: str
    at_ms: int


class ClearTimer(Value):
    """Forget a timer, if it is set."""

    name: str


class Admit(Value):
    """Serve a task's content to whoever proves to know its ticket, and to nobody else.

    Holds until `Release`, and not beyond the end of the process. A task that has a ticket keeps it.
    """

    task_id: TaskId
    ticket: Ticket


class Publish(Value):
    """Put a file or folder of this machine into the store, for a task, and serve it. Ends in Published."""

    key: str
    task_id: TaskId
    path: str


class Fetch(Value):
    """Have content here for a task, from any of `sources`; more than `limit_bytes` is refused. Ends in Fetched."""

    key: str
    task_id: TaskId
    cid: Cid
    sources: tuple[Place, ...]
    limit_bytes: int


class Execute(Value):
    """Run a job in the sandbox and put what it made into the store. Its key is the job's id. Ends in Executed."""

    job: Job

    @property
    def key(self) -> str:
        """The job's id."""
        return self.job.job_id


class Stop(Value):
    """End a job now; its Executed says STOPPED."""

    job_id: JobId


class Export(Value):
    """Write content into a folder of the user's, under `name`. Ends in Exported."""

    key: str
    cid: Cid
    folder: str
    name: str


class Release(Value):
    """Forget content that was fetched or made for a task; it may be collected. Has no completion."""

    task_id: TaskId


class Deposit(Value):
    """Move money from the wallet into the contract. Ends in Deposited."""

    key: str
    amount: Wei


class Pay(Value):
    """Settle a batch on the chain, and wait until it is deep enough. Ends in Paid.

    `most_fee`: more than this for gas, in wei, and it is not sent now, but Failed as TooDear; 0: whatever it takes.
    """

    key: str
    batch: Batch
    most_fee: Wei = Wei(0)


class Claim(Value):
    """Have the contract credit us what a payer promised and did not pay in time. Ends in Claimed."""

    key: str
    voucher: Voucher


class Withdraw(Value):
    """Take out of the contract what payers have paid us. Ends in Withdrawn."""

    key: str
    payers: tuple[Address, ...]


class Observe(Value):
    """Look at the chain: our funds, what each of `payers` has paid us, and we each of `payees`. Ends in Observed."""

    key: str
    payers: tuple[Address, ...]
    payees: tuple[Address, ...] = ()


class Tell(Value):
    """Let whoever watches this node know. `topic`: a task id, or "node". `fields`: for people and scripts."""

    topic: str
    name: str
    fields: dict[str, str | int]


Effect = (
    Send
    | Whisper
    | Dial
    | Drop
    | SetTimer
    | ClearTimer
    | Admit
    | Publish
    | Fetch
    | Execute
    | Stop
    | Export
    | Release
    | Deposit
    | Pay
    | Claim
    | Withdraw
    | Observe
    | Tell
)
Pending = Publish | Fetch | Execute | Export | Deposit | Pay | Claim | Withdraw | Observe
"""Effects that end in an event; performed again after a crash if that event was not journaled."""
