"""Everything that can go wrong in a LocalNetwork, as values that put themselves into force and undo themselves."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from golem.model.value import Value
from golem.testing.endpoint import About
from golem.testing.local import LocalNetwork
from golem.testing.ports import Mood

PORTS: tuple[Literal["executor"], Literal["store"], Literal["chain"]] = ("executor", "store", "chain")
ERRORS: tuple[Literal["No space left on device"], Literal["Input/output error"]] = (
    "No space left on device",
    "Input/output error",
)


class _Fault(Value, kw_only=True):
    """`at_ms`: when it begins. `for_ms`: how long it lasts. Faults of one family on the same things may overlap."""

    family: ClassVar[str]
    at_ms: int
    for_ms: int = 0

    @property
    def nodes(self) -> tuple[str, ...]:
        """Whom it concerns; nobody in particular where it concerns the world."""
        return ()

    def begin(self, net: LocalNetwork) -> None:
        """Put it into force; once more changes nothing."""
        raise NotImplementedError

    def end(self, net: LocalNetwork) -> None:
        """Undo it."""


class _OfNode(_Fault, kw_only=True):
    """Concerns one node."""

    node: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """That node."""
        return (self.node,)


class _OfLine(_Fault, kw_only=True):
    """Concerns the line between two nodes."""

    one: str
    other: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """Those two."""
        return (self.one, self.other)


class Kill(_OfNode, kw_only=True):
    """The process ends, as by `kill -9`, and starts again when the time is over."""

    family: ClassVar[str] = "life"

    def begin(self, net: LocalNetwork) -> None:
        """Kill it."""
        if net[self.node].run is not None:
            net.kill(self.node)

    def end(self, net: LocalNetwork) -> None:
        """Start it."""
        if net[self.node].run is None:
            net.boot(self.node)


class Crash(_OfNode, kw_only=True):
    """Power fails at the node's next commit, which is on disk or (`is_torn`) is not; it starts again at once."""

    family: ClassVar[str] = "crash"
    is_torn: bool = False

    def begin(self, net: LocalNetwork) -> None:
        """Set the trap."""
        net.crash(self.node, 1, is_torn=self.is_torn)


class Death(_OfNode, kw_only=True):
    """The process ends at its next call of a service, before that or (`is_done`) after; it starts again at once."""

    family: ClassVar[str] = "death"
    port: Literal["executor", "store", "chain"]
    is_done: bool = False

    def begin(self, net: LocalNetwork) -> None:
        """Set the trap."""
        net[self.node].dies_near = f"{'after' if self.is_done else 'before'} {self.port}."


class Freeze(_OfNode, kw_only=True):
    """The process stands still, as by SIGSTOP, and goes on later with all its timers late."""

    family: ClassVar[str] = "freeze"

    def begin(self, net: LocalNetwork) -> None:
        """Stop it."""
        if net[self.node].run is not None:
            net[self.node].freeze()

    def end(self, net: LocalNetwork) -> None:
        """Let it go on."""
        net[self.node].thaw()


class Skew(_OfNode, kw_only=True):
    """The node's clock is wrong by so much, and jumps there and back."""

    family: ClassVar[str] = "clock"
    by_ms: int

    def begin(self, net: LocalNetwork) -> None:
        """Jump."""
        net[self.node].set_clock(self.by_ms / 1000)

    def end(self, net: LocalNetwork) -> None:
        """Jump back."""
        net[self.node].set_clock(0.0)


class Cut(_OfLine, kw_only=True):
    """Nothing passes, and nobody is told; `one_way`: only what `one` says to `other` is lost."""

    family: ClassVar[str] = "cut"
    one_way: bool = False

    def begin(self, net: LocalNetwork) -> None:
        """Cut."""
        net.world.network.cut(self.one, self.other, one_way=self.one_way)

    def end(self, net: LocalNetwork) -> None:
        """Heal."""
        net.world.network.heal(self.one, self.other, one_way=self.one_way)


class Partition(_Fault, kw_only=True):
    """These nodes and all others hear nothing of each other."""

    family: ClassVar[str] = "cut"
    side: tuple[str, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """One side of it."""
        return self.side

    def begin(self, net: LocalNetwork) -> None:
        """Cut every line between the sides."""
        for one, other in self._lines(net):
            net.cut(one, other)

    def end(self, net: LocalNetwork) -> None:
        """Heal them."""
        for one, other in self._lines(net):
            net.heal(one, other)

    def _lines(self, net: LocalNetwork) -> list[tuple[str, str]]:
        return [(one, other) for one in self.side for other in net.world.names if other not in self.side]


class Reset(_OfLine, kw_only=True):
    """Every connection between two nodes breaks; both are told, and may dial again."""

    family: ClassVar[str] = "reset"

    def begin(self, net: LocalNetwork) -> None:
        """Break them."""
        net.reset(self.one, self.other)


class Clog(_OfLine, kw_only=True):
    """What two nodes say to one another takes so long."""

    family: ClassVar[str] = "clog"
    delay_ms: int

    def begin(self, net: LocalNetwork) -> None:
        """Slow down."""
        net.world.network.clog(self.one, self.other, self.delay_ms / 1000)

    def end(self, net: LocalNetwork) -> None:
        """As fast as before."""
        net.world.network.clog(self.one, self.other, 0.0)


class Lossy(_OfLine, kw_only=True):
    """So many in a thousand writes break their connection."""

    family: ClassVar[str] = "loss"
    per_mille: int

    def begin(self, net: LocalNetwork) -> None:
        """Begin to lose."""
        net.world.network.lose(self.one, self.other, self.per_mille / 1000)

    def end(self, net: LocalNetwork) -> None:
        """No more."""
        net.world.network.lose(self.one, self.other, 0.0)


class Disk(_OfNode, kw_only=True):
    """The journal can't be written: the node ends itself, and a supervisor starts it again and again."""

    family: ClassVar[str] = "disk"
    error: Literal["No space left on device", "Input/output error"] = "No space left on device"

    def begin(self, net: LocalNetwork) -> None:
        """Refuse writes."""
        net[self.node].journal.trouble = self.error

    def end(self, net: LocalNetwork) -> None:
        """Take them again."""
        net[self.node].journal.trouble = ""


class Service(_OfNode, kw_only=True):
    """One of the services that a node relies on fails, hangs, or does what it was asked and says that it failed."""

    family: ClassVar[str] = "service"
    port: Literal["executor", "store", "chain"]
    mood: Mood

    def begin(self, net: LocalNetwork) -> None:
        """Change its mood."""
        net[self.node].moods.set(self.port, self.mood)

    def end(self, net: LocalNetwork) -> None:
        """All is well."""
        net[self.node].moods.set(self.port, Mood.WELL)


class Forget(_OfNode, kw_only=True):
    """The node's store loses all that it holds."""

    family: ClassVar[str] = "content"

    def begin(self, net: LocalNetwork) -> None:
        """Lose it."""
        net[self.node].store.forget()


class Stale(_OfNode, kw_only=True):
    """The node of the chain that this node asks stands still, and shows old blocks as if they were the latest."""

    family: ClassVar[str] = "stale"

    def begin(self, net: LocalNetwork) -> None:
        """Stand still."""
        asked = net[self.node].chain.node
        asked.past = asked.past or net.ledger.stand_still()

    def end(self, net: LocalNetwork) -> None:
        """Catch up."""
        net[self.node].chain.node.past = None


class Lie(_OfNode, kw_only=True):
    """The node of the chain that this node asks makes something up; the second one, its witness, does not."""

    family: ClassVar[str] = "lie"
    about: About

    def begin(self, net: LocalNetwork) -> None:
        """Lie."""
        net[self.node].chain.node.lie = self.about

    def end(self, net: LocalNetwork) -> None:
        """Tell the truth."""
        net[self.node].chain.node.lie = None


class ChainDown(_Fault, kw_only=True):
    """Nobody reaches the chain."""

    family: ClassVar[str] = "chain"

    def begin(self, net: LocalNetwork) -> None:
        """Go down."""
        net.ledger.is_down = True

    def end(self, net: LocalNetwork) -> None:
        """Come back."""
        net.ledger.is_down = False


class Reorg(_Fault, kw_only=True):
    """The chain undoes its latest blocks, and mines what was in them anew."""

    family: ClassVar[str] = "reorg"

    def begin(self, net: LocalNetwork) -> None:
        """Undo them."""
        net.ledger.reorganise()


Fault = (
    Kill
    | Crash
    | Death
    | Freeze
    | Skew
    | Cut
    | Partition
    | Reset
    | Clog
    | Lossy
    | Disk
    | Service
    | Forget
    | Stale
    | Lie
    | ChainDown
    | Reorg
)
KINDS: dict[str, type[Fault]] = {kind.__name__.lower(): kind for kind in get_args(Fault)}
"""By name, in lower case, as scenario files say it."""
