"""The I/O ports: asynchronous, and used by the driver alone.

Each has one contract test class, `golem.testing.contract_*`, which the real thing and the double both pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from zope.interface import Attribute, Interface

from golem.model.chain import Batch, Consent, Order, Receipt, Sighting, Statement, Voucher
from golem.model.content import Content, Survey
from golem.model.ids import NOBODY, Address, Cid, Ticket
from golem.model.messages import Place
from golem.model.money import NOTHING, Wei
from golem.model.spec import Capability, Job, Limits, Outcome
from golem.model.value import Value

Accuse = Callable[[Place], object]
"""Told of a gateway that lied."""


class IParcels(Interface):
    """Small content inside the messages that name it. Both methods answer at once."""

    def pack(cids: Sequence[Cid]) -> bytes:
        """Blocks of contents that were put here lately, at most MAX_ALONG_BYTES, and perhaps none."""

    def unpack(along: bytes) -> None:
        """Take blocks that came in a message, for a `get` that will want them soon. Raises ContentMismatch."""


class IResourceStore(Interface):
    """Content by its id: put, got from other nodes and checked against the id, pinned, served."""

    parcels = Attribute("IParcels: what of this store's travels in messages, and what came in some")

    def admit(owner: str, ticket: Ticket) -> None:
        """Serve what is pinned for `owner` to those who prove to know `ticket`, and prove it to others who have it.

        Holds until `unpin` and as long as the process; the first ticket of an owner stays. Without one nobody is
        served, unless the owner is the user: what is pinned for `user/` and anything is public.
        """

    def put(path: str, owner: str) -> Awaitable[Content]:
        """Import a file or folder, pin it for `owner`, and serve it.

        Folders hold plain files and folders only. Raises StoreFault, naming the path that is neither.
        """

    def get(cid: Cid, sources: Sequence[Place], limit: int, owner: str, accuse: Accuse | None = None) -> Awaitable[int]:
        """Have all of `cid` here, pinned for `owner`, and say how many bytes its files hold.

        What is here already is not fetched again. `sources`: gateways, "host:port". `accuse`: told of each that sent
        bytes which are not what their id names; it is asked no more.
        Raises TooLarge past `limit` bytes, ContentMissing where no source has it, StoreFault; keeps nothing then.
        """

    def materialise(cid: Cid, into: str) -> Awaitable[None]:
        """Write content that is here as a file or folder at the path `into`, which must not exist."""

    def unpin(owner: str) -> Awaitable[None]:
        """Let go of all that is pinned for `owner` alone; what comes in for it is hung up on."""

    def survey() -> Awaitable[Survey]:
        """Say what is here."""

    def collect() -> Awaitable[int]:
        """Forget what can't be read any more; says how many bytes that freed."""


class Room(Value):
    """Where an executor runs one job.

    `program`: folder with the template's programs, mounted read-only as `/app`. `inputs`: name to path, mounted
    read-only under `/in`. `output`: where the executor puts the folder of what the job made, if it made anything.
    `image`: of a container, for executors that take one; empty: this machine's own system and Python.
    `devices`: files of this machine's that the job may open beside those. `modules`: a folder of Python modules that
    come before the interpreter's own, or empty.
    """

    program: str
    inputs: dict[str, str]
    output: str
    image: str = ""
    devices: tuple[str, ...] = ()
    modules: str = ""


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
    writes is in, by which it is known again. All are paths of this machine. `image`, `devices`: as in Room; `modules`,
    too: read-only as `/modules`, where there are any.
    """

    room: str
    program: str
    inputs: str
    output: str
    worker: str
    image: str = ""
    devices: tuple[str, ...] = ()
    modules: str = ""


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
    is_wasm = Attribute("bool: whether programs are WebAssembly, not Python")

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

    def consent(payer: Address) -> Awaitable[Consent]:
        """Sign that `payer` may have its reserve for us back now. Raises NotFound where there is none."""

    def withdraw(payers: Sequence[Address], to: Address = NOBODY) -> Awaitable[Receipt]:
        """Take out all that these payers have paid us, into our wallet or another."""

    def payers(since: int = 0) -> Awaitable[Sequence[Address]]:
        """Whoever has paid us by a batch or a claim since block `since`, by the contract's history.

        For books that were lost: it reads all blocks, minutes on a public chain. Raises ChainFault.
        """

    def inspect(payers: Sequence[Address], payees: Sequence[Address]) -> Awaitable[Statement]:
        """The contract's side of our books, at one block a few deep. Raises ChainFault."""

    def close() -> None:
        """Let go of threads, connections and files. Blocks for as long as a call that is under way takes."""


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
