"""What the simulation costs and finds: virtual markets in real seconds, crashes a second, seeds to find each bug.

`nodes10_hour_s`, `nodes100_hour_s`: real seconds for one simulated hour without faults. `events_per_s`: turns of the
clock at 10, 100 and 1,000 nodes. `hours_per_core_s`: simulated hours of 10 nodes. `chaos150_s`: 150 seeds of 10 nodes
and an hour each, under all faults, in two processes; -1 where a seed failed. `crash_cycles_per_s`: death at a point,
restart and end of a task. `turn_ms`: what a turn of a node takes of a core under faults, of a thousand all but one, and
the longest. `planted`: seeds until each planted bug was found; 0 where it was not within 50.
"""

from __future__ import annotations

import gc
import json
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from golem.node.engine import Engine
from golem.testing.chaos import Plan, run, search
from golem.testing.local import LocalNetwork
from tests.scenario.planted import BUGS, patched

MOST_SEEDS = 50
SMALL = Plan(nodes=6, length_ms=12 * 60_000)


def hour(nodes: int, seconds: float) -> tuple[float, float]:
    """Real seconds for so much simulated time, joining included, and clock turns per real second."""
    names = ("alice", *(f"bob{n}" for n in range(nodes - 1)))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        net = LocalNetwork(Path(folder), names)
        net["alice"].submit("echo", {"count": 100})
        net.advance(seconds)
        took = time.perf_counter() - began
        net.close()
        return took, net.clock.turns / took


def crashes(count: int) -> float:
    """Lives that end at a point and are taken up again, per second."""
    began = time.perf_counter()
    for number in range(1, count + 1):
        with tempfile.TemporaryDirectory() as folder:
            net = LocalNetwork(Path(folder), ("alice", "bob"), seed=number)
            task = net["alice"].submit("echo", {"count": 3})
            net["alice"].dies_at = len(net["alice"].passed) + number
            net.run_until(lambda n=net, t=task: n["alice"].run is not None and n["alice"].phase(t) == "done", 120)
            net.close()
    return count / (time.perf_counter() - began)


def turns() -> dict[str, float]:
    """Milliseconds of a core that turns of an engine take, with what they ask for, in a market under faults."""
    honest, took = Engine._turn, list[float]()

    def timed(engine: Engine) -> None:
        began = time.thread_time()
        honest(engine)
        took.append(time.thread_time() - began)

    gc.disable()  # the garbage of a whole market is no single node's
    try:
        with patched((Engine, "_turn", timed)):
            run(1, SMALL)
    finally:
        gc.enable()
    took.sort()
    return {"p99.9": round(took[len(took) * 999 // 1000] * 1000, 2), "most": round(took[-1] * 1000, 2)}


def seeds_to_find(name: str) -> int:
    """How many seeds it takes."""
    for seed in range(1, MOST_SEEDS + 1):
        with BUGS[name]():
            if run(seed, SMALL).failure:
                return seed
    return 0


def chaos(seeds: int) -> float:
    """Real seconds for so many seeds, or -1."""
    began = time.perf_counter()
    failed = search(range(1, seeds + 1), Plan(), workers=2)
    return -1.0 if failed else time.perf_counter() - began


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object is printed in any case")
    parser.add_argument("--seeds", type=int, default=150, help="of chaos; default: 150")
    given = parser.parse_args()
    ten_s, ten_events = hour(10, 3600)
    hundred_s, hundred_events = hour(100, 3600)
    _, thousand_events = hour(1_000, 30)
    figures = {
        "nodes10_hour_s": round(ten_s, 2),
        "nodes100_hour_s": round(hundred_s, 1),
        "events_per_s": {"10": round(ten_events), "100": round(hundred_events), "1000": round(thousand_events)},
        "hours_per_core_s": round(1 / ten_s, 2),
        "chaos150_s": round(chaos(given.seeds), 1),
        "crash_cycles_per_s": round(crashes(40), 1),
        "turn_ms": turns(),
        "planted": {name: seeds_to_find(name) for name in BUGS},
    }
    print(json.dumps(figures))
