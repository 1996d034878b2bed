"""Who gets the work of a simulated market: thirty production nodes, hours of it, less work than there are providers.

Six nodes ask for two chunks of a minute every two minutes; of 24 providers, each with one slot, a quarter is busy.
Two of these come when the first hour is over and the others are proven.

`share`: by kind, what one of its providers got in the hours after the first, as a multiple of an equal share.
`least`: the least of any usual provider, the same way. `first_work_min`: how long the slower of the newcomers waited
for its first job, in simulated minutes, and `newcomers_last_hour`: their share of an equal share in the last hour.
`liars`: of all accepted work, what those did who lie in three of ten results. Takes 70 s an hour.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.figures import arguments, show
from golem.core.subtask import Phase
from golem.model.ids import TaskId
from golem.model.money import WEI_PER_ETHER, Wei
from golem.model.value import evolve
from golem.testing.local import LocalNetwork

REQUESTORS = 6
PRICE = Wei(6 * WEI_PER_ETHER // 100)  # per hour: 10**15 wei a minute, at which a deed counts once
JOB_S = 60.0
EVERY_S = 120.0  # between two tasks of a requestor, in the mean
CHUNKS = 2
HOUR_S = 3600.0


class Kind(NamedTuple):
    """So many providers, at this multiple of the usual price and of the usual time."""

    many: int
    price: float = 1.0
    time: float = 1.0


KINDS = {
    "usual": Kind(8),
    "cheap": Kind(3, price=0.8),
    "fast": Kind(3, time=0.8),
    "dear": Kind(3, price=1.25),
    "slow": Kind(3, time=1.25),
    "liar": Kind(2),
    "newcomer": Kind(2),
}


def names() -> Iterator[tuple[str, Kind]]:
    """All providers, as "kind-number"."""
    for kind, each in KINDS.items():
        yield from ((f"{kind}-{number}", each) for number in range(each.many))


class Market:
    """The nodes, and the tasks that come by chance: who asked, and the task's id."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        providers = dict(names())
        asking = [f"asks-{number}" for number in range(REQUESTORS)]
        terms = {name: LocalNetwork.REQUESTOR for name in asking}
        takes_s = {}
        for name, kind in providers.items():
            price = Wei(int(PRICE * kind.price))
            terms[name] = evolve(LocalNetwork.PROVIDER, min_price=price, max_exposure=Wei(WEI_PER_ETHER))
            takes_s[name] = JOB_S * kind.time * self.random.uniform(0.97, 1.03)
        liars = {name: "rare_liar" for name in providers if name.startswith("liar")}
        self.net = LocalNetwork(folder, (*asking, *providers), seed=seed, terms=terms, takes_s=takes_s, behave=liars)
        self.asking = asking
        self.names = {self.net[name].keyring.node_id: name for name in providers}
        self.newcomers = [name for name in providers if name.startswith("newcomer")]
        self.tasks: list[tuple[str, str]] = []
        for name in self.newcomers:
            self.net.kill(name)

    def welcome(self) -> None:
        """The newcomers come."""
        for name in self.newcomers:
            self.net.boot(name)

    def trade(self, hours: float) -> None:
        """Let tasks come for so long."""
        end_s = self.net.clock.seconds() + hours * HOUR_S
        while True:
            wait_s = self.random.expovariate(REQUESTORS / EVERY_S)
            if self.net.clock.seconds() + wait_s >= end_s:
                break
            self.net.advance(wait_s)
            asks = self.random.choice(self.asking)
            budget, most = Wei(WEI_PER_ETHER // 100), Wei(2 * PRICE)
            task = self.net[asks].submit("echo", {"count": CHUNKS}, budget=budget, max_price=most)
            self.tasks.append((asks, task))
        self.net.advance(end_s - self.net.clock.seconds())

    def attempts(self, since: int = 0) -> Iterator[tuple[str, int, bool]]:
        """Who got work of the tasks from the `since`-th on, when, and whether it was accepted."""
        for asks, task in self.tasks[since:]:
            state = self.net[asks].node.engine.state
            for sid in state.boards[TaskId(task)].history:
                one = state.subtasks[sid]
                yield self.names[one.provider], one.assigned_ms, one.phase is Phase.ACCEPTED

    def shares(self, since: int) -> dict[str, float]:
        """What each provider did of these tasks, as a multiple of an equal share."""
        done = Counter(name for name, _, is_accepted in self.attempts(since) if is_accepted)
        return {name: done[name] * len(self.names) / done.total() for name in self.names.values()}


def by_kind(shares: Mapping[str, float]) -> dict[str, float]:
    """Their means."""
    return {
        kind: round(sum(share for name, share in shares.items() if name.startswith(kind)) / each.many, 2)
        for kind, each in KINDS.items()
    }


def main() -> None:
    """Play and print."""
    asked = arguments(__doc__ or "", hours=6, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        market = Market(Path(folder), asked.seed)
        market.trade(1)
        early, came_ms = len(market.tasks), int(market.net.clock.seconds() * 1000)
        market.welcome()
        market.trade(asked.hours - 2)
        late = len(market.tasks)
        market.trade(1)
        first = {name: at_ms for name, at_ms, _ in reversed(list(market.attempts(early)))}
        shares = market.shares(early)
        done = Counter(name.startswith("liar") for name, _, is_accepted in market.attempts() if is_accepted)
        show(
            share=by_kind(shares),
            least=round(min(share for name, share in shares.items() if name.startswith("usual")), 2),
            first_work_min=round(max(first.get(name, 10**15) - came_ms for name in market.newcomers) / 60_000, 1),
            newcomers_last_hour=by_kind(market.shares(late))["newcomer"],
            liars=round(done[True] / done.total(), 4),
        )
        market.net.close()


if __name__ == "__main__":
    main()
