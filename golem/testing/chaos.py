"""A market under all faults at once: requestors, providers, tasks and weather of one seed; then calm, and all must end.

`python -m golem.testing.chaos --seeds 150` tries so many seeds and stops at the first that fails, with its story, the
least of its faults that still makes it fail, and the command that replays just that.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import NamedTuple, TextIO

import msgspec

from golem.core.market import LEAST_WORK_MS
from golem.model.money import Wei, cost
from golem.model.settings import Settings
from golem.model.value import evolve
from golem.testing import lawbook
from golem.testing.adversaries import ANYBODY, ASKING, PROVIDING
from golem.testing.faults import Fault, Weather, draw, schedule
from golem.testing.local import LocalNetwork
from golem.testing.local_node import BUDGET, MAX_PRICE
from golem.testing.quiet import journal_tells_all
from golem.testing.rude import Rude
from golem.testing.shrink import shrink

HOUR_MS = 3_600_000
STORM = 5 / 6  # of the time there are faults; then all must come to its end
FEE_WEI = 10**12
QUIET_S = 60.0  # for the last words
FOREVER_S = 1e6
SPARE_MS = 10_000  # in a promise to pay: a chain that is down makes it late
DEPTHS = (0, 5, 12)  # blocks
PACES_S = (0.2, 1.0, 8.0, 30.0)  # of a job, by provider: whatever the weather does, something is under way
HIDDEN = 0.15
TASK_MS = 200_000  # between two tasks of a requestor
CALM_S = 1_800.0  # twice the longest that a task may still need: three leases of three minutes one after the other
_faults = msgspec.json.Decoder(tuple[Fault, ...])


class Plan(NamedTuple):
    """What is tried. One in five nodes asks, the others provide."""

    nodes: int = 10
    length_ms: int = HOUR_MS

    @property
    def names(self) -> tuple[str, ...]:
        """All nodes, those that ask first."""
        asks = len(self.asking)
        return (*self.asking, *(f"works{n}" for n in range(asks, self.nodes)))

    @property
    def asking(self) -> tuple[str, ...]:
        """Those that ask."""
        return tuple(f"asks{n}" for n in range(max(1, self.nodes // 5)))


class Run(NamedTuple):
    """What came of a seed. `failure`: empty, or what broke. `trace`: of all turns, equal where a run is the same."""

    seed: int
    faults: tuple[Fault, ...]
    steps: int
    trace: str
    failure: str
    story: str


def run(seed: int, plan: Plan, faults: Sequence[Fault] | None = None) -> Run:
    """Try a seed, with its own faults or with these."""
    storm_ms = int(plan.length_ms * STORM)
    chosen = draw(seed, plan.names, storm_ms) if faults is None else tuple(faults)
    with tempfile.TemporaryDirectory() as folder:
        net = _network(Path(folder), plan, seed)
        failure = ""
        try:
            _live(net, plan, chosen)
        except AssertionError as why:
            failure = [*net.world.troubles, str(why)][0].partition("\n")[0] or "an assertion"
        finally:
            net.close()
        return Run(seed, chosen, net.world.steps, net.world.trace.hexdigest(), failure, net.story() if failure else "")


def _network(folder: Path, plan: Plan, seed: int) -> LocalNetwork:
    """In some seeds a provider or a requestor means harm, one never answers, and a stranger speaks garbage.

    Some nodes nobody can dial; the first, whom all others ask first, is none of them.
    """
    dice = Random(sha256(f"{seed}/people".encode()).digest())
    depth = dice.choice(DEPTHS)
    asking = dict.fromkeys(plan.asking, _terms(depth))
    *_, sloth, cheat = plan.names
    debtor = plan.asking[-1]
    paces = {name: dice.choice(PACES_S) for name in plan.names}
    net = LocalNetwork(
        folder,
        plan.names,
        seed,
        terms=asking,
        behave={**_one(dice, PROVIDING, cheat, 0.5), **_one(dice, ASKING, debtor, 0.3 if len(asking) > 1 else 0.0)},
        takes_s={**paces, **({sloth: FOREVER_S} if dice.random() < 0.3 else {})},
    )
    net.ledger.depth, net.ledger.fee = depth, FEE_WEI
    if dice.random() < 0.5:
        places = [net.world.place(name) for name in plan.names]
        Rude(net.world.carrier("stranger"), net.clock, places, seed).start()
    for name in plan.names[1:]:
        if dice.random() < HIDDEN:
            net.world.network.wall(name)
    return net


def _terms(depth: int) -> Settings:
    """A promise that can be kept: what comes just after a batch closed waits for that one, and then for its own."""
    plain = LocalNetwork.REQUESTOR
    return evolve(plain, payment_window_ms=2 * (depth + 1) * 1_000 + plain.closure_ms + SPARE_MS)


def _one(dice: Random, kinds: Sequence[str], name: str, chance: float) -> dict[str, str]:
    kind = dice.choice((*kinds, *ANYBODY))
    return {name: kind} if dice.random() < chance else {}


def _live(net: LocalNetwork, plan: Plan, faults: Sequence[Fault]) -> None:
    dice = Random(sha256(f"{net.world.seed}/tasks".encode()).digest())
    net.world.network.has_tail = True
    net.world.network.chop = dice.choice((0, 0, 7, 1_000))
    weather = schedule(net, faults)
    begun: list[tuple[str, str]] = []
    for at_ms in range(0, int(plan.length_ms * STORM), TASK_MS):
        for name in plan.asking:
            net.clock.callLater((at_ms + dice.randrange(TASK_MS // 2)) / 1000, _submit, net, name, begun, dice)
    net.advance(plan.length_ms * STORM / 1000)
    _calm(net, weather, begun)
    left_s = plan.length_ms / 1000 - net.world.passed_s()
    if left_s > 0:
        net.advance(left_s)
    net.advance(QUIET_S)
    net.check_quiet()
    for name in net.world.honest:
        check_rest(net, name)
    name = net.world.honest[net.world.seed % len(net.world.honest)]  # of all it would take as long as the hour itself
    journal_tells_all(net[name].node.engine, net[name].journal)


def check_rest(net: LocalNetwork, name: str) -> None:
    """Nothing is left of what is over: no content, no job's files, no effect under way, no word unacknowledged."""
    owners = net[name].store.owners()
    assert not owners, f"{name} keeps content of tasks that are over: {', '.join(owners)}"
    files = sorted(path.name for path in (net.world.folder / name / "jobs").glob("*/*"))
    assert not files, f"{name} keeps files of jobs that are over: {', '.join(files)}"
    saved = net[name].node.engine.saved
    pending = sorted(saved.pending.keys() - saved.state.busy.keys())  # work for one that means harm may go on
    assert not pending, f"{name} asked for what never came: {', '.join(pending)}"
    queues = net[name].node.engine.mail.waiting.items()
    waiting = {peer[:8]: len(queue) for peer, queue in queues if queue and peer not in net.world.rogue_ids}
    assert not waiting, f"{name} has said what nobody acknowledged: {waiting}"


def _submit(net: LocalNetwork, name: str, begun: list[tuple[str, str]], dice: Random) -> None:
    """Have something done, if the node is there to be asked."""
    count = dice.randint(1, 12)
    budget = Wei(cost(MAX_PRICE, LEAST_WORK_MS) * count * 2) if dice.random() < 0.5 else BUDGET
    cancelled_s = dice.uniform(0.5, 20.0) if dice.random() < 0.2 else 0.0

    def begin(task: str) -> None:
        begun.append((name, task))
        if cancelled_s:
            net.clock.callLater(cancelled_s, _cancel, net, name, task)

    if net[name].run is not None and not net[name].journal.trouble:
        net[name].post("echo", {"count": count}, begin, budget=budget)


def _cancel(net: LocalNetwork, name: str, task: str) -> None:
    if net[name].run is not None:
        net[name].node.desk.cancel(task)


def _calm(net: LocalNetwork, weather: Weather, begun: Sequence[tuple[str, str]]) -> None:
    """All faults end; so must all tasks, and everything that was accepted must be paid."""
    weather.calm()
    honest = net.world.honest

    def is_over() -> bool:
        if any(net[name].run is None for name in net.world.names):
            return False
        if any(net[name].phase(task) in ("funding", "publishing", "open") for name, task in begun if name in honest):
            return False
        return net.is_even()

    net.run_until(_every(net, 1.0, is_over), limit_s=CALM_S)


def _every(net: LocalNetwork, seconds: float, is_done: Callable[[], bool]) -> Callable[[], bool]:
    """The same question, asked once in a while."""
    next_s = [0.0]

    def ask() -> bool:
        if net.clock.seconds() < next_s[0]:
            return False
        next_s[0] = net.clock.seconds() + seconds
        return is_done()

    return ask


def shrunk(failed: Run, plan: Plan) -> Run:
    """The same failure with as few faults as it needs."""
    kind = failed.failure[:20]  # the same law broken, whoever broke it
    least = shrink(failed.faults, lambda faults: run(failed.seed, plan, faults).failure[:20] == kind)
    return run(failed.seed, plan, least)


def search(seeds: Sequence[int], plan: Plan, workers: int = 1) -> Run | None:
    """The first of these seeds that fails, or None."""
    if workers == 1:
        return next((done for done in map(partial(run, plan=plan), seeds) if done.failure), None)
    with ProcessPoolExecutor(workers) as pool:
        found = next((done for done in pool.map(partial(run, plan=plan), seeds) if done.failure), None)
        pool.shutdown(cancel_futures=True)
    return found


def told(failed: Run, plan: Plan) -> str:
    """All that somebody needs who is to mend it."""
    faults = msgspec.json.encode(failed.faults).decode()
    again = f"python -m golem.testing.chaos --nodes {plan.nodes} --minutes {plan.length_ms // 60_000}"
    return "\n".join(
        [
            f"seed {failed.seed} fails at step {failed.steps}: {failed.failure}",
            f"the faults it needs ({len(failed.faults)}):",
            *(f"  {fault}" for fault in failed.faults),
            failed.story,
            f"trace {failed.trace}",
            f"again: {again} --seed {failed.seed} --faults '{faults}'",
        ]
    )


def main(arguments: Sequence[str], out: TextIO) -> int:
    """The command line; 1 where a seed failed."""
    parser = ArgumentParser(prog="python -m golem.testing.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=150, help="how many seeds, from --seed on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--minutes", type=int, default=60, help="simulated")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--faults", help="replay --seed with this list, as a failure printed it")
    parser.add_argument("--laws", action="store_true", help="what every node is held to, and by what; nothing is run")
    given = parser.parse_args(arguments)
    if given.laws:
        out.write("".join(f"{line}\n" for line in lawbook.table()))
        return 0
    plan = Plan(given.nodes, given.minutes * 60_000)
    if given.faults:
        done = run(given.seed, plan, _faults.decode(given.faults))
        out.write(told(done, plan) + "\n" if done.failure else f"seed {done.seed} holds; trace {done.trace}\n")
        return bool(done.failure)
    failed = search(range(given.seed, given.seed + given.seeds), plan, given.workers)
    if failed is None:
        out.write(f"{given.seeds} seeds hold: {plan.nodes} nodes, {given.minutes} simulated minutes each\n")
        return 0
    out.write(told(shrunk(failed, plan), plan) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
