"""How a node dies at once: its clock calls it no more, and its journal ends at a turn that a test has chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from golem.errors import JournalFault
from golem.testing.clock import Call, Clock
from golem.testing.journal import MemoryJournal


class Killed(BaseException):
    """The node `name` is dead as of now; whoever turns the clock buries it. Nothing of the project catches it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@implementer(IReactorTime)
class MortalClock:
    """The clock of one run of a node, which ends with `die`: what the node still waits for never comes.

    Between `freeze` and `thaw` what comes due waits, as in a process that was stopped. `offset_s`: how wrong the
    node's own idea of the time is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: list[Call] | None = None
        self.is_away = False
        self.offset_s = 0.0

    def seconds(self) -> float:
        """Seconds since 1970, as this node sees it."""
        return self._clock.rightNow + self.offset_s

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> Call:
        """Call `callable` in `delay` seconds, if the node is alive then."""
        clock = self._clock
        return Call(clock, clock.rightNow + delay, callable, args, kw, self)

    def getDelayedCalls(self) -> Sequence[Call]:
        """All that is to come, for all nodes on the same clock."""
        return self._clock.getDelayedCalls()

    def die(self) -> None:
        """Nothing is called any more."""
        self.is_away, self._late = True, None

    def freeze(self) -> None:
        """The process stands still; once more changes nothing."""
        if self._late is None:
            self.is_away, self._late = True, []

    def thaw(self) -> None:
        """It goes on: what came due meanwhile is called now, in its order, but for what one of these calls cancels."""
        if self._late is None:
            return  # it never stood still, or died meanwhile
        late, self._late, self.is_away = self._late, None, False
        for call in late:
            if call.active():
                call.reset(0)

    def missed(self, call: Call) -> None:
        """A call came due while the node was away."""
        if self._late is not None:
            self._late.append(call)


class MortalJournal(MemoryJournal):
    """A journal that can end its node. `turns`: how many were ever written. `trouble`: why it can't be written now.

    `dies_at`: the node dies with the commit that reaches this turn; before it is on disk if `is_torn`, else just
    after, with nothing of what it asked for done. `reached`: told of each commit, before and after it.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.turns = 0
        self.trouble = ""
        self.dies_at: int | None = None
        self.is_torn = False
        self.reached: Callable[[str], None] = lambda point: None

    def append(self, turns: Sequence[bytes]) -> None:
        """Keep turns, or die. Raises Killed, or JournalFault."""
        if self.trouble:
            raise JournalFault(self.trouble)
        self.reached("before journal.append")
        is_last = self.dies_at is not None and self.turns + len(turns) >= self.dies_at
        if not (is_last and self.is_torn):
            super().append(turns)
            self.turns += len(turns)
        if is_last:
            self.dies_at = None
            raise Killed(self._name)
        self.reached("after journal.append")
