"""Blender tasks for cards, where there is none: who needs one waits and says why, who may use one is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.blender import template
from golem.api import Session, TaskHandle
from golem.control.views import Subtask, views
from golem.testing.processes import REQUESTOR, SETTINGS, LocalNetwork, Member, provider, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.blender, pytest.mark.timeout(300)]

SCENE = Path(template.programs).parent / "scenes" / "marbles.blend"
SANDBOX = {**SETTINGS, "provider.executor": "sandbox"}


def test_a_card_is_waited_for_only_where_nothing_else_will_do(tmp_path: Path) -> None:
    with LocalNetwork(tmp_path / "nodes", [Member(REQUESTOR), provider("bob")], SANDBOX) as network:
        network.start()
        session = Session(network[REQUESTOR].client)

        def render(device: str) -> TaskHandle:
            params = {"device": device, "resolution": "83x41", "samples": "4"}
            return session.submit(
                "blender",
                params,
                budget="0.5",
                max_price="0.1",
                resources={"scene": SCENE},
                output=tmp_path / device,
            )

        waits, done = render("gpu"), render("auto")
        assert done.wait().phase == "done"
        (attempt,) = views(Subtask, network[REQUESTOR].client.get(f"/tasks/{done.task_id}/subtasks"))
        assert attempt.phase == "accepted" and attempt.reason.startswith("exchange, "), attempt
        wait_for(lambda: bool(waits.explain().reasons), 60, "a reason to wait")
        (why,) = waits.explain().reasons
        assert "environment" in why.reason
        assert waits.state().phase == "open"
