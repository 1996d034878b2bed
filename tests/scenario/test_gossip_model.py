"""The figures of docs/reputation.md come from a model in arrays: it does what the node does, to the last bit."""

from __future__ import annotations

import pytest

from golem.core import gossip
from golem.core.gossip import UNIT, Epoch
from golem.model.ids import NodeId
from golem.model.messages import Rated
from golem.testing.keys import FixedKeyring

np = pytest.importorskip("numpy")
model = pytest.importorskip("benchmarks.gossip_model")

pytestmark = pytest.mark.scenario
EVE = Rated(f"provider/{FixedKeyring('eve').node_id}")
SIZE = 200


def node(index: int) -> NodeId:
    return NodeId(f"02{index:064x}")


@pytest.mark.parametrize(("links", "loss", "raters"), [(2, 0.0, SIZE), (5, 0.0, 20), (5, 0.3, SIZE)])
def test_two_hundred_nodes_hold_what_the_model_says_after_every_round(
    links: int, loss: float, raters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gossip, "PRECISION", -1.0)  # the model never stops, and never loses patience
    monkeypatch.setattr(gossip, "MAX_TRIES", 10**9)
    chance = np.random.default_rng(links)
    graph = model.preferential(SIZE, links, chance)
    mass = model.ratings(SIZE, raters, chance)
    whole = model.Exchange(graph, mass.copy(), model.shuffled(graph, chance), loss, chance)
    epochs: list[Epoch] = []
    for index in range(SIZE):
        value, weight = (int(x) for x in mass[index])
        epoch = gossip.begin(1, {EVE: (value / UNIT, 1.0)} if weight else {})
        edges = range(graph.first[index], graph.first[index + 1])
        for edge in edges:
            gossip.join(epoch, node(graph.target[edge]), b"", int(graph.degree[graph.target[edge]]))
        epoch.order = [node(graph.target[whole.order[edge]]) for edge in edges]
        epoch.turn = 0
        epochs.append(epoch)
    for _ in range(30):
        planned = [(index, peer) for index in range(SIZE) for peer in gossip.plan_round(epochs[index])]
        edges, arrives, returns = whole.round()
        assert planned == [(graph.source[edge], node(graph.target[edge])) for edge in edges]
        for edge, is_heard, is_answered in zip(edges, arrives, returns, strict=True):
            one, other = int(graph.source[edge]), int(graph.target[edge])
            share = gossip.ask(epochs[one], node(other))
            answer = gossip.hear(epochs[other], node(one), share) if is_heard else None
            if answer is not None and is_answered:
                gossip.hear(epochs[one], node(other), answer)
        held = [epoch.masses.get(EVE, (0, 0)) for epoch in epochs]
        assert held == [tuple(int(x) for x in row) for row in whole.mass]
    goal = mass[:, 0].sum() / mass[:, 1].sum()
    if links == 5 and raters == SIZE and not loss:
        assert model.error(whole.mass, goal) < 1e-3


def test_the_model_loses_nothing_to_crashes() -> None:
    chance = np.random.default_rng(1)
    graph = model.preferential(500, 5, chance)
    mass = model.ratings(500, 500, chance)
    whole = model.Exchange(graph, mass.copy(), model.shuffled(graph, chance), 0.1, chance)
    for _ in range(10):
        whole.round()
    dead = np.arange(0, 500, 10)
    whole.kill(dead)
    for _ in range(60):
        whole.round()
    alive = np.setdiff1d(np.arange(500), dead)
    goal = mass[alive, 0].sum() / mass[alive, 1].sum()
    assert model.error(whole.mass[alive], goal) < 1e-4
