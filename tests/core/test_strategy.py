"""How a node trades: prices, the choice among demands, and the order of offers with its trials."""

from __future__ import annotations

from collections import Counter
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.core import strategy
from golem.core.strategy import FRUGAL, TRIALS, beta, lower_bound, uniform
from golem.interfaces import IMarketStrategy
from golem.model.ids import NodeId, TaskId
from golem.model.messages import Demand, Offer
from golem.model.money import Wei
from golem.model.spec import Limits
from golem.model.trade import Seen, Terms
from golem.model.value import evolve
from golem.testing.contract_strategy import MarketStrategyContract
from golem.testing.keys import FixedKeyring
from golem.testing.toy import CAPABILITY

STRATEGY = FRUGAL
ALICE, CAROL = FixedKeyring("alice").node_id, FixedKeyring("carol").node_id
STRANGER = Seen(0.0, 0.0, 0.0)
ROUNDS = 2_000


class TestFrugal(MarketStrategyContract):
    @pytest.fixture
    def strategy(self) -> IMarketStrategy:
        return FRUGAL


def demand(requestor: NodeId = ALICE, cores: int = 1, task: str = "7" * 32) -> Demand:
    return Demand(
        task_id=TaskId(task),
        requestor=requestor,
        address="alice:1",
        template="toy",
        environment="toy-1",
        max_price=Wei(10**18),
        limits=Limits(cores=cores),
        chunks=4,
        expires_ms=0,
    )


def nodes(count: int) -> list[NodeId]:
    return [NodeId(f"02{number:064x}") for number in range(count)]


def offers(prices: dict[NodeId, int]) -> dict[NodeId, Offer]:
    return {
        node: Offer(task_id=TaskId("7" * 32), price=Wei(price), slots=1, capability=CAPABILITY)
        for node, price in prices.items()
    }


def by_speed(seen: dict[NodeId, Seen], claimed: dict[NodeId, int]) -> list[NodeId]:
    """Equals in price and trust, in the order of how often each comes first."""
    made = {node: evolve(offer, speed=claimed[node]) for node, offer in offers(dict.fromkeys(seen, 10**6)).items()}
    counted = Counter(STRATEGY.rank(demand(), made, seen, f"{n}".encode())[0] for n in range(ROUNDS))
    return [node for node, _ in counted.most_common()]


def firsts(seen: dict[NodeId, Seen], prices: dict[NodeId, int] | None = None) -> dict[NodeId, float]:
    """How often each comes first."""
    made = offers(prices or dict.fromkeys(seen, 1_000))
    counted = Counter(STRATEGY.rank(demand(), made, seen, f"{n}".encode())[0] for n in range(ROUNDS))
    return {node: counted[node] / ROUNDS for node in seen}


@pytest.mark.parametrize(("busy", "cores", "asked"), [(0, 1, 100), (2, 1, 200), (4, 1, 300), (0, 3, 300), (4, 2, 600)])
def test_a_provider_asks_for_each_core_and_more_the_fuller_it_is(busy: int, cores: int, asked: int) -> None:
    assert STRATEGY.price(demand(cores=cores), Terms(Wei(100), Wei(300), 4, busy)) == asked


def test_a_most_price_below_the_least_means_nothing() -> None:
    assert STRATEGY.price(demand(), Terms(Wei(100), Wei(0), 4, 4)) == 100


def test_of_demands_the_one_whose_hour_promises_most_comes_first() -> None:
    dear, safe = demand(ALICE, task="1" * 32), demand(CAROL, task="2" * 32)
    among = {dear.task_id: dear, safe.task_id: safe}
    prices = {dear.task_id: Wei(300), safe.task_id: Wei(200)}
    assert STRATEGY.choose(among, prices, {ALICE: 0.5, CAROL: 0.9})[0] == safe.task_id
    assert STRATEGY.choose(among, prices, {ALICE: 0.9, CAROL: 0.9})[0] == dear.task_id


def test_a_proven_provider_that_is_cheaper_faster_or_better_comes_first() -> None:
    one, other = nodes(2)
    proven = Seen(200.0, 0.0, 1.0)
    assert firsts({one: proven, other: proven}, {one: 1_000, other: 2_000})[one] > 0.99
    assert firsts({one: proven, other: proven._replace(speed=0.5)})[one] > 0.99
    assert firsts({one: proven, other: proven._replace(bad=100.0)})[one] > 0.99


def test_of_providers_about_as_good_none_starves_though_one_has_a_head_start() -> None:
    shares = firsts(dict(zip(nodes(4), (Seen(100.0, 0.0, 1.0), *[Seen(30.0, 0.0, 1.0)] * 3), strict=True)))
    assert min(shares.values()) > 0.08, shares
    assert max(shares.values()) < 0.6, shares


def test_newcomers_come_first_in_one_ranking_of_seven_and_share_these_alike() -> None:
    known, *new = nodes(5)
    shares = firsts({known: Seen(100.0, 0.0, 1.0), **dict.fromkeys(new, STRANGER)})
    trials = sum(shares[node] for node in new)
    assert trials == pytest.approx(TRIALS, abs=0.03)
    assert min(shares[node] for node in new) > TRIALS / 4 * 0.6


def test_a_newcomer_that_has_already_failed_is_tried_less() -> None:
    known, clean, failed = nodes(3)
    shares = firsts({known: Seen(100.0, 0.0, 1.0), clean: STRANGER, failed: Seen(0.0, 2.0, 0.0)})
    assert 0 < shares[failed] < shares[clean] / 2


def test_who_was_never_measured_counts_as_fast_as_the_others_are() -> None:
    one, other = nodes(2)
    shares = firsts({one: Seen(100.0, 0.0, 0.0), other: Seen(100.0, 0.0, 5.0)})
    assert shares[one] == pytest.approx(0.5, abs=0.05)


def test_for_nothing_the_more_trusted_comes_first() -> None:
    one, other = nodes(2)
    assert firsts({one: Seen(99.0, 1.0, 1.0), other: Seen(30.0, 30.0, 1.0)}, {one: 0, other: 0})[one] > 0.99


@given(st.binary(min_size=1, max_size=16))
def test_the_same_salt_draws_the_same_order(salt: bytes) -> None:
    seen = dict.fromkeys(nodes(5), STRANGER)
    made = offers(dict.fromkeys(seen, 1_000))
    order = STRATEGY.rank(demand(), made, seen, salt)
    assert order == STRATEGY.rank(demand(), made, seen, salt)
    assert sorted(order) == sorted(seen)


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (3.0, 1.0), (21.0, 4.0), (1.0, 50.0)])
def test_draws_have_the_mean_and_the_spread_of_their_distribution(a: float, b: float) -> None:
    drawn = [beta(a, b, b"salt", str(number)) for number in range(3_000)]
    mean = sum(drawn) / len(drawn)
    spread = sqrt(sum((x - mean) ** 2 for x in drawn) / len(drawn))
    assert mean == pytest.approx(a / (a + b), abs=0.02)
    assert spread == pytest.approx(sqrt(a * b / ((a + b) ** 2 * (a + b + 1))), rel=0.07)
    assert all(0 < x < 1 for x in drawn)


def test_a_draw_that_never_succeeds_ends_at_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy, "MOST_TRIES", 0)
    assert beta(3.0, 3.0, b"salt", "x") == 0.5


def test_uniform_draws_fill_the_unit_interval() -> None:
    drawn = [uniform(b"salt", number) for number in range(4_000)]
    assert 0 < min(drawn) < 0.01 and 0.99 < max(drawn) < 1
    assert sum(drawn) / len(drawn) == pytest.approx(0.5, abs=0.02)


def test_the_lower_bound_rises_with_evidence_and_is_never_negative() -> None:
    bounds = [lower_bound(Seen(good, 0.0, 0.0)) for good in (0.0, 1.0, 5.0, 50.0)]
    assert bounds == sorted(bounds)
    assert bounds[0] < 0.05 and bounds[-1] > 0.93
    assert lower_bound(Seen(0.0, 100.0, 0.0)) == 0.0


def test_where_nobody_is_proven_yet_all_are_tried_by_chance() -> None:
    one, other = nodes(2)
    shares = firsts({one: Seen(2.0, 0.0, 1.0), other: STRANGER})
    assert 0.15 < shares[other] < shares[one]


SURE = Seen(10.0**9, 0.0, 0.0)  # so that chance has no say


def test_of_those_never_measured_the_one_that_claims_to_be_faster_comes_first() -> None:
    one, other, silent = nodes(3)
    assert by_speed(dict.fromkeys((one, other), SURE), {one: 90, other: 110}) == [other, one]
    assert by_speed(dict.fromkeys((one, silent), SURE), {one: 90, silent: 0}) == [silent, one]
    assert by_speed(dict.fromkeys((one, silent), SURE), {one: 110, silent: 0}) == [one, silent]


def test_verified_work_overrides_whatever_is_claimed() -> None:
    slow, fast = nodes(2)
    seen = {slow: SURE._replace(speed=0.9), fast: SURE._replace(speed=1.0)}
    assert by_speed(seen, {slow: 10**6, fast: 1}) == [fast, slow]


def test_a_claim_counts_for_little_however_great() -> None:
    measured, boaster, slow = nodes(3)
    seen = {measured: SURE._replace(speed=1.3), boaster: SURE, slow: SURE._replace(speed=0.7)}
    claims = {measured: 0, boaster: 10**9, slow: 0}
    assert by_speed(seen, claims)[0] == measured  # the mean is 1, and a claim adds a quarter


def test_a_claim_is_worth_what_claims_were_worth_of_those_who_were_measured() -> None:
    known, new, silent = nodes(3)
    seen = {known: SURE._replace(speed=0.5), new: SURE, silent: SURE}
    assert by_speed(seen, {known: 100, new: 110, silent: 0})[0] == new
    assert by_speed(seen, {known: 100, new: 90, silent: 0})[-1] == new


def test_who_is_a_little_slower_still_gets_a_share_however_well_all_are_known() -> None:
    fast, slower, slow = nodes(3)
    shares = firsts({fast: SURE._replace(speed=1.0), slower: SURE._replace(speed=0.95), slow: SURE._replace(speed=0.7)})
    assert 0.2 < shares[slower] < 0.4, shares
    assert shares[slow] < 0.01, shares
