"""One life of a simulated node, from its boot to its death: production parts on a clock that ends with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from golem.interfaces import IChain, IEntropy, IExecutor, IJournal, IKeyring, IResourceStore, ITaskTemplate
from golem.model.settings import Settings
from golem.node.build import Reach, assemble
from golem.node.computer import Computer
from golem.node.node import Node, Parts
from golem.testing.adversaries import Adversary
from golem.testing.clock import Clock
from golem.testing.crash import MortalClock
from golem.testing.mind import Mind
from golem.testing.ports import Guard, Moods, guarded

QUIET_STORE = ("admit",)  # answers at once, and waits for nothing
QUIET_CHAIN = ("close",)
QUIET_EXECUTOR = ("probe", "close")  # a node that starts or ends asks these, before and after it can be killed


class Body(NamedTuple):
    """What outlives a node's lives, and is put together anew for each. `runs`: its executor, on the clock given.

    `behave`: what it does otherwise than a node that means well. `seed`: of this life.
    """

    terms: Settings
    folder: Path
    reach: Reach
    templates: dict[str, ITaskTemplate]
    runs: Callable[[MortalClock], IExecutor]
    store: IResourceStore
    chain: IChain
    journal: IJournal
    keyring: IKeyring
    entropy: IEntropy
    behave: type[Adversary]
    seed: str


class Life:
    """`node`: the production node. `clock`: its own. `guard`: before its ports."""

    def __init__(
        self,
        body: Body,
        clock: Clock,
        moods: Moods,
        reached: Callable[[str], None],
        hush: Callable[[], None],
    ) -> None:
        self.clock = MortalClock(clock)
        self.guard = Guard(moods, reached)
        self.mind = Mind(body.behave, body.keyring.node_id, body.seed, self.clock, hush)
        adversary = self.mind.adversary
        self.clock.offset_s = adversary.offset_s
        templates = body.templates
        runs = guarded(adversary.executor(body.runs(self.clock)), "executor", self.guard, QUIET_EXECUTOR)
        store = guarded(body.store, "store", self.guard, QUIET_STORE)
        slots = max(1, body.terms.slots)
        self._computer = Computer(runs, store, lambda name: templates[name].programs, body.folder, slots)
        parts = Parts(
            clock=self.clock,
            journal=body.journal,
            store=store,
            executor=runs,
            computer=self._computer,
            chain=guarded(adversary.chain(body.chain), "chain", self.guard, QUIET_CHAIN),
            keyring=body.keyring,
            entropy=body.entropy,
        )
        self.node: Node = assemble(parts, body.terms, templates, body.reach)
        self.mind.join(self.node)
        self._computer.setServiceParent(self.node)

    def fall(self) -> None:
        """From here on nothing that the node does has any effect, even in the midst of a turn."""
        self.guard.has_fallen = True
        self.clock.die()

    def end(self) -> None:
        """Clear up: its jobs would end in disorder when they are garbage."""
        self.fall()
        self._computer.stopService()
        for service in self.node:
            service.running = 0
