"""Whether real nodes agree: processes on loopback gossip, some are killed in the midst of it, and the rest are asked.

`worst`: the largest relative error of a living node's mean, against the exact mean over the living raters. `rounds`: so
many an epoch has; no more were taken. Every third node begins with deeds of its own about a node that is not there.
Takes five minutes on two cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import arguments, show
from golem import twistd
from golem.adapters.journal import SqliteJournal
from golem.cli.local import LocalNetwork, LocalNode, Member
from golem.control.others import Standing as Seen
from golem.control.views import views
from golem.core.epochs import ROUNDS
from golem.core.fusion import voice_weight
from golem.core.reputation import Standing, trust
from golem.core.state import NodeState
from golem.node.engine import Saved
from golem.node.mail import Mail
from golem.wire.codec import encode

EPOCH_S, ROUND_S = 120, 2
KILLED_AT_S = 8.3 * ROUND_S  # after the epoch began
TARGET = "02" + "ee" * 32
SETTINGS = {
    "provider.executor": "sandbox",  # thirty nodes at once would wait for one Docker engine
    "timing.gossip_epoch": f"{EPOCH_S}s",
    "timing.gossip_round": f"{ROUND_S}s",
    "timing.observe": "30s",
}


def rater(good: str, folder: str) -> None:
    """A production node that begins with so many good deeds of the target, and two bad ones."""
    seen = Standing(good=float(good), bad=2.0, at_ms=int(time.time() * 1000), deeds=int(good) + 2)
    journal = SqliteJournal(Path(folder) / "journal.db")
    journal.snapshot(encode(Saved(NodeState(standings={f"provider/{TARGET}": seen}), Mail())))
    journal.close()
    twistd.run(folder, {}, sys.stderr, lambda _: None)


def members(count: int) -> list[Member]:
    """Every third is a rater, each of another opinion."""
    module = ("benchmarks.live_gossip", "rater")
    return [
        Member(f"node-{n}", module=(*module, str(n + 1))) if n % 3 == 0 else Member(f"node-{n}") for n in range(count)
    ]


def seen(node: LocalNode) -> Seen | None:
    """What a node knows of the target."""
    return next((s for s in views(Seen, node.client.get("/reputation")) if s.node == TARGET), None)


def exact(nodes: Sequence[LocalNode]) -> float:
    """The mean over all raters among these."""
    said = []
    for node in nodes:
        found = seen(node)
        if found is not None and found.deeds:
            own = Standing(good=found.good, bad=found.bad, at_ms=0, deeds=found.deeds)
            said.append((voice_weight(own), trust(own, 0)))
    return sum(weight * value for weight, value in said) / sum(weight for weight, _ in said)


def sleep_until(epoch_s: float) -> None:
    """Until so many seconds of the present epoch, or of the next one."""
    time.sleep((epoch_s - time.time()) % EPOCH_S)


def measure(count: int, killed: int) -> float:
    """Let them agree; the worst error."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalNetwork(Path(folder) / "nodes", members(count), SETTINGS) as network,
    ):
        network.start()
        sleep_until(0)
        time.sleep(KILLED_AT_S)
        dead = network.nodes[3 : 3 + killed]  # a rater first
        for node in dead:
            node.kill()
        time.sleep((ROUNDS + 3) * ROUND_S - KILLED_AT_S)
        living = [node for node in network.nodes if node not in dead]
        mean = exact(living)
        found = [seen(node) for node in living]
    return max(abs(s.network / mean - 1) if s is not None else 1.0 for s in found)


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__ or "", nodes=30, killed=2)
    show(worst=measure(asked.nodes, asked.killed), rounds=ROUNDS)


if __name__ == "__main__":
    if sys.argv[1:2] == ["rater"]:
        rater(sys.argv[2], sys.argv[4])
    else:
        main()
