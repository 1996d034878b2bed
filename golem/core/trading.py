"""Asks the market strategy: where it raises, or leaves somebody out, the question goes to the standard one.

It is asked in the midst of turns that concern others too, so a fault of it must not end them. The node's user is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from golem.core.pace import see
from golem.core.strategy import FRUGAL
from golem.core.turn import Turn
from golem.errors import StrategyFailed
from golem.interfaces import IMarketStrategy
from golem.model.ids import NodeId, TaskId
from golem.model.messages import Demand, Offer
from golem.model.money import Wei
from golem.model.trade import Terms

Answer = TypeVar("Answer")
Name = TypeVar("Name", bound=str)
MAX_WHY = 300  # characters of a strategy's failure that are kept


def price(turn: Turn, demand: Demand, terms: Terms) -> Wei:
    """See `IMarketStrategy.price`."""
    return _asked(turn, "price", lambda strategy: Wei(strategy.price(demand, terms)))


def choose(
    turn: Turn, demands: Mapping[TaskId, Demand], prices: Mapping[TaskId, Wei], trust: Mapping[NodeId, float]
) -> Sequence[TaskId]:
    """See `IMarketStrategy.choose`."""
    return _asked(turn, "choose", lambda strategy: _whole(strategy.choose(demands, prices, trust), demands))


def rank(turn: Turn, demand: Demand, offers: Mapping[NodeId, Offer]) -> Sequence[NodeId]:
    """See `IMarketStrategy.rank`."""
    seen = {node: see(turn, demand.template, node) for node in offers}
    return _asked(turn, "rank", lambda strategy: _whole(strategy.rank(demand, offers, seen, turn.salt), offers))


def _asked(turn: Turn, what: str, ask: Callable[[IMarketStrategy], Answer]) -> Answer:
    try:
        with _asking(what):
            return ask(turn.strategy)
    except StrategyFailed as why:
        turn.state.dealings.strategy_problem = str(why)
        turn.tell("node", "strategy failed", why=str(why))
        return ask(FRUGAL)


@contextmanager
def _asking(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as why:
        raise StrategyFailed(f"the market strategy failed in {what}: {why!r}"[:MAX_WHY]) from why


def _whole(order: Sequence[Name], among: Iterable[Name]) -> Sequence[Name]:
    if sorted(order) != sorted(among):
        raise ValueError("all must be in the order, each once")
    return order
