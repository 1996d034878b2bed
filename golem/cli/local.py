"""A network of real nodes on this machine: a development chain, a requestor, providers; each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from golem.adapters.entropy import OsEntropy
from golem.adapters.keyring import FileKeyring
from golem.control.client import Client
from golem.control.views import Status, view
from golem.errors import Fault, NotRunning
from golem.node.config import FILE, first

PASSWORD = "local"  # guards play money on this machine
SCRYPT_WORK = 1 << 10  # the least; nobody attacks these keys
START_S = 60.0  # on a loaded machine with a cold disk; 2 s is usual
STOP_S = 15.0
POLL_S = 0.05
ETHER = 10**18
EMBEDDED = "embedded"
CHAINS = {EMBEDDED: "golem.adapters.devchain", "anvil": "golem.adapters.anvil"}
REQUESTOR = "requestor"
LOOPBACK = "127.0.0.1"


class Member(NamedTuple):
    """One node to be. `settings`: "section.key" to text, on top of what all have. `module`: the program to run.

    `within`: a command that runs another, as `nsenter` does, where that is to be elsewhere. `wallet`: ether, of which a
    provider needs some for the gas of withdrawing.
    """

    name: str
    settings: Mapping[str, str] = {}
    module: Sequence[str] = ("golem.cli.main", "node", "start")
    within: Sequence[str] = ()
    wallet: str = "10"


class Seat(NamedTuple):
    """Where the chain is: `within` as in Member, and the address that it listens on, if not on loopback."""

    within: Sequence[str] = ()
    host: str = ""


HERE = Seat()


class LocalNode:
    """One node's folder and process."""

    def __init__(self, folder: Path, member: Member) -> None:
        self.name = member.name
        self.folder = folder
        self.client = Client(folder)
        self.member = member
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The node's process, or 0."""
        return self._process.pid if self._process else 0

    def prepare(self) -> str:
        """Make the folder and the keys; the account's address."""
        self.folder.mkdir(mode=0o700, parents=True)
        return FileKeyring.create(str(self.folder / "keys"), PASSWORD, OsEntropy(), SCRYPT_WORK).account

    def configure(self, settings: Mapping[str, str]) -> None:
        """Write golem.toml."""
        config = first(str(self.folder), {**settings, **self.member.settings})
        (self.folder / FILE).write_text(config.to_toml())

    def start(self) -> None:
        """Run the node; its log goes to node.log."""
        member = self.member
        command = [*member.within, sys.executable, "-m", *member.module, "--folder", str(self.folder)]
        environment = {**os.environ, "GOLEM_PASSWORD": PASSWORD}
        with (self.folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    @property
    def exit_code(self) -> int | None:
        """How its process ended, or None while it runs."""
        return self._process.poll() if self._process else None

    def last_words(self) -> str:
        """The end of its log, after where that is."""
        log = self.folder / "node.log"
        return "\n".join([f"{log}:", *log.read_text(errors="replace").splitlines()[-5:]])

    def status(self) -> Status | None:
        """The node at a glance, or None while it does not answer. Raises Fault where it has ended."""
        if self.exit_code is not None:
            raise Fault(f"{self.name} ended at once; the end of {self.last_words()}")
        try:
            status = view(Status, self.client.get("/status"))
        except (NotRunning, Fault):
            return None
        return status if status.node_id else None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait(self) -> None:
        """Until it has ended, by force if need be."""
        if self._process is not None:
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()


class LocalNetwork:
    """Nodes that know one another through the first, and a chain that all trust."""

    def __init__(
        self,
        folder: Path,
        members: Sequence[Member],
        settings: Mapping[str, str],
        chain: str = EMBEDDED,
        seat: Seat = HERE,
    ) -> None:
        """`chain`: which of CHAINS."""
        self.folder = folder
        self._kind = chain
        self._seat = seat
        self.nodes = [LocalNode(folder / member.name, member) for member in members]
        self._settings = dict(settings)
        self._chain: subprocess.Popen[bytes] | None = None
        self.rpc = ""
        self.contract = ""

    def __getitem__(self, name: str) -> LocalNode:
        """A node by its name."""
        return next(node for node in self.nodes if node.name == name)

    @property
    def pids(self) -> dict[str, int]:
        """Every process, by the node's name or "chain"."""
        chain = {"chain": self._chain.pid} if self._chain else {}
        return {**chain, **{node.name: node.pid for node in self.nodes}}

    def start(self, told: Callable[[str], None] = lambda _: None, block_s: float = 0.25) -> None:
        """Have everything run. Raises Fault, with the end of a log, where something does not."""
        self.launch(told, block_s)
        self.wait_until_joined()

    def launch(self, told: Callable[[str], None] = lambda _: None, block_s: float = 0.25) -> None:
        """Start every process; the nodes are on their way then. Raises Fault where there is no chain."""
        accounts = {node.name: node.prepare() for node in self.nodes}
        told("starting a development chain")
        self._start_chain(accounts, block_s)
        first = self.nodes[0].member.settings
        listen = first.get("node.listen", f"{LOOPBACK}:{_free_port()}")
        common = {
            "payment.rpc": self.rpc,
            "payment.contract": self.contract,
            "node.network": "local",
            **self._settings,
        }
        others = {"node.bootstrap": first.get("node.address", listen)}
        told(f"starting {len(self.nodes)} nodes")
        for number, node in enumerate(self.nodes):
            node.configure(
                {
                    **common,
                    **(others if number else {"node.listen": listen}),
                }
            )
            node.start()

    def wait_until_joined(self) -> None:
        """Until every node answers, and each but the first has a peer."""
        for number, node in enumerate(self.nodes):
            wait_for(partial(_is_joined, node, min(number, 1)), START_S, f"{node.name} to join")

    def _start_chain(self, accounts: Mapping[str, str], block_s: float) -> None:
        seat = self._seat
        command = [*seat.within, sys.executable, "-m", CHAINS[self._kind], "--port", "0", "--block", str(block_s)]
        command += ["--host", seat.host] if seat.host else []
        for node in self.nodes:
            command += ["--fund", f"{accounts[node.name]}={node.member.wallet}"]
        with (self.folder / "chain.log").open("ab") as log:
            self._chain = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        line = self._chain.stdout.readline() if self._chain.stdout else b""
        if not line:
            raise Fault(f"the development chain ended at once; see {self.folder / 'chain.log'}")
        place = json.loads(line)
        self.rpc, self.contract = place["rpc"], place["contract"]

    def stop(self) -> None:
        """End everything, nodes first."""
        for node in self.nodes:
            node.signal(signal.SIGTERM)
        for node in self.nodes:
            node.wait()
        if self._chain is not None:
            self._chain.send_signal(signal.SIGTERM)
            self._chain.wait(STOP_S)
            if self._chain.stdout is not None:
                self._chain.stdout.close()

    def signal_chain(self, number: signal.Signals) -> None:
        """Send the chain a signal."""
        if self._chain is not None:
            self._chain.send_signal(number)

    def __enter__(self) -> LocalNetwork:
        """For `with`. Whoever ends this process, and not by force, ends the network."""
        for name in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.default_int_handler)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def _is_joined(node: LocalNode, least: int) -> bool:
    status = node.status()
    return status is not None and status.peers >= least


def wait_for(is_done: Callable[[], bool], limit_s: float, what: str) -> None:
    """Look until it is so. Raises Fault after `limit_s` seconds, saying what was waited for."""
    end = time.monotonic() + limit_s
    while not is_done():
        if time.monotonic() > end:
            raise Fault(f"waited {limit_s:g} s for {what}")
        time.sleep(POLL_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
