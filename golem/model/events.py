"""Past participles: everything that can happen to a node. An event with a `key` completes the effect of that key."""

from __future__ import annotations

from golem.model.chain import Receipt, Sighting
from golem.model.ids import Address, Cid, NodeId, TaskId
from golem.model.messages import Message, Place, Reason
from golem.model.money import Wei
from golem.model.settings import Settings
from golem.model.spec import Capability, Count, Name, Outcome, Resource, TaskSpec, Text
from golem.model.value import Value


class Stamp(Value, array_like=True):
    """When an event happened, and the chance it brings: `salt` is fresh from the operating system."""

    at_ms: int
    salt: bytes


class Started(Value):
    """The node runs, after a first start or a later one; sessions of an earlier run are gone.

    `address`: where it listens, as others should dial it. `payee`: its own account.
    """

    node_id: NodeId
    address: Place
    payee: Address
    settings: Settings
    capability: Capability


class Located(Value):
    """Others dial this node there from now on: straight, or through a relay; nowhere, where it is empty.

    `is_proved`: somebody did.
    """

    address: Place
    is_proved: bool = False


class TaskSubmitted(Value):
    """The user wants a task done. `resources`: what becomes `spec.inputs`."""

    task_id: TaskId
    spec: TaskSpec
    resources: tuple[Resource, ...] = ()


class TaskCancelled(Value):
    """The user wants a task ended."""

    task_id: TaskId


class Connected(Value):
    """A session with a peer stands; who it is has been proved on the channel.

    `address`: where it can be dialled. `gateway`: "host:port" where it serves content. `payee`: its account.
    `epoch`: changes when the peer lost its journal, and with it all memory of what was said. `dialled`: by us.
    `host`: where it speaks from; empty where a relay carries it.
    """

    peer: NodeId
    address: Place
    gateway: Place
    payee: Address
    epoch: str
    dialled: bool = False
    host: str = ""


class Lost(Value):
    """The session with a peer ended, or it was silent for too long."""

    peer: NodeId


class Heard(Value):
    """A peer said something; signature, order and expiry have been checked."""

    peer: NodeId
    sequence: int
    message: Message


class TimerFired(Value):
    """The instant that `SetTimer` named has come."""

    name: str


class PayersFound(Value):
    """The contract's history was looked through for whoever has paid us. `paid`: by payer, all ever."""

    paid: dict[Address, Wei]


class Rested(Value):
    """This machine takes no new work from now on, for a reason; or takes it again, without one."""

    reason: Reason | None


class Gauged(Value):
    """This machine was tried at a template's work: its speed, in percent of what the template guesses.

    `machine`: what it was tried on. Where that changes, it is tried again.
    """

    template: Name
    machine: Text
    percent: Count


class Published(Value):
    """Content of ours is in the store and served."""

    key: str
    cid: Cid
    size_bytes: int


class Fetched(Value):
    """Content is here, whole and checked against its id."""

    key: str
    size_bytes: int


class Deceived(Value):
    """A gateway sent bytes that are not what their id names, for the fetch `key`, which goes on without it."""

    key: str
    source: Place


class Executed(Value):
    """A job ended, one way or the other."""

    key: str
    outcome: Outcome


class Exported(Value):
    """Content was written to the user's folder. `path`: where, exactly."""

    key: str
    path: str


class Deposited(Value):
    """Our deposit is in the contract."""

    key: str
    receipt: Receipt


class Paid(Value):
    """A batch is in a block that is deep enough to count."""

    key: str
    receipt: Receipt


class Claimed(Value):
    """A voucher of ours has been taken by the contract."""

    key: str
    receipt: Receipt


class Withdrawn(Value):
    """What we had earned is in our wallet."""

    key: str
    receipt: Receipt


class Observed(Value):
    """A look at the chain."""

    key: str
    sighting: Sighting


class Failed(Value):
    """The world failed to carry out the effect `key`. `fault`: the error's class name."""

    key: str
    fault: str
    detail: str


Event = (
    Started
    | Located
    | TaskSubmitted
    | TaskCancelled
    | Connected
    | Lost
    | Heard
    | TimerFired
    | Rested
    | Gauged
    | PayersFound
    | Published
    | Fetched
    | Deceived
    | Executed
    | Exported
    | Deposited
    | Paid
    | Claimed
    | Withdrawn
    | Observed
    | Failed
)
Completion = Published | Fetched | Executed | Exported | Deposited | Paid | Claimed | Withdrawn | Observed | Failed
