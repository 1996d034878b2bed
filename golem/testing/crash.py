"""How a node dies at once: its clock calls it no more, and its journal ends at a turn that a test has chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from golem.testing.clock import Clock
from golem.testing.journal import MemoryJournal


class Killed(BaseException):
    """The node `name` is dead as of now; whoever turns the clock buries it. Nothing of the project catches it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@implementer(IReactorTime)
class MortalClock:
    """The clock of one run of a node. Once `is_over`, what the node still waits for never comes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.is_over = False

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self._clock.seconds()

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> DelayedCall:
        """Call `callable` in `delay` seconds, if the node is alive then."""
        return self._clock.callLater(delay, self._call, callable, args, kw)

    def getDelayedCalls(self) -> list[DelayedCall]:
        """All that is to come, for all nodes on the same clock."""
        return self._clock.getDelayedCalls()

    def _call(self, callable: Callable[..., object], args: tuple[object, ...], kw: dict[str, object]) -> None:
        if not self.is_over:
            callable(*args, **kw)


class MortalJournal(MemoryJournal):
    """A journal that can end its node. `turns`: how many were ever written.

    `dies_at`: the node dies with the commit that reaches this turn; before it is on disk if `is_torn`, else just
    after, with nothing of what it asked for done.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.turns = 0
        self.dies_at: int | None = None
        self.is_torn = False

    def append(self, turns: Sequence[bytes]) -> None:
        """Keep turns, or die. Raises Killed."""
        is_last = self.dies_at is not None and self.turns + len(turns) >= self.dies_at
        if not (is_last and self.is_torn):
            super().append(turns)
            self.turns += len(turns)
        if is_last:
            self.dies_at = None
            raise Killed(self._name)
