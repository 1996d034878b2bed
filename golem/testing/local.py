"""A network of production nodes in one process, on one clock, from one seed.

    net = LocalNetwork(folder, nodes=("alice", "bob", "carol"), seed=1)
    task = net["alice"].submit("echo", {"count": 10})
    net.kill("bob")
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=60)

Nodes are put together by `golem.node.build.assemble`; only what lies outside of them is memory. The same seed and the
same calls give the same journals, byte for byte. Every turn of every node is held to `golem.testing.invariants`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from golem.interfaces import ITaskTemplate
from golem.model.money import WEI_PER_ETHER, Wei
from golem.model.settings import Settings
from golem.model.value import evolve
from golem.node.plugins import load
from golem.testing.adversaries import ADVERSARIES
from golem.testing.crash import Killed
from golem.testing.local_node import LocalNode
from golem.testing.quiet import asked, check_quiet, shown_adds_up
from golem.testing.world import World

PRICE = Wei(18 * WEI_PER_ETHER // 10_000)  # wei per hour of a slot
RESTART_S = 5.0  # a supervisor's rest before it starts again what ended by itself
TEMPLATES = ("echo",)  # what there is to do: tiny, and without inputs, as `golem.testing.programs` wants it


@implementer(ILogObserver)
class _Alarm:
    """Makes a trouble of every failure that is logged: nothing that a scenario does may fail in an unforeseen way."""

    def __init__(self, troubles: list[str]) -> None:
        self._troubles = troubles

    def __call__(self, event: LogEvent) -> None:
        if "log_failure" in event:
            trace = event["log_failure"].getTraceback(detail="brief")
            self._troubles.append(f"{formatEvent(event)}\n{trace}")


class LocalNetwork:
    """The first of `nodes` asks, and the others, which know its address, provide; unless `terms` say otherwise.

    `takes_s`: how long jobs take, by node, if not a second. `behave`: who means harm, and how, by its name in
    `golem.testing.adversaries`. `EXTRA`: kinds of task beside echo.
    """

    EXTRA: Mapping[str, ITaskTemplate] = {}
    REQUESTOR = Settings(closure_ms=2_000)
    PROVIDER = Settings(provide=True, min_price=PRICE, closure_ms=2_000)

    def __init__(
        self,
        folder: Path,
        nodes: Sequence[str] = ("alice", "bob", "carol"),
        seed: int = 1,
        *,
        terms: Mapping[str, Settings] | None = None,
        takes_s: Mapping[str, float] | None = None,
        behave: Mapping[str, str] | None = None,
    ) -> None:
        minds = {name: ADVERSARIES[kind] for name, kind in (behave or {}).items()}
        self.world = World(folder, tuple(nodes), seed, {**load(TEMPLATES), **self.EXTRA}, minds)
        self.clock, self.ledger = self.world.clock, self.world.ledger
        self._nodes: dict[str, LocalNode] = {}
        self._alarm = _Alarm(self.world.troubles)
        globalLogPublisher.addObserver(self._alarm)
        for name in nodes:
            own = (terms or {}).get(name, self.PROVIDER if self._nodes else self.REQUESTOR)
            known = own.templates or tuple(self.world.templates)
            own = evolve(own, templates=known, bootstrap=(self.world.place(nodes[0]),))
            node = self._nodes[name] = LocalNode(self.world, name, own)
            node.takes_s = (takes_s or {}).get(name, node.takes_s)
            node.boot()

    def __getitem__(self, name: str) -> LocalNode:
        return self._nodes[name]

    def close(self) -> None:
        """End all nodes, and listen to no more logs. A second time nothing happens."""
        for node in self._nodes.values():
            if node.run is not None:
                node.kill()
        globalLogPublisher.removeObserver(self._alarm)

    # time

    def run_until(self, is_done: Callable[[], bool], limit_s: float) -> None:
        """Let time pass until `is_done()`. Raises AssertionError, with the story, after `limit_s` or at a trouble."""
        end_s = self.clock.seconds() + limit_s
        troubles, fallen = self.world.troubles, self.world.fallen

        def is_over() -> bool:
            return bool(fallen) or bool(troubles) or is_done()

        was_done = self._turn(lambda: self.clock.run_until(is_over, end_s - self.clock.seconds()))
        if self.world.troubles or not was_done:
            raise AssertionError(f"{'' if was_done else f'not done after {limit_s:g} s'}\n{self.story()}")

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises AssertionError at a trouble."""
        end_s = self.clock.seconds() + seconds
        if not self._turn(lambda: self.clock.run_to(end_s, self.world.fallen, self.world.troubles)):
            raise AssertionError(self.story())

    def _turn(self, turn: Callable[[], bool]) -> bool:
        """Turn the clock, again for as long as somebody falls meanwhile; says what `turn` says at last."""
        fallen = self.world.fallen
        while True:
            try:
                was_done = turn()
            except Killed as killed:
                fallen.append(killed.name)
            if not fallen:
                return was_done
            self._bury()

    def _bury(self) -> None:
        """Who died in the midst of a turn comes back, as under a supervisor; who can't write waits for its disk."""
        while self.world.fallen:
            node = self._nodes[self.world.fallen.pop()]
            if node.run is not None:
                node.kill()
                if node.journal.trouble:
                    self.clock.callLater(RESTART_S, self._rise, node.name)
                else:
                    node.boot()

    def _rise(self, name: str) -> None:
        if self._nodes[name].run is None:
            self._nodes[name].boot()

    # faults

    def cut(self, one: str, other: str) -> None:
        """Nothing passes between two nodes, and neither is told."""
        self.world.network.cut(one, other)

    def heal(self, one: str, other: str) -> None:
        """Undo `cut`."""
        self.world.network.heal(one, other)

    def reset(self, one: str, other: str) -> None:
        """Break the connections between two nodes, with all that is under way; they may dial again at once."""
        self.world.network.reset(one, other)

    def kill(self, name: str) -> None:
        """End a node as `kill -9` does; what its journal has stays."""
        self._nodes[name].kill()

    def boot(self, name: str) -> None:
        """Start a killed node again."""
        self._nodes[name].boot()

    def crash(self, name: str, turn: int, *, is_torn: bool) -> None:
        """Kill a node with the commit of its `turn`-th turn from now, and boot it again at once.

        `is_torn`: the commit is lost; otherwise it is on disk, and nothing that it asked for has been done.
        """
        journal = self._nodes[name].journal
        journal.dies_at, journal.is_torn = journal.turns + turn, is_torn

    # what is to be seen

    def is_even(self) -> bool:
        """Whether all that honest nodes promised one another is paid, and both sides know it."""
        honest = [self[name] for name in self.world.honest]
        accounts = {node.keyring.account for node in honest}
        books = [node.node.engine.state.ledger for node in honest]
        return all(
            pair.promised == pair.paid
            for book in books
            for side in (book.owing, book.earning)
            for account, pair in side.items()
            if account in accounts
        )

    def check_quiet(self) -> None:
        """Nothing is under way: the books of all honest nodes agree, and are what is shown. Raises AssertionError."""
        check_quiet({name: self[name].node.engine.state for name in self.world.honest}, self.ledger.paid)
        for name in self.world.honest:
            shown_adds_up(partial(asked, self[name].node.desk))

    def paid(self, payer: str, payee: str) -> int:
        """All that one node has ever paid another on the chain, in wei."""
        return self.ledger.paid.get((self[payer].keyring.account, self[payee].keyring.account), 0)

    def digest(self) -> str:
        """Of all journals: equal where two networks went through the same turns."""
        hasher = sha256()
        for node in self._nodes.values():
            snapshot, turns = node.journal.replay()
            for record in (snapshot or b"", *turns):
                hasher.update(len(record).to_bytes(4, "big") + record)
        return hasher.hexdigest()

    def story(self) -> str:
        """The seed, troubles, and the last turns of every node."""
        parts = [f"seed {self.world.seed}, {self.world.passed_s():.3f} s after the beginning", *self.world.troubles]
        return "\n".join([*parts, *(node.story() for node in self._nodes.values())])
