"""One task and real nodes, each with a reason of its own not to work for it: the table names every one of them."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import pytest

from golem.api import Session
from golem.cli.main import main
from golem.control.views import Explanation, view
from golem.model.messages import Reason
from golem.testing.processes import REQUESTOR, SETTINGS, LocalNetwork, Member, provider, wait_for

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap"),
]
TERMS = {**SETTINGS, "provider.templates": "echo", "provider.executor": "sandbox"}
WHY = {
    "small": ({"provider.memory": "16MiB"}, Reason.RESOURCES),
    "other": ({"provider.templates": "tally"}, Reason.TEMPLATE),
    "wasm": ({"provider.executor": "wasm"}, Reason.ENVIRONMENT),
    "night": ({"provider.hours": "sun 00:00-00:01"}, Reason.HOURS),
}
GONE = "unreachable: there is no session with it"
SILENT = "it has not answered; nodes that do not provide say nothing"


def test_every_known_node_stands_in_the_table_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = [Member(REQUESTOR), *(provider(name, terms) for name, (terms, _) in WHY.items())]
    members += [Member("idle"), provider("gone")]
    with LocalNetwork(tmp_path / "nodes", members, TERMS) as network:
        network.start()
        client = network[REQUESTOR].client
        network["gone"].kill()
        task = Session(client).submit("echo", {"count": 3}, budget="0.1", max_price="0.1", output=tmp_path / "out")
        expected = {GONE, SILENT, *(reason.value for _, reason in WHY.values())}

        def told() -> Explanation:
            return view(Explanation, client.get(f"/tasks/{task.task_id}/explain"))

        wait_for(lambda: {each.reason for each in told().reasons} == expected, 30.0, "everybody's answer")
        assert (told().waiting, told().peers) == (3, len(members) - 1)
        assert [each.count for each in told().reasons] == [1] * len(expected)
        assert main(["task", "explain", task.task_id, "--folder", str(network[REQUESTOR].folder)]) == 0
        page = capsys.readouterr().out
        assert "3 chunks (line 1, line 2, line 3): of 6 known nodes" in page
        assert all(words in page for words in expected)
        for name, (_, reason) in WHY.items():
            assert main(["node", "explain", "--folder", str(network[name].folder)]) == 0
            assert reason.value in capsys.readouterr().out
