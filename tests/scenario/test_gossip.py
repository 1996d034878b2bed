"""Reputations are averaged among nodes that nobody collects from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from golem.core.fusion import voice_weight
from golem.core.reputation import Standing, trust
from golem.model.messages import Rated
from golem.model.settings import Settings
from golem.model.value import evolve
from golem.testing.keys import FixedKeyring
from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]

EPOCH_S, ROUND_S = 40.0, 1.0
TARGET = Rated(f"provider/{FixedKeyring('eve').node_id}")
NAMES = tuple(f"n{index}" for index in range(12))


def raters(net: LocalNetwork, names: Sequence[str]) -> None:
    """Every third node has dealt with eve, who is not here; each has seen something else of her."""
    for index, name in enumerate(names):
        if index % 3 == 0:
            standing = Standing(good=float(index), bad=2.0, at_ms=int(net.clock.seconds() * 1000), deeds=index + 2)
            net[name].node.engine.state.standings[TARGET] = standing


def mean(net: LocalNetwork, names: Sequence[str]) -> float:
    """What the nodes of these names think of eve, each by its own experience, in the mean."""
    known = [net[name].node.engine.state.standings.get(TARGET) for name in names]
    said = [(voice_weight(s), trust(s, s.at_ms)) for s in known if s is not None]
    return sum(weight * value for weight, value in said) / sum(weight for weight, _ in said)


def made(network: Networks) -> LocalNetwork:
    quick = Settings(gossip_epoch_ms=int(EPOCH_S * 1000), gossip_round_ms=int(ROUND_S * 1000))
    return network(nodes=NAMES, terms={name: evolve(quick, provide=index > 0) for index, name in enumerate(NAMES)})


def to_next_epoch(net: LocalNetwork) -> None:
    net.advance(EPOCH_S - net.clock.seconds() % EPOCH_S + 0.5)


def test_all_nodes_come_to_the_raters_mean(network: Networks) -> None:
    net = made(network)
    net.advance(5)
    raters(net, NAMES)
    to_next_epoch(net)
    net.advance(32 * ROUND_S)
    for name in NAMES:
        heard = net[name].node.engine.state.rumours.hearsay[TARGET]
        assert heard.mean == pytest.approx(mean(net, NAMES), rel=1e-3), name
        assert 1 < heard.raters < 4, "four raters of less than full weight each"


@pytest.mark.parametrize("rounds", [2, 12], ids=["at_odds", "settled"])
def test_when_nodes_die_in_mid_epoch_the_others_come_to_the_mean_of_those_that_live(
    network: Networks, rounds: int
) -> None:
    net = made(network)
    net.advance(5)
    raters(net, NAMES)
    to_next_epoch(net)
    net.advance(rounds * ROUND_S)
    net.kill("n6")
    living = [name for name in NAMES if name != "n6"]
    net.advance((32 - rounds) * ROUND_S)
    for name in living:
        assert net[name].node.engine.state.rumours.hearsay[TARGET].mean == pytest.approx(mean(net, living), rel=1e-3), (
            name
        )


def test_a_node_that_restarts_in_mid_epoch_changes_nothing_of_what_it_comes_to(network: Networks) -> None:
    net = made(network)
    net.advance(5)
    raters(net, NAMES)
    for name in NAMES:
        net[name].node.engine.snapshot()  # what was put into the state by hand is in no journal
    to_next_epoch(net)
    net.advance(3 * ROUND_S)
    net.kill("n3")
    net.boot("n3")
    net.advance(29 * ROUND_S)
    for name in NAMES:
        assert net[name].node.engine.state.rumours.hearsay[TARGET].mean == pytest.approx(mean(net, NAMES), rel=1e-3), (
            name
        )
