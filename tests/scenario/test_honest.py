"""All goes well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from golem.testing.local import LocalNetwork

Networks = Callable[..., LocalNetwork]


def test_an_honest_task_is_done_merged_and_paid_for(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol"), seed=1)
    task = net["alice"].submit("echo", {"count": 10})
    net.run_until(lambda: net["alice"].phase(task) == "done", limit_s=60)
    assert len(Path(net["alice"].results, "echo.txt").read_text().splitlines()) == 10
    net.advance(30)
    assert net.paid("alice", "bob") + net.paid("alice", "carol") == net["alice"].task(task)["spent"]
    assert net.paid("alice", "bob") and net.paid("alice", "carol")
    assert net["alice"].trust("bob", "provider") > 0.5
    assert net["bob"].trust("alice", "requestor") > 0.5
