"""One node of a LocalNetwork: what survives a kill, the run that does not, and the words in which tests speak of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred

from golem.model.money import WEI_PER_ETHER, Wei
from golem.model.settings import Settings
from golem.model.spec import Limits
from golem.node.build import Reach, Tamper, assemble
from golem.node.computer import Computer
from golem.node.node import Node, Parts
from golem.node.submission import Submission
from golem.testing.crash import MortalClock, MortalJournal
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.programs import executor
from golem.testing.witness import Witness
from golem.testing.world import World

NETWORK = "local"
ANSWER_S = 10.0  # a submission is answered within milliseconds
MAX_PRICE = Wei(36 * WEI_PER_ETHER // 10_000)  # wei per hour of a slot: 10**12 a second
BUDGET = Wei(WEI_PER_ETHER // 100)
LIMITS = Limits(timeout_ms=60_000)


class LocalNode:
    """A production node in a World. `run`: the node itself while it is alive. `takes_s`: how long its jobs take."""

    def __init__(self, world: World, name: str, terms: Settings, tamper: Tamper) -> None:
        self.name = name
        self.terms = terms
        self.tamper = tamper
        self.takes_s = 1.0
        self.keyring = FixedKeyring(name)
        self.journal = MortalJournal(name)
        self.run: Node | None = None
        self._world = world
        self._store = world.store(name)
        self._chain = world.chain(self.keyring.account)
        self._clock = MortalClock(world.clock)
        self._boots = 0
        self._witness = Witness(world, name, self.keyring.account, lambda: self.node.engine.state)

    # life and death

    def boot(self) -> None:
        """Start the node on the journal, the content and the account that it had before."""
        assert self.run is None, f"{self.name} runs already"
        world, self._clock = self._world, MortalClock(self._world.clock)
        self._boots += 1
        templates, folder = world.templates, world.folder / self.name / "jobs"
        runs = self.tamper(executor(self._clock, templates, self.takes_s))
        self._computer = computer = Computer(
            runs, self._store, lambda name: templates[name].programs, folder, max(1, self.terms.slots)
        )
        parts = Parts(
            clock=self._clock,
            journal=self.journal,
            store=self._store,
            executor=runs,
            computer=computer,
            chain=self._chain,
            keyring=self.keyring,
            entropy=SeededEntropy(f"{world.seed}/{self.name}/{self._boots}"),
        )
        place, gateway = world.place(self.name), world.gateway(self.name)
        reach = Reach(NETWORK, world.carrier(self.name), listen=place, address=place, gateway=lambda: gateway)
        self.run = assemble(parts, self.terms, templates, reach)
        computer.setServiceParent(self.run)
        self.run.startService()
        self.run.engine.observe(self._witness.saw)  # after the replay, which tells nothing new
        self.run.ready.addErrback(lambda why: world.troubles.append(f"{self.name} does not start: {why}"))

    def kill(self) -> None:
        """End the node at once: nothing is said, finished, or written any more."""
        self._clock.die()
        self._computer.stopService()  # ends its jobs, which would end in disorder when they are garbage
        for service in self.node:
            service.running = 0
        self._world.hang_up(self.name)
        self.run = None

    @property
    def node(self) -> Node:
        """The node itself, which must be alive."""
        assert self.run is not None, f"{self.name} is dead"
        return self.run

    # what its user does and sees

    def submit(
        self,
        template: str,
        params: Mapping[str, object],
        *,
        budget: int = BUDGET,
        max_price: int = MAX_PRICE,
        limits: Limits = LIMITS,
        deadline_s: float = 0.0,
    ) -> str:
        """Have a task done; returns its id once it is on disk. `budget`: wei; `max_price`: wei per hour."""
        submission = Submission(
            template=template,
            params={key: str(value) for key, value in params.items()},
            budget=Wei(budget),
            max_price=Wei(max_price),
            output=str(self.results),
            limits=limits,
            deadline_ms=int((self._world.clock.seconds() + deadline_s) * 1000) if deadline_s else 0,
        )
        asked = self.node.desk.submit(submission)
        answers: list[str] = []

        async def wait() -> None:
            answers.append(str((await asked)["task_id"]))

        Deferred.fromCoroutine(wait())
        assert self._world.clock.run_until(lambda: bool(answers), ANSWER_S), f"{self.name} does not answer"
        return answers[0]

    def task(self, task_id: str) -> Mapping[str, object]:
        """One task, as its user sees it."""
        found = self.node.desk.task(task_id)
        assert found is not None, f"{self.name} does not know {task_id}"
        return found

    def phase(self, task_id: str) -> object:
        """Where a task stands."""
        return self.task(task_id)["phase"]

    def subtasks(self, task_id: str) -> Sequence[Mapping[str, object]]:
        """Every attempt of a task."""
        return self.node.desk.subtasks(task_id)

    def trust(self, other: str, role: str) -> float:
        """How far another node is trusted as "provider" or as "requestor"; a stranger has 0.5."""
        node_id = FixedKeyring(other).node_id
        known = [r for r in self.node.desk.reputation() if (r["node"], r["role"]) == (node_id, role)]
        return float(str(known[0]["trust"])) if known else 0.5

    @property
    def results(self) -> str:
        """The folder that results are written to."""
        return str(self._world.folder / self.name / "results")

    def story(self) -> str:
        """Its last turns."""
        return self._witness.story()
