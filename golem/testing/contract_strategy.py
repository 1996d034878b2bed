"""What every market strategy must do. Subclass it, and give the fixture `strategy`."""

# ruff: noqa: D102  # a test's name says what it proves

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from golem.interfaces import IMarketStrategy
from golem.model.ids import NodeId, TaskId
from golem.model.messages import Demand, Offer
from golem.model.money import WEI_PER_ETHER, Wei
from golem.model.spec import Capability, Limits
from golem.model.trade import Seen, Terms

MOST = 8
TASK = TaskId("7" * 32)
CAPABILITY = Capability(tier="sandbox", cores=4, memory_bytes=8 << 30, environments=("toy-1",))

evidence = st.floats(0, 1e6)
speed = st.just(0.0) | st.floats(1e-9, 1e3)
seens = st.builds(Seen, evidence, evidence, speed)
prices = st.integers(0, WEI_PER_ETHER).map(Wei)
asks = st.lists(st.tuples(prices, st.integers(0, 1000), seens), max_size=MOST)
counted = settings(deadline=None, max_examples=50)


def node(number: int) -> NodeId:
    """One of many."""
    return NodeId(f"02{number:064x}")


def demand(number: int, cores: int = 1) -> Demand:
    """One of many, each by a requestor of its own."""
    return Demand(
        task_id=TaskId(f"{number:032x}"),
        requestor=node(number),
        address="there:1",
        template="toy",
        environment="toy-1",
        max_price=Wei(WEI_PER_ETHER),
        limits=Limits(cores=cores),
        chunks=4,
        expires_ms=0,
    )


def offers(asked: list[tuple[Wei, int, Seen]]) -> Mapping[NodeId, Offer]:
    """One of each node."""
    return {
        node(number): Offer(task_id=TASK, price=price, slots=1, capability=CAPABILITY, speed=speed)
        for number, (price, speed, _) in enumerate(asked)
    }


class MarketStrategyContract:
    """The tests."""

    @pytest.fixture
    def strategy(self) -> IMarketStrategy:
        raise NotImplementedError

    def test_it_keeps_its_interface(self, strategy: IMarketStrategy) -> None:
        assert verifyObject(IMarketStrategy, strategy)

    def test_it_names_one_price_for_one_demand_and_state(self, strategy: IMarketStrategy) -> None:
        @counted
        @given(least=prices, most=prices, slots=st.integers(1, 1024), cores=st.integers(1, 64), data=st.data())
        def one(least: Wei, most: Wei, slots: int, cores: int, data: st.DataObject) -> None:
            terms = Terms(least, most, slots, data.draw(st.integers(0, slots)))
            asked = strategy.price(demand(1, cores), terms)
            assert Wei(asked) == strategy.price(demand(1, cores), terms)

        one()

    def test_it_puts_all_demands_in_one_order(self, strategy: IMarketStrategy) -> None:
        @counted
        @given(among=st.dictionaries(st.integers(0, MOST), st.tuples(prices, st.floats(0, 1)), max_size=MOST))
        def one(among: dict[int, tuple[Wei, float]]) -> None:
            demands = {demand(number).task_id: demand(number) for number in among}
            asked = {demand(number).task_id: price for number, (price, _) in among.items()}
            trust = {node(number): share for number, (_, share) in among.items()}
            order = strategy.choose(demands, asked, trust)
            assert sorted(order) == sorted(demands)
            assert list(order) == list(strategy.choose(demands, asked, trust))

        one()

    def test_it_puts_all_offers_in_one_order_by_the_salt(self, strategy: IMarketStrategy) -> None:
        @counted
        @given(
            asked=st.lists(st.tuples(prices, st.integers(0, 1000), seens), max_size=MOST), salt=st.binary(max_size=32)
        )
        def one(asked: list[tuple[Wei, int, Seen]], salt: bytes) -> None:
            made = offers(asked)
            seen = {node(number): one for number, (_, _, one) in enumerate(asked)}
            order = strategy.rank(demand(1), made, seen, salt)
            assert sorted(order) == sorted(made)
            assert list(order) == list(strategy.rank(demand(1), made, seen, salt))

        one()
