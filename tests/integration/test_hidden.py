"""A requestor and a provider whom nobody can dial do business through a node that both can."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import pytest

from golem.api import Session
from golem.cli.main import main
from golem.control.others import Peer
from golem.control.views import Status, view, views
from golem.testing.processes import SETTINGS, LocalNetwork, LocalNode, Member, provider, wait_for

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap"),
]
TERMS = {**SETTINGS, "provider.templates": "echo", "provider.executor": "sandbox"}
HIDDEN = {"node.listen": ""}


def address(node: LocalNode) -> str:
    return view(Status, node.client.get("/status")).address


def test_work_and_content_pass_between_two_that_do_not_listen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = [Member("relay"), Member("requestor", HIDDEN), provider("bob", HIDDEN)]
    with LocalNetwork(tmp_path / "nodes", members, TERMS) as network:
        network.start()
        relay, asking, bob = (network[name] for name in ("relay", "requestor", "bob"))
        wait_for(lambda: "/" in address(asking) and "/" in address(bob), 20.0, "both to have a relay")
        assert address(bob).startswith(address(relay))
        task = Session(asking.client).submit(
            "echo", {"count": 3}, budget="0.1", max_price="0.1", output=tmp_path / "out"
        )
        task.wait()
        assert (tmp_path / "out" / "echo.txt").stat().st_size
        met = {p.node: p.address for p in views(Peer, asking.client.get("/peers")) if p.is_connected}
        assert met[view(Status, bob.client.get("/status")).node_id] == address(bob)
        assert main(["node", "explain", "--folder", str(bob.folder)]) == 0
        assert "reached through" in capsys.readouterr().out
