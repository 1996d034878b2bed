"""How far a demand reaches, how often it comes twice, and what an idle node sends; by the overlay's own code.

`reach`: the least share of living nodes that a demand came to, at 100 and 1,000 nodes of which 0 to half had failed at
once half a minute before. `redundancy`: copies of a demand that a node gets beside the first, at 1,000 nodes whose tree
stands. `idle_bytes_per_s`: what a production node sends to ten neighbours while nothing happens, TLS included.
`--all 1` prints the tables of docs/network.md to standard error, attacks included.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import arguments, show
from golem.core.near import MAX_PER_PREFIX
from golem.core.overlay import OUTBOUND
from golem.model.ids import TaskId, task_id
from golem.model.messages import MAX_TOLD, Demand, Message, PeerList, PeerRecord
from golem.model.money import Wei
from golem.model.spec import Limits
from golem.testing.local import LocalNetwork
from golem.testing.member import Member
from golem.testing.swarm import JOIN_S, Swarm
from golem.testing.transport import MemoryTransport

SIZES = (100, 1_000)
FAILED = (0.0, 0.1, 0.3, 0.5)
MESSAGES = 10
TLS_BYTES = 22  # of one record around what is written at once
IDLE_S = 600.0
NEIGHBOURS = 10  # of an idle node
BESET = 10  # Sybils that dial each node, again and again
JOB_S, EVERY_S, CHUNKS, HOUR_S = 60.0, 120, 2, 3_600  # work while half of the providers lie
SYBILS_IN_ONE = 40  # in one of these cases: of a thousand nodes, 500 Sybils have rented 25 networks of one /24


class Spread(NamedTuple):
    """What became of some demands. `extra`: copies beside the first; `control`: other messages, per node and demand.

    `hops`: links to the last node, in the mean over demands; `sent_bytes`: per node and demand, envelopes included.
    """

    reach: float
    extra: float
    control: float
    p50_s: float
    last_s: float
    hops: float
    sent_bytes: float


def places(count: int) -> list[str]:
    """Each in a network of its own."""
    return [f"8.{number >> 8}.{number & 255}.1:7300" for number in range(count)]


def joined(count: int, seed: int = 1) -> Swarm:
    """Nodes that have found one another."""
    swarm = Swarm(places(count), seed)
    swarm.join(swarm.members.values())
    swarm.run(count * JOIN_S + 60)
    return swarm


def demand(swarm: Swarm, author: Member, task: int) -> Demand:
    """What a requestor says to all."""
    return Demand(
        task_id=task_id(author.node_id, str(task)),
        requestor=author.node_id,
        address=author.place,
        template="toy",
        environment="toy-1",
        max_price=Wei(1),
        limits=Limits(),
        chunks=1,
        expires_ms=int(swarm.clock.seconds() * 1000) + 600_000,
    )


def spread(swarm: Swarm, among: Sequence[Member], count: int = MESSAGES) -> Spread:
    """Demands of nodes drawn by chance, one every five seconds, among nodes that are up."""
    reach, times, last, hops = [], [], [], []
    for member in among:
        member.payloads = member.control = member.sent_bytes = 0
    for task in range(count):
        author = swarm.random.choice(among)
        said, began = demand(swarm, author, 1_000 + task), swarm.clock.seconds()
        swarm.say(author, said)
        swarm.run(5)
        key = f"{said.task_id}/{said.expires_ms}"
        took = [member.heard[key] - began for member in among if key in member.heard]
        reach.append((len(took) + (key not in author.heard)) / len(among))
        times += took
        last.append(max(took))
        hops.append(max(member.hops[key] for member in among if key in member.hops))
    others = count * (len(among) - 1)
    extra = sum(member.payloads for member in among) / others - sum(reach) / count
    control = sum(member.control for member in among) / (count * len(among))
    sent = sum(member.sent_bytes for member in among) / (count * len(among))
    median = statistics.median(times)
    return Spread(min(reach), max(0.0, extra), control, median, max(last), statistics.mean(hops), sent)


def failing(count: int, share: float) -> tuple[Spread, Spread]:
    """With so many dead of a sudden: the first demand, and those after half a minute."""
    swarm = joined(count)
    members = list(swarm.members.values())
    spread(swarm, members)
    swarm.fail(swarm.random.sample(members[1:], int(share * count)))
    living = [member for member in members if member.is_up]
    first = spread(swarm, living, 1)
    swarm.run(30)
    return first, spread(swarm, living)


def sybils(count: int, networks: int, seed: int) -> tuple[float, float]:
    """Half of all nodes are one owner's: they come to a network that stands, dial everybody, and tell of each other.

    Then newcomers join it, a tenth of the honest; and in the midst of a second wave all honest nodes start again. Says
    how many of the old and of the new have at least two honest sessions of their own choice two minutes later.
    """
    half = count // 2
    honest = places(half)
    rented = [f"9.{9 + number // 256}.{number % 256}" for number in range(networks)]
    bad = [f"{rented[number % networks]}.{1 + number // networks}:7300" for number in range(half)]
    swarm = Swarm([*honest, *bad], seed)
    members = list(swarm.members.values())
    good, evil = members[:half], members[half:]
    old, new = good[: half * 9 // 10], good[half * 9 // 10 :]
    for member in evil:
        member.twist = lambda message: _praise(swarm, evil, message)
    for wave in (old, evil, new):
        swarm.join(wave)
        swarm.run(len(wave) * JOIN_S + 60)
        _beset(swarm, good, evil)
    swarm.run(10)
    _beset(swarm, good, evil)
    for member in good:
        swarm.restart(member)
    swarm.run(120)
    ids = {member.node_id for member in good}
    safe, safe_new = (sum(len(ids & m.dialled.keys()) >= 2 for m in some) / len(some) for some in (old, new))
    return safe, safe_new


def _beset(swarm: Swarm, good: Sequence[Member], evil: Sequence[Member]) -> None:
    """Some Sybils dial each honest node that is there."""
    for member in (member for member in good if member.is_up):
        for enemy in swarm.random.sample(evil, BESET):
            swarm.dial(enemy, member.place)


def _praise(swarm: Swarm, evil: Sequence[Member], message: Message) -> Message:
    """A Sybil tells of Sybils."""
    if not isinstance(message, PeerList):
        return message
    now_ms = int(swarm.clock.seconds() * 1000)
    told = swarm.random.sample(evil, min(MAX_TOLD, len(evil)))
    return PeerList(peers=tuple(PeerRecord(node=m.node_id, address=m.place, at_ms=now_ms) for m in told))


def spam(spammers: int) -> tuple[Spread, float, int]:
    """So many nodes of 200 say a thousand demands a second each, for five seconds.

    What becomes of the others' demands meanwhile, how many a second an honest node hears at most, and keeps in all.
    """
    swarm = joined(200)
    members = list(swarm.members.values())
    good, evil = members[spammers:], members[:spammers]
    for second in range(5):
        for member in evil:
            for number in range(1_000):
                said = demand(swarm, member, second * 1_000 + number)
                peer = swarm.random.choice(list(member.links))
                swarm.clock.callLater(second + number / 1_000, swarm.whisper, member, (peer,), said)
    found = spread(swarm, good, 1)
    carried = [len(member.core.state.demands) for member in good]
    return found, max(member.payloads for member in good) / 5, max(carried)


def work(providers: int, hours: int = 1) -> float:
    """Half of so many production nodes that provide lie in all they return; six others have work for some of them.

    Says what share of the work is given to the honest in the last quarter of so many hours.
    """
    liars = {f"sybil{number}": "liar" for number in range(providers // 2)}
    honest = [f"honest{number}" for number in range(providers - len(liars))]
    asking = [f"asks{number}" for number in range(6)]
    terms, takes_s = dict.fromkeys(asking, LocalNetwork.REQUESTOR), dict.fromkeys((*honest, *liars), JOB_S)
    with tempfile.TemporaryDirectory() as folder:
        net = LocalNetwork(Path(folder), (*asking, *honest, *liars), terms=terms, takes_s=takes_s, behave=liars)
        ids = {net[name].keyring.node_id for name in honest}
        tasks = []
        for _ in range(hours * HOUR_S // EVERY_S):
            tasks += [(asks, net[asks].submit("echo", {"count": CHUNKS}, budget=Wei(10**16))) for asks in asking]
            net.advance(EVERY_S)
        given = [
            net[asks].node.engine.state.subtasks[subtask].provider in ids
            for asks, task in tasks[-len(tasks) // 4 :]
            for subtask in net[asks].node.engine.state.boards[TaskId(task)].history
        ]
        net.close()
    return sum(given) / len(given)


def idle() -> float:
    """Bytes a second that one of eleven production nodes sends, each with ten neighbours."""
    sent = [0]
    write = MemoryTransport.write

    def counted(transport: MemoryTransport, data: bytes) -> None:
        sent[0] += len(data) + TLS_BYTES
        write(transport, data)

    MemoryTransport.write = counted  # type: ignore[method-assign]  # the one place that all bytes pass
    try:
        with tempfile.TemporaryDirectory() as folder:
            names = tuple(f"node{number}" for number in range(NEIGHBOURS + 1))
            net = LocalNetwork(Path(folder), names)
            net.advance(180)
            peers = [int(str(net[name].node.desk.status()["peers"])) for name in names]
            sent[0] = 0
            net.advance(IDLE_S)
            net.close()
    finally:
        MemoryTransport.write = write  # type: ignore[method-assign]  # as it was
    return sent[0] / IDLE_S / len(names) * NEIGHBOURS / statistics.mean(peers)


def main() -> None:
    """Measure and print."""
    is_all = bool(arguments(__doc__ or "", all=0).all)
    reach, redundancy = 1.0, 0.0
    for count in SIZES:
        for share in FAILED if is_all else (0.0, 0.5):
            first, healed = failing(count, share)
            reach = min(reach, healed.reach)
            redundancy = healed.extra if share == 0 else redundancy
            _say(f"{count} nodes, {share:.0%} failed: first {_row(first)}; after 30 s {_row(healed)}")
    if is_all:
        _say(f"of one /24: {MAX_PER_PREFIX}; sessions of one's own choice: {OUTBOUND}")
        for count in SIZES:
            for networks in (count // SYBILS_IN_ONE, count // 2):
                old, new = sybils(count, networks, 1)
                kept = f"{old:.4f} keep two honest sessions, and {new:.4f} of newcomers find them"
                _say(f"{count} nodes, half of them Sybils in {networks} networks: {kept}")
        _say(f"half of 24 providers lie: {work(24):.4f} of the work is given to the others after an hour")
        for spammers in (0, 100):
            found, heard, kept = spam(spammers)
            _say(f"{spammers} spammers: {_row(found)}; a node hears {heard:.0f} a second, keeps {kept}")
    show(reach=round(reach, 4), redundancy=round(redundancy, 3), idle_bytes_per_s=round(idle()))


def _row(found: Spread) -> str:
    return (
        f"reach {found.reach:.4f}, extra {found.extra:.3f}, control {found.control:.1f}, "
        f"median {found.p50_s * 1000:.0f} ms, last {found.last_s * 1000:.0f} ms, "
        f"hops {found.hops:.1f}, {found.sent_bytes:.0f} bytes"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
