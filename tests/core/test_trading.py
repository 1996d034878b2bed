"""A market strategy that fails harms no turn: the standard one answers, and the user is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from zope.interface import implementer

from golem.core.strategy import FRUGAL
from golem.core.turn import Policies
from golem.interfaces import IMarketStrategy
from golem.model import events as e
from golem.model.effects import Tell
from golem.model.ids import NodeId, TaskId
from golem.model.messages import Assignment, Demand, Offer
from golem.model.money import Wei
from golem.model.trade import Seen, Terms
from golem.node.records import problems
from golem.testing.solo import Solo
from golem.testing.toy import Toy
from tests.core.providing import TERMS, demand
from tests.core.requesting import PRICE, TASK, offer, opened


@implementer(IMarketStrategy)
class Broken:
    """Answers as it is made to."""

    def __init__(self, asks: object = None, order: object = None) -> None:
        self.asks = asks
        self.order = order

    def price(self, demand: Demand, terms: Terms) -> Wei:
        """Whatever it is."""
        return FRUGAL.price(demand, terms) if self.asks is None else self.asks  # type: ignore[return-value]  # that is the test

    def choose(
        self, demands: Mapping[TaskId, Demand], price: Mapping[TaskId, Wei], trust: Mapping[NodeId, float]
    ) -> Sequence[TaskId]:
        """Whatever it is."""
        return FRUGAL.choose(demands, price, trust) if self.order is None else self.order  # type: ignore[return-value]  # that is the test

    def rank(
        self, demand: Demand, offers: Mapping[NodeId, Offer], seen: Mapping[NodeId, Seen], salt: bytes
    ) -> Sequence[NodeId]:
        """Fails."""
        raise KeyError("carol")


class Tuned(Toy):
    """A toy for a node that trades by another strategy."""

    def __init__(self, strategy: IMarketStrategy) -> None:
        super().__init__()
        self.strategy = strategy

    def policies(self) -> Policies:
        """With that one."""
        return Policies({self.name: self}, self.strategy)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (Broken(asks=1.5), "price"),
        (Broken(asks=-1), "price"),
        (Broken(order=()), "choose"),
        (Broken(order=("7" * 32, "7" * 32)), "choose"),
        (Broken(order=7), "choose"),
    ],
)
def test_a_provider_offers_as_by_the_standard_strategy_and_says_what_failed(broken: Broken, what: str) -> None:
    me = Solo(TERMS, template=Tuned(broken))
    me.meet("alice")
    me.hear("alice", demand())
    assert me.one_said(Offer).price == PRICE
    (words,) = [words for words in problems(me.state) if "strategy" in words]
    assert f"the market strategy failed in {what}" in words and "node.strategy" in words


def test_a_requestor_hires_as_by_the_standard_strategy_until_another_is_there() -> None:
    me = opened(template=Tuned(Broken()))
    me.meet("carol")
    me.hear("carol", offer())
    me.post(e.TimerFired(name=f"offers/{TASK}"))
    assert me.said(Assignment)
    told = [
        effect.fields["why"] for effect in me.asked if isinstance(effect, Tell) and effect.name == "strategy failed"
    ]
    assert told == ["the market strategy failed in rank: KeyError('carol')"]
    started = me.state.started
    assert started is not None
    me.post(started)
    assert not any("strategy" in words for words in problems(me.state))


def test_a_strategy_may_order_as_it_likes() -> None:
    class Late(Broken):
        """The last first."""

        def choose(
            self, demands: Mapping[TaskId, Demand], price: Mapping[TaskId, Wei], trust: Mapping[NodeId, float]
        ) -> Sequence[TaskId]:
            """The last first."""
            return sorted(demands, reverse=True)

    me = Solo(TERMS, template=Tuned(Late()))
    me.meet("alice")
    for number in range(1, 10):
        me.hear("alice", demand(task_id=TaskId(f"{number:032x}")))
    assert me.one_said(Offer).task_id == TaskId(f"{9:032x}")
    assert not me.state.dealings.strategy_problem
