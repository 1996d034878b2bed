"""Who gets the work where there is less of it than there are providers: the proven, and newcomers their trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]


def shares(net: LocalNetwork, tasks: int) -> Counter[str]:
    """How many of so many tasks of one chunk, one after the other, each provider did."""
    names = {net[name].keyring.node_id: name for name in net.world.names}
    done: Counter[str] = Counter()
    for _ in range(tasks):
        task = net["alice"].submit("echo", {"count": 1})
        net.run_until(lambda task=task: net["alice"].phase(task) == "done", limit_s=60)  # type: ignore[misc]  # bound now
        done.update(names[s["provider"]] for s in net["alice"].subtasks(task) if s["phase"] == "accepted")  # type: ignore[index]  # a record's ids are text
    return done


def test_a_newcomer_among_proven_providers_gets_trial_work_and_none_of_them_starves(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol", "newton"))
    net.kill("newton")
    before = shares(net, 40)
    assert set(before) == {"bob", "carol"} and min(before.values()) >= 4, before
    net.boot("newton")
    net.advance(30)
    after = shares(net, 40)
    assert 1 <= after["newton"] <= 20, after
    assert after["bob"] + after["carol"] >= 20, after
