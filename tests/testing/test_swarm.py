"""The overlay's own code among a hundred nodes."""

from __future__ import annotations

import pytest

from benchmarks.overlay import MESSAGES, demand, failing, joined, places, spread, sybils
from golem.core.overlay import OUTBOUND
from golem.testing.swarm import Swarm

pytestmark = pytest.mark.scenario


def test_nodes_that_know_one_address_find_sessions_enough_and_news_comes_once_to_each() -> None:
    swarm = joined(80)
    members = list(swarm.members.values())
    assert all(len(member.dialled) >= OUTBOUND for member in members)
    spread(swarm, members, 2)
    found = spread(swarm, members, MESSAGES)
    assert found.reach == 1 and found.extra < 0.01 and found.last_s < 2


def test_half_a_minute_after_half_of_the_nodes_died_news_comes_to_all_that_live() -> None:
    first, healed = failing(80, 0.5)
    assert first.reach > 0.9 and healed.reach == 1


def test_sybils_in_few_networks_do_not_cut_a_restarted_node_off() -> None:
    assert sybils(40, networks=2, seed=1) == (1, 1)


def test_sybils_in_as_many_networks_as_all_others_do_not_either() -> None:
    assert sybils(60, networks=30, seed=1) == (1, 1)


def test_a_spammer_is_heard_no_more_than_others() -> None:
    swarm = Swarm(places(12), 1)
    swarm.join(swarm.members.values())
    swarm.run(60)
    mallory, *others = swarm.members.values()
    for number in range(1_000):
        swarm.whisper(mallory, list(mallory.links), demand(swarm, mallory, number))
    swarm.run(5)
    far = [member for member in others if mallory.node_id not in member.links]
    assert all(len(member.core.state.demands) <= 200 for member in others)
    assert all(len(member.core.state.demands) <= 20 for member in far)
