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
