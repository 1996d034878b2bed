"""Jobs of real nodes, watched from both sides while they run, and ended in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from golem.api import Session
from golem.control.views import Job, Log, Prospects, Reason, Subtask, view, views
from golem.testing.processes import REQUESTOR, SETTINGS, LocalNetwork, Member, provider, wait_for

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap"),
]
TERMS = {**SETTINGS, "provider.templates": "echo", "provider.executor": "sandbox"}
CANCEL_S = 1.5 + 1.0  # what an executor promises, and the way there


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    members = [Member(REQUESTOR), provider("bob")]
    with LocalNetwork(tmp_path_factory.mktemp("local") / "nodes", members, TERMS) as network:
        network.start()
        yield network


def test_a_job_is_followed_from_both_sides_and_ends_when_it_is_cancelled(network: LocalNetwork, tmp_path: Path) -> None:
    asking, bob = network[REQUESTOR].client, network["bob"].client
    task = Session(asking).submit("echo", {"count": 1, "spin": 10**9}, budget="1", max_price="0.1", output=tmp_path)

    def seen() -> bool:
        found = views(Subtask, asking.get(f"/tasks/{task.task_id}/subtasks"))
        said = views(Log, asking.get(f"/tasks/{task.task_id}/logs"))
        return any(s.phase == "assigned" for s in found) and any("progress 0%" in log.log for log in said)

    wait_for(seen, 30.0, "the job to say something")
    (log,) = views(Log, bob.get(f"/tasks/{task.task_id}/logs"))
    assert "progress 0%" in log.log and log.provider == "here"
    (job,) = views(Job, bob.get("/jobs"))
    assert (job.task_id, job.template, job.phase) == (task.task_id, "echo", "computing")
    began = time.monotonic()
    task.cancel()
    wait_for(lambda: not views(Job, bob.get("/jobs")), 10.0, "the job to end")
    assert time.monotonic() - began < CANCEL_S


def test_a_tier_that_nobody_has_is_named_as_the_reason(network: LocalNetwork, tmp_path: Path) -> None:
    session = Session(network[REQUESTOR].client)
    task = session.submit("echo", {"count": 1}, budget="1", output=tmp_path, tiers=["docker-runsc"])

    def reasons() -> list[Reason]:
        return [reason for reason in task.explain().reasons if "kept apart" in reason.reason]

    wait_for(lambda: bool(reasons()), 30.0, "bob to say no")
    assert reasons()[0].by == "providers"
    assert any("kept apart" in r.reason for r in view(Prospects, network["bob"].client.get("/explain")).reasons)
    task.cancel()
