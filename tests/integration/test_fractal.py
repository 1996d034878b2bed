"""A picture by WebAssembly with real processes, all of the wasm tier: one provider who cheats has no part in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from golem.api import Session
from golem.control.views import Subtask, views
from golem.testing.processes import REQUESTOR, SETTINGS, LocalNetwork, Member, cheater, provider

pytest.importorskip("wasmtime")
pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WASM = {**SETTINGS, "provider.executor": "wasm", "provider.templates": "fractal"}


def test_strips_of_the_honest_make_the_picture(tmp_path: Path) -> None:
    members = [Member(REQUESTOR), cheater("cheat", "samples"), provider("bob")]
    with LocalNetwork(tmp_path / "nodes", members, WASM) as network:
        network.start()
        session = Session(network[REQUESTOR].client)
        params = {
            "size": "1280x720",
            "re": "-0.7436",
            "im": "0.1318",
            "span": "0.005",
            "iterations": "100",
            "chunk": "0.1",
        }
        task = session.submit("fractal", params, budget="0.5", max_price="0.1", output=tmp_path / "out")
        assert task.wait().phase == "done"
        attempts = views(Subtask, network[REQUESTOR].client.get(f"/tasks/{task.task_id}/subtasks"))
        assert "rejected" in {attempt.phase for attempt in attempts}
        assert len({attempt.provider for attempt in attempts if attempt.phase == "accepted"}) == 1
        (picture,) = (tmp_path / "out").rglob("picture.png")
        assert picture.read_bytes().startswith(b"\x89PNG")
