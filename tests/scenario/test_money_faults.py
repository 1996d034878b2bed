"""What goes wrong around a requestor that owes: everybody is paid to the wei, in time, and nobody is blamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]
PROVIDERS = ("bob", "carol")


def paid(net: LocalNetwork) -> int:
    return sum(net.paid("alice", provider) for provider in PROVIDERS)


@pytest.mark.parametrize("hours", [5, -1])
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_clock_that_jumps_by_hours_while_money_is_owed_costs_nobody_anything(
    network: Networks, who: str, hours: int
) -> None:
    net = network()
    alice = net["alice"]
    task = alice.submit("echo", {"count": 8})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=60)
    spent = int(str(alice.task(task)["spent"]))
    assert paid(net) < spent, "some is owed"
    net[who].set_clock(hours * 3600.0)
    net.run_until(lambda: paid(net) == spent, limit_s=2 * 3600)
    net.advance(120)
    assert paid(net) == spent
    assert all(net[name].trust("alice", "requestor") >= 0.5 for name in PROVIDERS), "late is by the chain's clock"


def settles(net: LocalNetwork, victim: str, number: int) -> list[str]:
    """Have work done, and let a node die at the n-th point that it comes to until all is paid; answers those points."""
    alice, node = net["alice"], net[victim]
    task = alice.submit("echo", {"count": 4})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=60)
    spent, begun, first = int(str(alice.task(task)["spent"])), len(node.passed), node.run
    node.dies_at = begun + number if number else None
    net.run_until(lambda: paid(net) == spent and net.is_even(), limit_s=120)
    net.advance(30)
    assert paid(net) == spent, "and no more"
    assert all(trust >= 0.5 for trust in (net[name].trust("alice", "requestor") for name in PROVIDERS))
    assert not number or node.run is not first, f"{victim} did not die"
    points = node.passed[begun:]
    net.close()
    return points


@pytest.mark.parametrize("victim", ["alice", "bob"])
def test_death_at_any_call_of_a_port_while_money_is_settled_costs_nobody_anything(
    network: Networks, victim: str
) -> None:
    points = settles(network(), victim, 0)
    port = {"alice": "chain.pay", "bob": "chain.observe"}[victim]
    assert any(port in point for point in points), points
    assert any("journal" in point for point in points), points
    for number in range(1, len(points) + 1):
        settles(network(), victim, number)
