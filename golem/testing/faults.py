"""What goes wrong in a LocalNetwork, as a list of values: drawn from a seed, put into force, shrunk, and replayed.

    faults = draw(seed=7, nodes=("alice", "bob", "carol"), until_ms=600_000)
    weather = schedule(network, faults)    # from now on, each at its time
    network.advance(600)
    weather.calm()                         # whatever still lasts ends now

Times count from `schedule`, in milliseconds. A fault without a length (`for_ms` 0) happens at once and is over.
Each seed has its own taste: some kinds of fault, how many, and how long they last. One that draws from all kinds alike
finds less than one that overdoes a few: what a kind hides, another seed lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random

from golem.testing.endpoint import About
from golem.testing.local import LocalNetwork
from golem.testing.mishaps import (
    ERRORS,
    KINDS,
    PORTS,
    ChainDown,
    Clog,
    Crash,
    Cut,
    Death,
    Disk,
    Fault,
    Forget,
    Freeze,
    Kill,
    Lie,
    Lossy,
    Partition,
    Reorg,
    Reset,
    Service,
    Skew,
    Stale,
)
from golem.testing.ports import Mood

__all__ = ["KINDS", "Fault", "Weather", "apply", "draw", "schedule"]

LEAST, MOST = 4, 24  # faults of one run
SHORTEST_MS, LONGEST_MS = 200, 150_000  # from a hiccup to well past every time-out between peers
SLOWEST_MS = 5_000
SOON_MS = 20_000  # by then who is owed has looked at the chain, and who owes has paid
TO_PAYERS = (About.RECEIPT, About.GIVEN, About.BALANCE, About.FORK)  # lies that could cost them something
TO_PAYEES = (About.INCOME, About.INCOME, About.HIDDEN, About.FORK)
FIRST = 0.3
WRONG_MS = 300_000  # a clock's error; past ten minutes nobody talks to such a node at all
MOODS = (Mood.FAILS, Mood.HANGS, Mood.FORGETS)


class _Dice:
    """One seed's stream, and what faults are made of."""

    def __init__(self, seed: int, nodes: Sequence[str], until_ms: int) -> None:
        self.random = Random(sha256(f"{seed}/faults".encode()).digest())
        self.names = nodes
        self.until_ms = until_ms

    def at_ms(self) -> int:
        """Some time."""
        return self.random.randrange(self.until_ms)

    def for_ms(self) -> int:
        """As likely short as long."""
        shortest, longest = SHORTEST_MS, min(LONGEST_MS, max(SHORTEST_MS + 1, self.until_ms // 2))
        return int(shortest * (longest / shortest) ** self.random.random())

    def node(self) -> str:
        """Any, but often the first, which asks: the most hangs on it."""
        return self.names[0] if self.random.random() < FIRST else self.random.choice(self.names)

    def two(self) -> tuple[str, str]:
        """Two that differ."""
        one, other = self.random.sample(self.names, 2)
        return one, other

    def side(self) -> tuple[str, ...]:
        """Some, but not all."""
        return tuple(self.random.sample(self.names, self.random.randint(1, max(1, len(self.names) // 2))))


def _cut(dice: _Dice) -> Fault:
    one, other = dice.two()
    return Cut(at_ms=dice.at_ms(), for_ms=dice.for_ms(), one=one, other=other, one_way=dice.random.random() < 0.5)


def _reset(dice: _Dice) -> Fault:
    one, other = dice.two()
    return Reset(at_ms=dice.at_ms(), one=one, other=other)


def _clog(dice: _Dice) -> Fault:
    one, other = dice.two()
    delay_ms = dice.random.randint(100, SLOWEST_MS)
    return Clog(at_ms=dice.at_ms(), for_ms=dice.for_ms(), one=one, other=other, delay_ms=delay_ms)


def _lossy(dice: _Dice) -> Fault:
    one, other = dice.two()
    per_mille = dice.random.randint(1, 50)
    return Lossy(at_ms=dice.at_ms(), for_ms=dice.for_ms(), one=one, other=other, per_mille=per_mille)


def _service(dice: _Dice) -> Fault:
    random = dice.random
    port = random.choice(PORTS)
    return Service(at_ms=dice.at_ms(), for_ms=dice.for_ms(), node=dice.node(), port=port, mood=random.choice(MOODS))


def _skew(dice: _Dice) -> Fault:
    by_ms = dice.random.randint(-WRONG_MS, WRONG_MS)
    return Skew(at_ms=dice.at_ms(), for_ms=dice.for_ms(), node=dice.node(), by_ms=by_ms)


def _death(dice: _Dice) -> Fault:
    random = dice.random
    return Death(at_ms=dice.at_ms(), node=dice.node(), port=random.choice(PORTS), is_done=random.random() < 0.5)


def _lie(dice: _Dice) -> Fault:
    node, for_ms = dice.node(), dice.random.randint(SOON_MS, LONGEST_MS)
    about = dice.random.choice(TO_PAYERS if node == dice.names[0] else TO_PAYEES)
    return Lie(at_ms=dice.at_ms(), for_ms=for_ms, node=node, about=about)


MAKERS: dict[str, Callable[[_Dice], Fault]] = {
    "kill": lambda d: Kill(at_ms=d.at_ms(), for_ms=d.for_ms(), node=d.node()),
    "crash": lambda d: Crash(at_ms=d.at_ms(), node=d.node(), is_torn=d.random.random() < 0.5),
    "death": _death,
    "freeze": lambda d: Freeze(at_ms=d.at_ms(), for_ms=d.for_ms(), node=d.node()),
    "skew": _skew,
    "cut": _cut,
    "partition": lambda d: Partition(at_ms=d.at_ms(), for_ms=d.for_ms(), side=d.side()),
    "reset": _reset,
    "clog": _clog,
    "lossy": _lossy,
    "disk": lambda d: Disk(at_ms=d.at_ms(), for_ms=d.for_ms(), node=d.node(), error=d.random.choice(ERRORS)),
    "service": _service,
    "forget": lambda d: Forget(at_ms=d.at_ms(), node=d.node()),
    "stale": lambda d: Stale(at_ms=d.at_ms(), for_ms=d.for_ms(), node=d.node()),
    "lie": _lie,
    "chaindown": lambda d: ChainDown(at_ms=d.at_ms(), for_ms=d.for_ms()),
    "reorg": lambda d: Reorg(at_ms=d.at_ms()),
}


def draw(seed: int, nodes: Sequence[str], until_ms: int, kinds: Sequence[str] = ()) -> tuple[Fault, ...]:
    """The faults of a seed, the earliest first. `kinds`: of `KINDS`, to draw from these alone.

    There are two nodes at least.
    """
    dice = _Dice(seed, nodes, until_ms)
    known = [kind for kind in MAKERS if not kinds or kind in kinds]
    liked = [kind for kind in known if dice.random.random() < 0.5] or [dice.random.choice(known)]
    drawn = [MAKERS[dice.random.choice(liked)](dice) for _ in range(dice.random.randint(LEAST, MOST))]
    return tuple(sorted(drawn, key=lambda fault: fault.at_ms))


class Weather:
    """The faults in force in one network. `began`: all that ever were, for the report."""

    def __init__(self, network: LocalNetwork) -> None:
        self._network = network
        self._active: list[Fault] = []
        self._is_calm = False
        self.began: list[Fault] = []

    def begin(self, fault: Fault) -> None:
        """Put a fault into force for as long as it lasts."""
        if self._is_calm:
            return
        self.began.append(fault)
        fault.begin(self._network)
        if fault.for_ms:
            self._active.append(fault)
            self._network.clock.callLater(fault.for_ms / 1000, self.end, fault)

    def end(self, fault: Fault) -> None:
        """Undo it; what it had in common with others that last goes on."""
        if fault not in self._active:
            return
        self._active.remove(fault)
        fault.end(self._network)
        for other in self._active:
            if other.family == fault.family:
                other.begin(self._network)

    def calm(self) -> None:
        """All that lasts ends now, and nothing new begins."""
        self._is_calm = True
        for fault in list(self._active):
            self.end(fault)


def apply(network: LocalNetwork, fault: Fault) -> Weather:
    """Put one fault into force now, whatever its `at_ms` says."""
    weather = Weather(network)
    weather.begin(fault)
    return weather


def schedule(network: LocalNetwork, faults: Sequence[Fault]) -> Weather:
    """Put each fault into force at its time from now."""
    weather = Weather(network)
    for fault in faults:
        network.clock.callLater(fault.at_ms / 1000, weather.begin, fault)
    return weather
