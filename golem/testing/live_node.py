"""A node that can be watched: `python -m golem.testing.live_node --folder DIR [--tell SOCKET --name NAME]`.

It is what `golem node start` runs, and tells whoever listens on SOCKET what `golem.testing.teller` sees of it; it ends
when nobody listens any more. `--takes`: the least that its jobs take. `--behave`: the adversary that it is.
`--from`: the address that it dials from.
Its exit code is 70 where it ended in order, and left something behind.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import suppress

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IConnector
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import ClientFactory
from twisted.logger import globalLogPublisher

from golem.adapters.keyring import FileKeyring
from golem.interfaces import IExecutor
from golem.net.network import Network
from golem.node.config import load
from golem.node.node import Node
from golem.testing.adversaries import ADVERSARIES
from golem.testing.mind import Mind
from golem.testing.pulse import Pulse
from golem.testing.slow import SlowExecutor
from golem.testing.teller import Line, Teller, dial
from golem.testing.watchdog import added, left
from golem.twistd import run

LEFT = 70
HANG_UP_S = 2.0  # for the last words, which whoever listens may be slow to read


class _Life:
    """One run of the node."""

    def __init__(self, args: Namespace, reactor: PosixReactorBase) -> None:
        self._args = args
        self._reactor = reactor
        self._node: Node | None = None
        self._pulse: Pulse | None = None
        config = load(args.folder, os.environ, {})
        node_id = FileKeyring.open(config.key_folder, config.password.reveal).node_id
        seed = f"{args.name}/{config.folder}"
        self._mind = Mind(ADVERSARIES[args.behave], node_id, seed, reactor, self._vanish) if args.behave else None

    def tamper(self, executor: IExecutor) -> IExecutor:
        """What it computes with."""
        executor = self._mind.adversary.executor(executor) if self._mind else executor
        return SlowExecutor(executor, self._reactor, self._args.takes) if self._args.takes else executor

    def begin(self, node: Node) -> None:
        """It takes part: be watched."""
        self._node = node
        if self._mind:
            self._mind.join(node)
            node.engine.observe(self._mind.saw)
            self._mind.adversary.begin()
        if self._args.tell:
            line = dial(self._args.tell, self._reactor, self._end)
            teller = Teller(line, self._args.name, lambda: node.engine.state)
            node.engine.observe(teller.saw)
            globalLogPublisher.addObserver(teller)
            self._pulse = Pulse(self._reactor, teller.broke)
            self._reactor.addSystemEventTrigger("during", "shutdown", self._hush, line, teller)

    def _vanish(self) -> None:
        """As if its host were gone: nobody hears of it any more."""
        for part in self._node or ():
            if isinstance(part, Network):
                part.stopService()

    def _hush(self, line: Line, teller: Teller) -> Deferred[None]:
        globalLogPublisher.removeObserver(teller)
        if self._pulse is not None:
            self._pulse.stop()
        return line.hang_up().addTimeout(HANG_UP_S, self._reactor)

    def _end(self) -> None:
        with suppress(ReactorNotRunning):
            self._reactor.stop()


def _from(address: str, reactor: PosixReactorBase) -> Callable[..., IConnector]:
    """Dials as the reactor does, from one of this machine's addresses."""
    connect = reactor.connectTCP

    def dial(
        host: str, port: int, factory: ClientFactory, timeout: float = 30, bindAddress: object = None
    ) -> IConnector:
        return connect(host, port, factory, timeout, (address, 0))

    return dial


def main(arguments: list[str]) -> int:
    """Run it until a signal or the end of the line; returns the exit code."""
    parser = ArgumentParser(prog="python -m golem.testing.live_node")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--tell", default="")
    parser.add_argument("--name", default="node")
    parser.add_argument("--takes", type=float, default=0.0)
    parser.add_argument("--behave", default="", choices=("", *ADVERSARIES))
    parser.add_argument("--from", default="", dest="address")
    args = parser.parse_args(arguments)
    assert isinstance(reactor, PosixReactorBase)
    if args.address:
        reactor.connectTCP = _from(args.address, reactor)  # type: ignore[method-assign]  # no setting of a node's says so
    before = left()
    life = _Life(args, reactor)
    run(args.folder, {}, sys.stderr, life.begin, life.tamper)
    found = added(before)
    sys.stderr.write("".join(f"left behind: {what}\n" for what in found))
    return LEFT if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
