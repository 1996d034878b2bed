"""A node's face without a node: answers from what a test puts in, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from threading import Thread
from typing import ParamSpec

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.task import Clock
from twisted.internet.threads import blockingCallFromThread

from golem.control.face import Record
from golem.control.server import ControlServer
from golem.errors import ConfigError, GolemError, NotFound, UnknownTemplate
from golem.model.chain import Order
from golem.model.ids import NOBODY, Address, derive
from golem.model.money import Wei
from golem.node.cases import Case
from golem.node.stock import Stock
from golem.node.submission import Submission
from golem.testing.store import MemoryResourceStore, MemoryWorld

PATIENCE_S = 10.0  # what a test waits for happens within milliseconds, or never
P = ParamSpec("P")
NODE_ID = "02" + "ab" * 32


class ScriptedOutlook:
    """What it sees of the market: the lists set."""

    def __init__(self) -> None:
        self.reasons: dict[str, list[Record]] = {}
        self.prospect: Record = {"is_provider": True}
        self.standings: list[Record] = []
        self.met: list[Record] = []
        self.stories: dict[str, list[Record]] = {}
        self.records: dict[str, dict[str, object]] = {}

    def explain(self, task_id: str) -> Record:
        """The reasons set, for two waiting chunks."""
        if task_id not in self.records:
            raise NotFound(f"no task {task_id}")
        group = {"chunks": 2, "which": ["one", "two"], "reasons": self.reasons.get(task_id, [])}
        return {"task_id": task_id, "phase": "open", "chunks": 2, "waiting": 2, "groups": [group]}

    def prospects(self) -> Record:
        """What is set."""
        return self.prospect

    def peers(self) -> Sequence[Record]:
        """The peers set."""
        return self.met

    def peer(self, node: str) -> Record:
        """One of the peers set."""
        for record in self.met:
            if record["node"] == node:
                return record
        raise NotFound(f"we have not met {node}")

    def reputation(self) -> Sequence[Record]:
        """The standings set."""
        return self.standings

    def why(self, node: str) -> Sequence[Record]:
        """The stories set."""
        if node not in self.stories:
            raise NotFound(f"nothing is known of {node}")
        return self.stories[node]

    def estimate(self, submission: Submission) -> Record:
        """Always the same."""
        most = min(submission.budget, 4 * 10**15)
        return {"chunks": 2, "time_ms": 60_000, "least": Wei(10**15), "most": Wei(most), "is_enough": True}


class ScriptedTill:
    """Money: the lists set; an order is met by `refusal`, a look at the chain by `away`, where they are set."""

    def __init__(self) -> None:
        self.dues: list[Record] = []
        self.orders: list[Order] = []
        self.findings: list[Record] = []
        self.refusal: GolemError | None = None
        self.lacking: list[str] = []
        self.has_chain = True
        self.taken: list[Address] = []
        self.away: GolemError | None = None

    def payments(self) -> Sequence[Record]:
        """The dues set."""
        return self.dues

    def funds(self) -> Awaitable[Record]:
        """A little more than the status says, or why it can't be seen."""
        if self.away is not None:
            return fail(self.away)
        funds = {"free": Wei(2 * 10**18), "claimable": Wei(3 * 10**17), "wallet": Wei(10**17), "gas": Wei(10**13)}
        return succeed({**funds, "problems": self.lacking})

    def withdraw(self, to: Address = NOBODY) -> Awaitable[Record]:
        """Always works; remember where to."""
        self.taken.append(to)
        return succeed({"tx_hash": "0x" + "ee" * 32, "amount": Wei(3 * 10**17), "fee": Wei(10**13)})

    def order(self, order: Order) -> Awaitable[Record]:
        """Remember it, unless told to refuse."""
        if self.refusal is not None:
            return fail(self.refusal)
        self.orders.append(order)
        return succeed({"tx_hash": "0x" + "dd" * 32, "fee": Wei(10**13)})

    def recover(self, since: int) -> Awaitable[Sequence[Record]]:
        """One, of those who paid late enough."""
        found = {"account": "0x" + "cc" * 20, "paid": Wei(3 * 10**17)}
        return succeed([found] if since <= 100 else [])

    def consent(self, payer: str) -> Awaitable[Record]:
        """Always given."""
        return succeed({"amount": Wei(10**17), "until_s": 1_700_000_000, "signature": "ab" * 65})

    def audit(self) -> Awaitable[Sequence[Record]]:
        """The findings set."""
        return succeed(self.findings)

    def payment(self, account: str) -> Awaitable[Sequence[Record]]:
        """Those set, and the same by the contract."""
        return succeed([{**due, "on_chain": due["paid"]} for due in self.dues if due["account"] == account])


class ScriptedFace(ScriptedOutlook, ScriptedTill):
    """Implements `golem.control.face.Face`. Set the lists; raise `refusal` at the next submission by setting it."""

    def __init__(self) -> None:
        ScriptedOutlook.__init__(self)
        ScriptedTill.__init__(self)
        self.stock = Stock(MemoryResourceStore(MemoryWorld(Clock()), "here:1"))
        self.attempts: dict[str, list[Record]] = {}
        self.cases: list[Case] = []
        self.found = "wrong"
        self.said: dict[str, list[Record]] = {}
        self.running: list[Record] = []
        self.kinds: list[Record] = [
            {
                "name": "echo",
                "title": "says what it hears",
                "environment": "python",
                "parameters": [
                    {"name": "text", "help": "what to say"},
                    {"name": "times", "help": "how often", "default": "3"},
                ],
            }
        ]
        self.about: dict[str, object] = {}
        self.now_ms = 0
        self.submitted: list[Submission] = []
        self.hangs: Deferred[Record] | None = None
        self.is_waited_for = False
        self.listeners: list[tuple[str | None, Callable[[Record], None]]] = []
        self.on_submit: Callable[[str], None] = lambda task_id: None

    def status(self) -> Record:
        """A quiet provider, but for what is set."""
        return {
            "node_id": NODE_ID,
            "version": "0.0",
            "network": "devnet",
            "address": "127.0.0.1:7300",
            "account": "0x" + "cd" * 20,
            "started_ms": 1_700_000_000_000,
            "peers": 3,
            "is_provider": True,
            "slots": 4,
            "busy": 1,
            "tier": "sandbox",
            "has_chain": self.has_chain,
            "templates": ["echo"],
            "funds": {"free": Wei(2 * 10**18), "claimable": Wei(0), "wallet": Wei(10**17)},
            "owed": Wei(5 * 10**16),
            "due": Wei(0),
            "tasks": {"open": 1},
            "problems": [],
            **self.about,
        }

    def templates(self) -> Sequence[Record]:
        """The kinds set."""
        return self.kinds

    def tasks(self) -> Sequence[Record]:
        """The records set."""
        return list(self.records.values())

    def task(self, task_id: str) -> Record | None:
        """One of the records set."""
        return self.records.get(task_id)

    def subtasks(self, task_id: str) -> Sequence[Record]:
        """The attempts set."""
        if task_id not in self.records:
            raise NotFound(f"no task {task_id}")
        return self.attempts.get(task_id, [])

    def logs(self, task_id: str) -> Sequence[Record]:
        """The logs set."""
        if task_id not in self.said:
            raise NotFound(f"no task {task_id}")
        return self.said[task_id]

    def evidence(self, task_id: str) -> Sequence[Record]:
        """One verdict against each rejected attempt."""
        return [
            {
                **{name: a[name] for name in ("subtask_id", "provider", "reason")},
                "judgement": "wrong",
                "signed": "AA==",
                "contents": a.get("contents", ()),
            }
            for a in self.subtasks(task_id)
            if a["phase"] == "rejected"
        ]

    def rehear(self, case: Case) -> Awaitable[Record]:
        """Find what `found` says."""
        self.cases.append(case)
        told = {"requestor": NODE_ID, "provider": NODE_ID, "subtask_id": "2" * 32, "said": "wrong", "said_why": "why"}
        return succeed({**told, "found": self.found, "found_why": "because"})

    def jobs(self) -> Sequence[Record]:
        """The jobs set."""
        return self.running

    def submit(self, submission: Submission) -> Awaitable[Record]:
        """Take it in, unless told to refuse or to hang."""
        if self.hangs is not None:
            self.is_waited_for = True
            return self.hangs
        if self.refusal is not None:
            return fail(self.refusal)
        if submission.template not in {kind["name"] for kind in self.kinds}:
            raise UnknownTemplate(f"no template {submission.template!r} is enabled; there are: echo")
        self.submitted.append(submission)
        task_id = derive("task", len(self.submitted))
        self.records[task_id] = {
            "task_id": task_id,
            "template": submission.template,
            "phase": "open",
            "chunks": 2,
            "pending": 2,
            "budget": submission.budget,
            "output": submission.output,
        }
        self.on_submit(task_id)
        return succeed({"task_id": task_id})

    def cancel(self, task_id: str) -> None:
        """Mark it so, and tell."""
        if task_id not in self.records:
            raise NotFound(f"no task {task_id}")
        self.records[task_id]["phase"] = "cancelled"
        self.tell(task_id, "cancelled")

    def watch(self, topic: str | None, listener: Callable[[Record], None]) -> Callable[[], None]:
        """Remember who listens."""
        entry = (topic, listener)
        self.listeners.append(entry)
        return lambda: self.listeners.remove(entry)

    def tell(self, topic: str, name: str, **fields: str | int) -> None:
        """Let something happen, a second after what happened before."""
        self.now_ms += 1_000
        for wanted, listener in list(self.listeners):
            if wanted in {None, topic}:
                listener({"topic": topic, "name": name, "at_ms": self.now_ms, "fields": fields})


@contextmanager
def serving() -> Iterator[FaceServer]:
    """One that listens, in a folder of its own, whose path is short, as sockets need."""
    with TemporaryDirectory() as folder:
        server = FaceServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


class FaceServer:
    """A scripted face on a real control socket, served by a reactor of its own in a thread, for blocking clients.

    `clock` stands still: keep-alives and time-outs come when a test advances it, by `do`.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.face = ScriptedFace()
        self.clock = Clock()
        self.reactor = EPollReactor()
        self.server = ControlServer(self.face, folder, self.reactor, self.clock)
        self._thread = Thread(target=self.reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)

    def start(self) -> None:
        """Listen. Raises what the control server raises, and then has not started."""
        self._thread.start()
        try:
            self.do(self.server.startService)
        except ConfigError:
            self.stop()
            raise

    def stop(self) -> None:
        """Hang up and end the thread."""
        self.do(self.server.stopService)
        self.reactor.callFromThread(self.reactor.stop)
        self._thread.join(PATIENCE_S)

    def do(self, what: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> object:
        """Call something where the reactor runs, and wait for what it returns."""
        return blockingCallFromThread(self.reactor, what, *arguments, **named)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Let the reactor turn until something is so. Raises TimeoutError."""
        deadline = self.reactor.seconds() + PATIENCE_S
        while not self.do(is_so):
            if self.reactor.seconds() > deadline:
                raise TimeoutError("it never came to be so")
