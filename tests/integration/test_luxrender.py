"""A LuxCore scene with real processes: slices, one provider who cheats, and rounds until the film is quiet."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.luxrender import template
from golem.api import Session, TaskHandle
from golem.control.views import Subtask, views
from golem.testing.processes import REQUESTOR, SETTINGS, LocalNetwork, Member, cheater, provider

pytestmark = [pytest.mark.integration, pytest.mark.luxrender, pytest.mark.timeout(120)]

SCENE = Path(template.programs).parent / "scenes" / "pyramid"
SANDBOX = {**SETTINGS, "provider.executor": "sandbox", "provider.templates": "luxrender"}


def test_a_film_grows_in_rounds_until_it_is_quiet_and_a_cheater_has_no_part_in_it(tmp_path: Path) -> None:
    members = [Member(REQUESTOR), cheater("cheat", "seed"), provider("bob")]
    with LocalNetwork(tmp_path / "nodes", members, SANDBOX) as network:
        network.start()
        session = Session(network[REQUESTOR].client)

        def render(output: Path, resources: dict[str, Path], **params: str) -> TaskHandle:
            return session.submit(
                "luxrender",
                {"resolution": "64x36", **params},
                budget="0.5",
                max_price="0.1",
                resources={"scene": SCENE, **resources},
                output=output,
            )

        task = render(tmp_path / "out", {}, noise="8", samples="256")
        assert task.wait().phase == "done"
        attempts = views(Subtask, network[REQUESTOR].client.get(f"/tasks/{task.task_id}/subtasks"))
        chunks = sorted(s.chunk for s in attempts if s.phase == "accepted")
        assert chunks == list(range(len(chunks))) and 4 < len(chunks) < 16
        assert "rejected" in {s.phase for s in attempts}
        assert len({s.provider for s in attempts if s.phase == "accepted"}) == 1
        (film,) = (tmp_path / "out").rglob("film.exr")
        again = render(tmp_path / "more", {"film": film}, samples="4", slices="1")
        assert again.wait().phase == "done"
        assert next((tmp_path / "more").rglob("film.exr")).stat().st_size == film.stat().st_size
