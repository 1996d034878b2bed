"""The ports. I/O ports are asynchronous and used by the driver alone; policy ports are pure and used by the core.

Each I/O port has one contract test class, `golem.testing.contract_*`, which the real thing and the double both pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from enum import Enum

from zope.interface import Attribute, Interface

from golem.model.chain import Batch, Order, Receipt, Sighting, Statement, Voucher
from golem.model.ids import Address, Cid, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery, Demand, Offer, Place
from golem.model.money import NOTHING, Wei
from golem.model.spec import Capability, Chunk, Input, Job, Limits, Merge, Outcome, TaskSpec, Verdict
from golem.model.trade import Seen, Terms
from golem.model.value import Value

# I/O ports


class Content(Value):
    """What the store made of a file or folder. `size_bytes`: of all files together."""

    cid: Cid
    size_bytes: int


class IResourceStore(Interface):
    """Content by its id: put, got from other nodes and checked against the id, pinned, served."""

    def put(path: str, owner: str) -> Awaitable[Content]:
        """Import a file or folder, pin it for `owner`, and serve it.

        Folders hold plain files and folders only. Raises StoreFault, naming the path that is neither.
        """

    def get(cid: Cid, sources: Sequence[Place], limit: int, owner: str) -> Awaitable[int]:
        """Have all of `cid` here, pinned for `owner`, and say how many bytes its files hold.

        What is here already is not fetched again. `sources`: gateways, "host:port".
        Raises TooLarge past `limit` bytes, ContentMissing where no source has it, StoreFault; keeps nothing then.
        """

    def materialise(cid: Cid, into: str) -> Awaitable[None]:
        """Write content that is here as a file or folder at the path `into`, which must not exist."""

    def unpin(owner: str) -> Awaitable[None]:
        """Let go of all that is pinned for `owner` alone."""


class Room(Value):
    """Where an executor runs one job.

    `program`: folder with the template's programs, mounted read-only as `/app`. `inputs`: name to path, mounted
    read-only under `/in`. `output`: where the executor puts the folder of what the job made, if it made anything.
    `image`: of a container, for executors that take one; empty: this machine's own system and Python.
    """

    program: str
    inputs: dict[str, str]
    output: str
    image: str = ""


class IExecutor(Interface):
    """Runs jobs of strangers so that they see and touch their room and nothing else."""

    tier = Attribute("the name offers carry: `sandbox`, `docker` …")

    def probe() -> Awaitable[Capability]:
        """Say what this machine can run here; raises ExecutorFault, with the way out, where it can run nothing."""

    def run(job: Job, room: Room) -> Awaitable[Outcome]:
        """Run a job to its end within its limits; the outcome has no `result` yet: files, if any, lie in `room.output`.

        Never raises for what the job does. Raises ExecutorFault where the sandbox itself failed.
        """

    def stop(job_id: str) -> Awaitable[None]:
        """End the job; its `run` answers STOPPED within 1.5 s. Of a job that does not run: nothing happens."""

    def close() -> Awaitable[None]:
        """End every job and worker."""


class Berth(Value):
    """What a sandbox shows to the worker in it. `inputs`: read-only as `/in`; `output`: writable as `/out`.

    `program`: read-only as `/app`. `worker`: the script to run, read-only. `room`: the folder that all this worker
    writes is in, by which it is known again. All are paths of this machine. `image`: as in Room.
    """

    room: str
    program: str
    inputs: str
    output: str
    worker: str
    image: str = ""


class IGuest(Interface):
    """A worker in its sandbox."""

    pid = Attribute("int: the process on this machine whose descendants are the sandbox, or 0")
    inputs = Attribute("str: where the worker sees `Berth.inputs`: `/in` in a sandbox")
    output = Attribute("str: where it sees `Berth.output`: `/out` in a sandbox")

    def write(data: bytes) -> None:
        """Send to the worker's standard input."""

    def kill() -> None:
        """End everything in the sandbox now."""


class IGuestHearer(Interface):
    """Whoever wants to know what a worker says."""

    def said(data: bytes) -> None:
        """Some of the worker's standard output."""

    def logged(data: bytes) -> None:
        """Some of its standard error."""

    def ended(how: str, is_memory: bool) -> None:
        """The sandbox is gone, and everything in it. `is_memory`: for want of memory. Called once, last."""


class ILauncher(Interface):
    """One way to keep a stranger's program apart from this machine."""

    tier = Attribute("str: the name offers carry: `sandbox`, `docker` …")
    takes_images = Attribute("bool: whether `Berth.image` means anything to it")

    def check(rooms: str) -> Awaitable[None]:
        """Raises ExecutorFault, with the way out, where this machine can't do it.

        Ends what an earlier run of this node, whose workers' rooms are in `rooms`, left running.
        """

    def launch(berth: Berth, limits: Limits, hearer: IGuestHearer) -> Awaitable[IGuest]:
        """Start a worker. Raises ExecutorFault."""


class IChain(Interface):
    """The payment contract."""

    account = Attribute("Address: our own account, which pays and is paid")
    domain = Attribute("Domain: which contract on which chain; what vouchers are signed for")

    def observe(payers: Sequence[Address], payees: Sequence[Address] = ()) -> Awaitable[Sighting]:
        """Our funds, and what each of `payers` has ever paid us, at one block a few deep. Raises ChainFault.

        `payees`: whom to say of what we have ever paid them, at the latest block.
        """

    def deposit(key: str, amount: Wei) -> Awaitable[Receipt]:
        """Move `amount` wei from the wallet into the contract. Under one key it happens once."""

    def pay(batch: Batch, most_fee: Wei = NOTHING) -> Awaitable[Receipt]:
        """Settle `batch`; done when it is deep enough. Sent again it pays nothing more.

        `most_fee`: the most for gas, in wei; past it, TooDear, and nothing was sent. 0: whatever it takes.
        Raises NotEnoughFunds where the contract would revert, ChainFault otherwise.
        """

    def claim(voucher: Voucher) -> Awaitable[Receipt]:
        """Have what `voucher` promises us and its payer has not paid. Claimed again, it credits nothing more.

        Raises TooDear where that would not be worth its gas, NotEnoughFunds where the payer has nothing in the
        contract, BadSignature where the contract would not take the voucher, ChainFault otherwise.
        """

    def order(key: str, order: Order) -> Awaitable[Receipt]:
        """Do something with our deposit; under one key once. Raises NotEnoughFunds, ChainFault."""

    def withdraw(payers: Sequence[Address]) -> Awaitable[Receipt]:
        """Take out all that these payers have paid us."""

    def inspect(payers: Sequence[Address], payees: Sequence[Address]) -> Awaitable[Statement]:
        """The contract's side of our books, at one block a few deep. Raises ChainFault."""


class IKeyring(Interface):
    """The node key, and the payment key that is bound to it but is another."""

    node_id = Attribute("NodeId: the public half of the node key")
    account = Attribute("Address: of the payment key")

    def sign(digest: bytes) -> bytes:
        """64 bytes: secp256k1 ECDSA by the node key over a 32-byte digest, deterministic (RFC 6979), low s."""

    def sign_payment(digest: bytes) -> bytes:
        """65 bytes r, s, recovery id (0 or 1): by the payment key over a 32-byte digest."""


class IEntropy(Interface):
    """Where chance comes from."""

    def token(size: int) -> bytes:
        """`size` unpredictable bytes."""


class IJournal(Interface):
    """Turns, in order, on disk before their effects are performed. Synchronous: docs/adr/0003-journal.md."""

    def append(turns: Sequence[bytes]) -> None:
        """Make turns durable, all or none. Raises JournalFault."""

    def snapshot(state: bytes) -> None:
        """Replace all turns so far by the state they led to, atomically."""

    def replay() -> tuple[bytes | None, Sequence[bytes]]:
        """The last snapshot, and the turns after it."""

    def close() -> None:
        """Let go of the file."""


# Policy ports


class Parameter(Value):
    """For `--help` and forms. `default`: as text; None where the user must say it. `schema`: of what may be said."""

    name: str
    help: str
    default: str | None = None
    schema: dict[str, object] = {}


def schema_of(title: str, parameters: Sequence[Parameter]) -> dict[str, object]:
    """All parameters of a template as one JSON Schema (draft 2020-12)."""
    told = {
        one.name: {**one.schema, "description": one.help, **({} if one.default is None else {"default": one.default})}
        for one in parameters
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": told,
        "required": [one.name for one in parameters if one.default is None],
        "additionalProperties": False,
    }


class IVerifier(Interface):
    """Decides whether a result is right. Pure: what must be computed or measured is planned as jobs."""

    def plan(chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """Jobs whose reports `judge` needs; none where the delivery says enough.

        `work`: the job the provider was given. `salt`: fresh chance, unknown to the provider when it delivered.
        A planned job's ids are set by the core; it may read the result as an input.
        """

    def judge(chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """The verdict, from the reports of the planned jobs in their order. A malformed report is MALFORMED."""


class ISampled(Interface):
    """A verifier of whose results not all need be checked: what each would say does not depend on the others.

    Of a provider that has earned it, some results are drawn; the others are accepted with them, or checked with them.
    """

    least = Attribute("float: the least share of results to check, from 0 to 1")


class IEscalating(Interface):
    """A verifier in steps: where one is UNSURE, or its checks fail, the next is asked."""

    steps = Attribute("Sequence[IVerifier]: in their order; the verifier itself does as the first")


class Answer(Value):
    """What one provider made of a chunk. `trust`: in it, from 0 to 1."""

    provider: NodeId
    trust: float
    delivery: Delivery


class Ruling(Enum):
    """AGREED: all are right. MORE: one more is to be asked. REFEREE: `plan` and `judge` decide on each."""

    AGREED = "agreed"
    MORE = "more"
    REFEREE = "referee"


class IComparing(Interface):
    """A verifier that has several providers do each chunk. Jobs must not depend on who does them."""

    copies = Attribute("int: how many providers are asked to begin with, at least 2")
    most = Attribute("int: how many are asked at most")

    def compare(chunk: Chunk, answers: Sequence[Answer], salt: bytes) -> Ruling:
        """What follows from the answers that are in. With `most` of them, MORE is as REFEREE.

        The referee's jobs are planned once, for the first answer, and each answer is judged by their reports.
        """


class ITaskTemplate(Interface):
    """The whole logic of a kind of task. A module-level value, cheap to import; everything here is pure."""

    name = Attribute("str: as users write it")
    title = Attribute("str: one line for people")
    environment = Attribute("Environment: what its jobs need of a machine")
    parameters = Attribute("tuple[Parameter, ...]: what `parse` understands")
    programs = Attribute("str: the folder whose modules jobs name as `program`, by absolute path")

    def parse(params: Mapping[str, str]) -> bytes:
        """A user's parameters as canonical JSON; raises BadParameters with every mistake at once."""

    def split(spec: TaskSpec) -> Sequence[Chunk]:
        """The pieces of work, indices from 0 and contiguous; at least one."""

    def job(spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """The work of one attempt: `job_id` is `subtask`; `task_id` is set by the core."""

    def merges(spec: TaskSpec) -> Sequence[Merge]:
        """The results made of chunks; each chunk may serve several."""

    def merge(spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """The job that makes one merged result, run by the requestor; its ids are set by the core.

        Inputs: the deliveries' contents.
        """

    def verifier(spec: TaskSpec) -> IVerifier:
        """The IVerifier for this task's results."""

    def cost_ms(spec: TaskSpec, chunk: Chunk) -> int:
        """A guess at one chunk's time on one slot, in milliseconds; for estimates shown to the user only."""


class IPreparing(Interface):
    """A template whose tasks begin with a job of the requestor's own, which looks at the inputs before anyone is hired.

    What can't be computed is refused here, for nothing, and what only the inputs can tell becomes part of the spec.
    """

    def prepare(spec: TaskSpec) -> Job:
        """The job; its ids are set by the core. It sees the task's inputs."""

    def prepared(spec: TaskSpec, outcome: Outcome) -> TaskSpec:
        """The spec as the outcome of that job, which is DONE, makes it; raises BadParameters."""

    def estimate(spec: TaskSpec) -> tuple[int, int]:
        """The least and the most that all chunks together may take on one slot, in milliseconds; for people."""


class IGrowing(Interface):
    """A template that may want more once it has seen results: rounds."""

    def grown(spec: TaskSpec, merge: Merge, outcome: Outcome) -> TaskSpec:
        """The spec with what `merge` calls for, or the same, where it calls for nothing.

        The new spec's chunks begin with the old one's. Merges that are new, or made of more than before, are made.
        """


class IShowing(Interface):
    """A template that can show how far a task is."""

    def preview(spec: TaskSpec, chunk: Chunk, deliveries: Mapping[int, Delivery]) -> Job | None:
        """A short job that makes `preview.png` out of what is accepted, `chunk` the last; None where it is no use."""


class IFinishing(Interface):
    """A template with a last result made of all merged ones."""

    def finish(spec: TaskSpec, results: Sequence[Input]) -> Job | None:
        """The job, with the merged results as inputs in the order of `merges`; None where none is wanted.

        Asked with no results at first, only to know whether there will be one.
        """


class IMarketStrategy(Interface):
    """How a node trades. Pure: the same arguments bring the same answer; chance comes from `salt` alone."""

    def price(demand: Demand, terms: Terms) -> Wei:
        """What a provider asks, in wei per hour of one slot."""

    def choose(
        demands: Mapping[TaskId, Demand], price: Mapping[TaskId, Wei], trust: Mapping[NodeId, float]
    ) -> Sequence[TaskId]:
        """All demands that a provider could work for, at its price, the best first. `trust`: in their requestors."""

    def rank(
        demand: Demand, offers: Mapping[NodeId, Offer], seen: Mapping[NodeId, Seen], salt: bytes
    ) -> Sequence[NodeId]:
        """The offering providers, the best first. Asked again from time to time, with another salt."""
