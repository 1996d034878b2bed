"""What providers earn that cheat now and then: in units of an honest subtask's cost, per subtask they were free for.

    python -m benchmarks.game --json [--days 50] [--runs 6]

The requestor is the node's own core: it hires, draws, holds, checks, judges, owes and quarantines as a node does.
Around it are played a provider that follows a strategy, and what a check would find. A hundred subtasks a day, in tasks
of twenty. A cheat costs nothing; three honest results in a thousand are wrong by accident. Rivals, trusted 0.95, ask
1.1 times the cost, so whoever is trusted less must ask less to be ranked with them. `renaming`: the same strategies of
a provider that takes a new name whenever it was caught. `boinc`: the same under BOINC's adaptive replication, where a
result is repeated elsewhere with probability 1/N after N valid ones in a row, and always below ten. `renders`: where
every result is looked at, at 48 places or, of who has earned it, at fewer; so there are strategies besides that skip a
part of each. `places`: how many are looked at of an honest provider's first twenty results, and of those after a
hundred, in the mean; and the fewest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from statistics import fmean

import msgspec
from zope.interface import implementer

from benchmarks.figures import arguments
from golem.core.knowledge import known, rated
from golem.core.node import Core
from golem.core.reputation import Role
from golem.core.state import NodeState
from golem.interfaces import IScaled, IVerifier
from golem.model import events as e
from golem.model.chain import Funds, Sighting
from golem.model.effects import Effect, Execute, Send
from golem.model.ids import NOBODY, Cid, NodeId, SubtaskId, TaskId, check_id, task_id
from golem.model.messages import Acceptance, Assignment, Delivery, Message, Offer, Refusal, Rejection
from golem.model.money import MS_PER_HOUR, Wei
from golem.model.settings import Settings
from golem.model.spec import Chunk, Job, Judgement, Limits, Outcome, Status, TaskSpec, Verdict
from golem.model.value import evolve
from golem.template import to_json
from golem.testing.toy import CAPABILITY, Toy
from golem.verification import Sampled

CHUNKS = 20
PAUSE_MS = 24 * 3_600_000 // 5  # between tasks
TOOK_MS = 60_000
COST = 10**15  # wei: what an honest subtask costs its provider, about the price at which a deed counts once
MARGIN = 0.1
PRICE = Wei(int(COST * (1 + MARGIN)) * MS_PER_HOUR // TOOK_MS)
ACCIDENTS = 0.003
RIVAL = 0.95  # trust in those who would do the work for PRICE
BUDGET = Wei(10**20)
BEGIN_MS = 1_700_000_000_000
REPLICATED = 10  # BOINC repeats every result below so many valid ones in a row
PLACES, FEWEST = 48, 4  # at which a render is looked at
ME = NodeId("02" + "0" * 64)

Rule = Callable[[str, "Cheats", int, int], float]
"""What a strategy of this name earns in so many days, by a seed."""

Cheats = Callable[[int, Random], float]
"""How much of the `number`-th result of an identity is made up, from 0 to 1."""

STRATEGIES: dict[str, Cheats] = {
    "always": lambda number, random: True,
    "30 %": lambda number, random: random.random() < 0.3,
    "5 %": lambda number, random: random.random() < 0.05,
    "1 %": lambda number, random: random.random() < 0.01,
    "betrays after 50": lambda number, random: number >= 50,
    "betrays after 300": lambda number, random: number >= 300,
    "50 good, 10 bad": lambda number, random: number % 60 >= 50,
    "5 % once trusted": lambda number, random: number >= 100 and random.random() < 0.05,
}
OF_EACH: dict[str, Cheats] = {
    "half of each": lambda number, random: 0.5,
    "10 % of each": lambda number, random: 0.1,
    "5 % of each": lambda number, random: 0.05,
    "1 % of each": lambda number, random: 0.01,
    "10 % of each once trusted": lambda number, random: 0.1 * (number >= 100),
    "5 % of each once trusted": lambda number, random: 0.05 * (number >= 100),
    "1 % of each once trusted": lambda number, random: 0.01 * (number >= 100),
}
HONEST: Cheats = lambda number, random: 0.0  # noqa: E731 - one of the strategies


@implementer(IScaled)
class Judged(Toy):
    """A task whose one check tells right from wrong, at so many places."""

    def __init__(self, places: int) -> None:
        super().__init__(chunks=CHUNKS)
        self._places = places

    def scaled(self, care: float) -> IVerifier:
        """At fewer."""
        return Judged(max(FEWEST, math.ceil(PLACES * care)))

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """See `IVerifier.plan`."""
        return (evolve(work, params=to_json(self._places)),)

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """As the check found."""
        return Verdict(judgement=Judgement.ACCEPT if reports[0] == b"right" else Judgement.WRONG)


class Recomputed(Judged):
    """A task whose one check sees anything, and is made of some results."""

    def verifier(self, spec: TaskSpec) -> IVerifier:
        """Sampled."""
        return Sampled(self)


ALL = 10**6  # places, of which none is missed
WHOLE, LOOKED = Recomputed(ALL), Judged(PLACES)


@dataclass
class Market:
    """A requestor's core and one provider. `earned`, `spent`: by the provider, in wei. `number`: of its results.

    `looks`: at how many places each result was looked at that was.
    """

    template: Toy
    cheats: Cheats
    random: Random
    renames: bool
    now_ms: int = BEGIN_MS
    earned: int = 0
    spent: int = 0
    number: int = 0
    names: int = 0
    wrong: dict[str, float] = field(default_factory=dict)
    looks: list[int] = field(default_factory=list)
    asked: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The requestor's core."""
        self.core = Core(NodeState(), self.template.policies())

    def begin(self) -> None:
        """The requestor runs, and the provider is there."""
        settings = Settings(slots=8)
        self.post(e.Started(node_id=ME, address="me:1", payee=NOBODY, settings=settings, capability=CAPABILITY))
        self.rename()

    def rename(self) -> None:
        """The provider comes under a new name."""
        self.names += 1
        self.number = 0
        self.name = NodeId(f"03{self.names:064x}")
        self.post(e.Connected(peer=self.name, address="he:1", gateway="he:2", payee=NOBODY, epoch="x"))

    def post(self, event: e.Event) -> None:
        """Something happens; what follows from it waits in `asked`."""
        self.asked += self.core.step(event, e.Stamp(at_ms=self.now_ms, salt=self.random.randbytes(16)))

    def hear(self, message: Message) -> None:
        """The provider says something."""
        self.post(e.Heard(peer=self.name, sequence=1, message=message))

    def play(self, number: int) -> None:
        """One task, from its submission to its end or to the provider's."""
        self.now_ms += PAUSE_MS
        task = task_id(ME, str(number))
        limits = Limits(timeout_ms=TOOK_MS)
        spec = TaskSpec(template="toy", params=b"{}", budget=BUDGET, max_price=PRICE, output="", limits=limits)
        self.post(e.TaskSubmitted(task_id=task, spec=spec))
        funds = Funds(free=Wei(10**24), wallet=Wei(10**18))
        self.post(e.Observed(key=f"funds/{task}", sighting=Sighting(block=1, block_ms=0, funds=funds)))
        self.hear(Offer(task_id=task, price=self._price(), slots=1, capability=CAPABILITY))
        self.post(e.TimerFired(name=f"offers/{task}"))
        while self.asked:
            self._carry_out(self.asked.pop(0), task)
        if self.core.state.boards[task].pending:
            self.post(e.TaskCancelled(task_id=task))  # somebody else does the rest
        self.asked.clear()

    def _price(self) -> Wei:
        """As the requestor ranks: who is half as trusted must be half as dear."""
        trust = known(self.core.state, rated(self.name, Role.PROVIDER), self.now_ms).trust
        return Wei(int(PRICE * min(1.0, trust / RIVAL)))

    def _carry_out(self, effect: Effect, task: TaskId) -> None:
        match effect:
            case Send(message=Assignment(subtask_id=subtask_id)):
                self._deliver(subtask_id)
            case Send(message=Acceptance(amount=amount)):
                self.earned += amount
            case Send(message=Rejection() | Refusal()) if self.renames:
                self.rename()
            case Execute(job=job):
                found = b"wrong" if job.job_id in self.wrong and self._is_seen(job) else b"right"
                self.post(e.Executed(key=job.job_id, outcome=Outcome(status=Status.DONE, report=found)))
            case _:
                pass

    def _is_seen(self, check: Job) -> bool:
        places = msgspec.json.decode(check.params, type=int)
        self.looks.append(places)
        return self.random.random() >= (1 - self.wrong[check.job_id]) ** places

    def _deliver(self, subtask_id: SubtaskId) -> None:
        self.now_ms += TOOK_MS
        made_up = self.cheats(self.number, self.random)
        self.number += 1
        self.spent += int(COST * (1 - made_up))
        wrong = made_up or float(self.random.random() < ACCIDENTS)
        self.wrong[check_id(subtask_id, 0)] = wrong
        self.hear(Delivery(subtask_id=subtask_id, result=Cid(""), size_bytes=0, report=b"{}", used_ms=TOOK_MS))


def played(template: Toy, cheats: Cheats, days: int, seed: str, *, renames: bool = False) -> Market:
    """So many days of it. `renames`: the provider takes a new name whenever a result is rejected or it is refused."""
    market = Market(template, cheats, Random(seed), renames)
    market.begin()
    for number in range(days * 5):
        market.play(number)
    return market


def ours(name: str, cheats: Cheats, days: int, seed: int, *, template: Toy = WHOLE, renames: bool = False) -> float:
    """What a strategy earns for each subtask that the provider was free for, over the node's own core."""
    market = played(template, cheats, days, f"{name}/{seed}", renames=renames)
    return (market.earned - market.spent) / COST / (days * 5 * CHUNKS)


def boinc(name: str, cheats: Cheats, days: int, seed: int) -> float:
    """The same under adaptive replication; who is caught begins anew, so that a new name changes nothing."""
    random, valid, income = Random(f"{name}/{seed}"), 0, 0.0
    for number in range(days * 5 * CHUNKS):
        cheat = cheats(number, random)
        is_right = not cheat and random.random() >= ACCIDENTS
        is_replicated = valid < REPLICATED or random.random() < 1 / valid
        income += (1 + MARGIN) * (is_right or not is_replicated) - (not cheat)
        valid = 0 if is_replicated and not is_right else valid + 1
    return income / (days * 5 * CHUNKS)


def incomes(rule: Rule, days: int, runs: int, strategies: Mapping[str, Cheats] = STRATEGIES) -> dict[str, object]:
    """Of every strategy under a rule, the mean of some runs."""

    def mean(name: str, cheats: Cheats) -> float:
        return round(sum(rule(name, cheats, days, seed) for seed in range(runs)) / runs, 4)

    return {
        "honest": mean("honest", HONEST),
        "strategies": {name: mean(name, cheats) for name, cheats in strategies.items()},
    }


def main() -> None:
    """Print them."""
    args = arguments(__doc__ or "", days=50, runs=6)
    rules: dict[str, Rule] = {"renaming": partial(ours, renames=True), "boinc": boinc}
    found = incomes(ours, args.days, args.runs)
    found |= {name: incomes(rule, args.days, args.runs) for name, rule in rules.items()}
    looked, every = partial(ours, template=LOOKED), {**STRATEGIES, **OF_EACH}
    found["renders"] = incomes(looked, args.days, args.runs, every)
    found["renders, renaming"] = incomes(partial(looked, renames=True), args.days, args.runs, every)
    looks = played(LOOKED, HONEST, args.days, "places").looks
    found["places"] = {"first": fmean(looks[:20]), "later": round(fmean(looks[100:]), 1), "fewest": min(looks)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
