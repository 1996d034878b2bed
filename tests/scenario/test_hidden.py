"""Nodes that nobody can dial do business in the simulated network, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from golem.testing.local import LocalNetwork
from golem.testing.player import PASSED, play
from golem.testing.scenario import load

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]
NAMES = ("relay", "alice", "bob", "carol")


def hidden(network: Networks, *names: str, seed: int = 1) -> LocalNetwork:
    net = network(nodes=NAMES, seed=seed, terms={"relay": LocalNetwork.REQUESTOR, "alice": LocalNetwork.REQUESTOR})
    for name in names:
        net.world.network.wall(name)
    net.run_until(lambda: all("/" in address(net, name) for name in names), limit_s=60)
    return net


def address(net: LocalNetwork, name: str) -> str:
    return str(net[name].node.desk.status().get("address", ""))


def test_whom_nobody_can_dial_finds_that_out_and_is_reached_through_a_relay(network: Networks) -> None:
    net = hidden(network, "bob")
    relay, _, node = address(net, "bob").partition("/")
    assert relay in ("relay:7000", "alice:7000", "carol:7000")
    assert node == net["bob"].keyring.node_id
    assert "/" not in address(net, "carol")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_that_nobody_can_dial_do_business_through_a_relay(network: Networks, seed: int) -> None:
    net = hidden(network, "alice", "bob", "carol", seed=seed)
    task = net["alice"].submit("echo", {"count": 8})
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=120)
    net.run_until(net.is_even, limit_s=120)
    assert not net.world.network.is_joined("alice", "bob")


def test_they_go_on_through_another_relay_when_theirs_is_gone(network: Networks) -> None:
    net = hidden(network, "alice", "bob")
    task = net["alice"].submit("echo", {"count": 40})
    net.advance(2)
    relay, other = ("relay", "carol") if address(net, "bob").startswith("relay") else ("carol", "relay")
    net.kill(relay)
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=600)
    assert address(net, "bob").startswith(f"{other}:7000/")


def test_when_the_only_relay_was_away_they_find_each_other_again() -> None:
    assert play(load(Path(__file__).parent / "files" / "hidden.yaml")).outcome == PASSED
