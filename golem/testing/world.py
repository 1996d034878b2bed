"""What all nodes of a LocalNetwork share: one clock, the lines between them, content, and a chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from random import Random

from golem.interfaces import ITaskTemplate
from golem.model.effects import Effect
from golem.model.events import Event
from golem.model.ids import Address
from golem.testing.adversaries import Adversary
from golem.testing.chain import MemoryChain, MemoryLedger
from golem.testing.clock import Clock
from golem.testing.keys import FixedKeyring
from golem.testing.network import MemoryCarrier, MemoryNetwork
from golem.testing.ports import Moods
from golem.testing.store import MemoryResourceStore, MemoryWorld
from golem.testing.ways import PORT, Ways, gateway, place

FASTEST_S, SLOWEST_S = 0.001, 0.05  # one way, between two nodes of one city and of two continents
WALLET = 10**20  # wei: a hundred ether, more than any story spends


class World:
    """`folder`: where nodes keep their files. `troubles`: what should never have happened.

    `moods`: of each node's services. `fallen`: nodes that died in the midst of a turn and are to be buried. `silent`:
    nodes that say nothing any more. `honest`: nodes whose books are held to the laws. `points`: told whenever a node
    comes to a point at which it may be made to die. `trace`: over every turn of all. `watchers`: told of every turn.
    """

    def __init__(
        self,
        folder: Path,
        names: tuple[str, ...],
        seed: int,
        templates: Mapping[str, ITaskTemplate],
        minds: Mapping[str, type[Adversary]],
    ) -> None:
        self.folder = folder
        self._where = str(folder).encode()
        self.names = names
        self._minds = minds
        self.honest = tuple(name for name in names if name not in minds)
        self.rogue_ids = frozenset(FixedKeyring(name).node_id for name in minds)
        self.seed = seed
        self.templates = templates
        self.clock = Clock()
        self.began_s = self.clock.seconds()
        self.network = MemoryNetwork(str(seed), self.clock)
        self.content = MemoryWorld(self.clock)
        self.ledger = MemoryLedger(self.clock)
        self.troubles: list[str] = []
        self.moods = {name: Moods() for name in names}
        self.fallen: list[str] = []
        self.silent: dict[str, None] = {}
        self.points: dict[str, Callable[[str], None]] = {}
        self.steps = 0
        self.trace = sha256()
        self.watchers: list[Callable[[str, Event, list[Effect]], None]] = []
        self.network.about_to_write = self._may_write
        self.content.way = Ways(self.network, names, self.silent).way
        random = Random(sha256(f"{seed}/latency".encode()).digest())
        for index, one in enumerate(names):
            for other in names[:index]:
                self.network.slow(one, other, random.uniform(FASTEST_S, SLOWEST_S))

    def mind(self, name: str) -> type[Adversary]:
        """How a node means it with others."""
        return self._minds.get(name, Adversary)

    def place(self, name: str) -> str:
        """Where a node listens."""
        return place(name)

    def gateway(self, name: str) -> str:
        """Where a node serves content."""
        return gateway(name)

    def carrier(self, name: str) -> MemoryCarrier:
        """A node's end of every line."""
        return self.network.carrier(name)

    def store(self, name: str) -> MemoryResourceStore:
        """A node's content."""
        return MemoryResourceStore(self.content, gateway(name))

    def chain(self, account: Address) -> MemoryChain:
        """The chain as an account sees it."""
        return MemoryChain(self.ledger, account, WALLET)

    def saw(self, name: str, turn: bytes) -> None:
        """A node took a turn."""
        self.steps += 1
        self.trace.update(f"{self.clock.seconds():.6f} {name} ".encode())
        self.trace.update(turn.replace(self._where, b""))  # the folder is of no weight: another run has another

    def _may_write(self, name: str) -> bool:
        if name in self.points:
            self.points[name]("before socket.write")
        return name not in self.silent

    def hush(self, name: str) -> None:
        """A node says nothing any more."""
        self.silent[name] = None

    def hang_up(self, name: str) -> None:
        """A node's process is gone: its port is closed and its connections break, as a kernel sees to."""
        self.network.unbind(name, PORT)
        for other in self.names:
            self.network.reset(name, other)

    def passed_s(self) -> float:
        """Seconds since the world began."""
        return self.clock.seconds() - self.began_s
