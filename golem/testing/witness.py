"""Sees every turn of a simulated node: remembers the last ones for the story, and holds the invariants after each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from golem.core.state import NodeState
from golem.core.task import LIVE, Board
from golem.model import effects as f
from golem.model import events as e
from golem.model.ids import Address, TaskId
from golem.node.engine import Saved
from golem.testing.boards import check_board
from golem.testing.invariants import (
    check_books,
    income_is_real,
    lateness_is_remembered,
    payments_were_promised,
    told_to_stop_is_stopped,
)
from golem.testing.world import World
from golem.wire.codec import encode

REMEMBERED = 25  # turns a node: what a reader of a failure looks at


class Witness:
    """Of one node. Hand `saw` to `Engine.observe`. `is_forgetful`: it lost its books, and learns of old pairs late."""

    def __init__(self, world: World, name: str, account: Address, saved: Callable[[], Saved]) -> None:
        self._world = world
        self._name = name
        self._account = account
        self._saved = saved
        self.is_forgetful = False
        self._over: dict[TaskId, object] = {}
        self._last: deque[tuple[float, e.Event, list[f.Effect]]] = deque(maxlen=REMEMBERED)

    def saw(self, event: e.Event, effects: list[f.Effect]) -> None:
        """One turn. Raises AssertionError where it broke an invariant."""
        self._world.saw(self._name, encode(event))
        for watcher in self._world.watchers:
            watcher(self._name, event, list(effects))
        self._last.append((self._world.passed_s(), event, list(effects)))
        if self._name not in self._world.honest:
            return
        for effect in effects:
            if not isinstance(event, e.Heard) or not isinstance(effect, f.Drop):
                continue
            if effect.peer not in self._world.rogue_ids:
                self._world.troubles.append(f"{self._name} drops {effect.peer[:8]}: {effect.why}")
        saved = self._saved()
        saved.mail.check()
        self._check(event, effects, saved.state)

    def _check(self, event: e.Event, effects: list[f.Effect], state: NodeState) -> None:
        check_books(state)
        for board in state.boards.values():
            if not self._is_known(board):
                check_board(state, board)
        owing, paid = state.ledger.owing, self._world.ledger.paid
        if self.is_forgetful:
            paid = {pair: amount for pair, amount in paid.items() if pair[1] in owing}
        payments_were_promised(self._account, state, paid)
        told_to_stop_is_stopped(event, state)
        lateness_is_remembered(effects)
        income_is_real(self._account, state, self._world.ledger.paid)

    def _is_known(self, board: Board) -> bool:
        """Whether a task is over, and looks as it did when it was checked last."""
        if board.task.phase in LIVE:
            return False
        looks = (board.spent, board.outstanding, len(board.open), len(board.history))
        before, self._over[board.task.task_id] = self._over.get(board.task.task_id), looks
        return before == looks

    def story(self) -> str:
        """The last turns, one a line: when, what happened, what was asked for."""
        lines = [
            f"{at_s:10.3f} {self._name:<8}{_event(event)} -> {', '.join(map(_effect, effects))}"
            for at_s, event, effects in self._last
        ]
        return "\n".join(lines)


def _event(event: e.Event) -> str:
    match event:
        case e.Heard(peer=peer, sequence=number, message=message):
            return f"Heard {number} from {peer[:8]}: {type(message).__name__}"
        case e.TimerFired(name=name):
            return f"TimerFired {name}"
        case e.Failed(key=key, detail=detail):
            return f"Failed {key}: {detail}"
        case e.Connected(peer=peer) | e.Lost(peer=peer):
            return f"{type(event).__name__} {peer[:8]}"
        case _:
            return type(event).__name__


def _effect(effect: f.Effect) -> str:
    match effect:
        case f.Send(to=to, message=message):
            return f"Send {type(message).__name__} to {to[:8]}"
        case f.Tell(name=name):
            return f"Tell {name}"
        case f.SetTimer(name=name) | f.ClearTimer(name=name):
            return f"{type(effect).__name__} {name}"
        case _:
            return type(effect).__name__
