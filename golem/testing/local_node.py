"""One node of a LocalNetwork: what survives a kill, the run that does not, and the words in which tests speak of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred

from golem.model.money import WEI_PER_ETHER, Wei
from golem.model.settings import Settings
from golem.model.spec import Limits
from golem.node.build import Reach
from golem.node.node import Node
from golem.node.submission import Submission
from golem.testing.crash import Killed, MortalJournal
from golem.testing.keys import FixedKeyring, SeededEntropy
from golem.testing.life import Body, Life
from golem.testing.programs import executor
from golem.testing.witness import Witness
from golem.testing.world import World

NETWORK = "local"
ANSWER_S = 10.0  # a submission is answered within milliseconds
MAX_PRICE = Wei(36 * WEI_PER_ETHER // 10_000)  # wei per hour of a slot: 10**12 a second
BUDGET = Wei(WEI_PER_ETHER // 100)
LIMITS = Limits(timeout_ms=60_000)


class LocalNode:
    """A production node in a World. `takes_s`: how long its jobs take.

    `moods`: of the services that it relies on. `offset_s`: how wrong its clock is. `dies_at`: the number, from its
    latest boot, of the point at which it dies; `passed`: the points it came to since then. `dies_near`: how the
    name begins of the next point at which it dies.
    """

    def __init__(self, world: World, name: str, terms: Settings) -> None:
        self.name = name
        self.terms = terms
        self.takes_s = 1.0
        self.offset_s = 0.0
        self.keyring = FixedKeyring(name)
        self.journal = MortalJournal(name)
        self.moods = world.moods[name]
        self.dies_at: int | None = None
        self.dies_near = ""
        self.passed: list[str] = []
        self.store = world.store(name)
        self.chain = world.chain(self.keyring.account)
        self._world = world
        self._life: Life | None = None
        self._boots = 0
        self._witness = Witness(world, name, self.keyring.account, lambda: self.node.engine.saved)

    # life and death

    @property
    def run(self) -> Node | None:
        """The node itself while it is alive."""
        return self._life.node if self._life else None

    def boot(self) -> None:
        """Start the node on the journal, the content and the account that it had before."""
        assert self._life is None, f"{self.name} runs already"
        world = self._world
        self._boots += 1
        self.passed = []
        world.silent.pop(self.name, None)
        world.points[self.name] = self.journal.reached = self._reached
        life = self._life = Life(self._body(), world.clock, self.moods, self._reached, lambda: world.hush(self.name))
        life.clock.offset_s += self.offset_s
        self.node.startService()
        self.node.engine.observe(self._witness.saw)  # after the replay, which tells nothing new
        self.node.engine.observe(life.mind.saw)
        self.node.ready.addCallback(lambda _: life.mind.adversary.begin())
        self.node.ready.addErrback(lambda why: world.troubles.append(f"{self.name} does not start: {why}"))
        self.node.broken.addErrback(lambda why: self.fall())

    def _body(self) -> Body:
        world, name = self._world, self.name
        place, gateway = world.place(name), world.gateway(name)
        return Body(
            terms=self.terms,
            folder=world.folder / name / "jobs",
            reach=Reach(NETWORK, world.carrier(name), listen=place, address=place, gateway=lambda: gateway),
            templates=dict(world.templates),
            runs=lambda clock: executor(clock, world.templates, self.takes_s),
            store=self.store,
            chain=self.chain,
            journal=self.journal,
            keyring=self.keyring,
            entropy=SeededEntropy(f"{world.seed}/{name}/{self._boots}"),
            behave=world.mind(name),
            seed=f"{world.seed}/{name}/{self._boots}",
        )

    def fall(self) -> None:
        """Die in the midst of a turn; `kill` buries it."""
        assert self._life is not None, f"{self.name} is dead"
        self._life.fall()
        self._world.hush(self.name)
        self._world.fallen.append(self.name)

    def _reached(self, point: str) -> None:
        self.passed.append(point)
        is_near = bool(self.dies_near) and point.startswith(self.dies_near)
        if is_near or len(self.passed) == self.dies_at:
            self.dies_at, self.dies_near = None, ""
            self.fall()
            if "journal" in point:
                raise Killed(self.name)

    def kill(self, *, loses_books: bool = False) -> None:
        """End the node at once: nothing is said, finished, or written any more. `loses_books`: its journal is gone."""
        assert self._life is not None, f"{self.name} is dead"
        self._life.end()
        self._world.hush(self.name)
        self._world.network.thaw(self.name)
        self._world.hang_up(self.name)
        self._life = None
        if loses_books:
            self.journal = MortalJournal(self.name)
            self._witness.is_forgetful = True

    def freeze(self) -> None:
        """Stop the node's process, as SIGSTOP does."""
        if self._life is not None:
            self._life.clock.freeze()
            self._world.network.freeze(self.name)

    def thaw(self) -> None:
        """Let it go on."""
        self._world.network.thaw(self.name)
        if self._life is not None:
            self._life.clock.thaw()

    def set_clock(self, offset_s: float) -> None:
        """Make the node's idea of the time so wrong."""
        self.offset_s = offset_s
        if self._life is not None:
            self._life.clock.offset_s = self._life.mind.adversary.offset_s + offset_s

    @property
    def node(self) -> Node:
        """The node itself, which must be alive."""
        assert self._life is not None, f"{self.name} is dead"
        return self._life.node

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
        terms = {"budget": Wei(budget), "max_price": Wei(max_price), "limits": limits}
        deadline_ms = int((self._world.clock.seconds() + deadline_s) * 1000) if deadline_s else 0
        answers: list[str] = []
        self.post(template, params, answers.append, deadline_ms=deadline_ms, **terms)
        assert self._world.clock.run_until(lambda: bool(answers), ANSWER_S), f"{self.name} does not answer"
        return answers[0]

    def post(self, template: str, params: Mapping[str, object], answer: Callable[[str], None], **terms: object) -> None:
        """Ask for a task, and go on; `answer` is told its id once it is on disk, unless the node dies before."""
        record = {"budget": BUDGET, "max_price": MAX_PRICE, "limits": LIMITS, **terms}
        submission = Submission(
            template=template,
            params={key: str(value) for key, value in params.items()},
            output=str(self.results),
            **record,  # type: ignore[arg-type]  # one mapping for keywords of several types
        )
        asked = self.node.desk.submit(submission)

        async def wait() -> None:
            answer(str((await asked)["task_id"]))

        Deferred.fromCoroutine(wait())

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
