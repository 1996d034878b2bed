"""A task whose verifier can't tell anything ends with its result all the same, on whole nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from apps.tally.template import Tally
from golem.interfaces import IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, TaskSpec, Verdict
from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario


class Lost(Tally):
    """Its verifier breaks whatever it sees."""

    def verifier(self, spec: TaskSpec) -> IVerifier:
        """Itself."""
        return self  # type: ignore[return-value]  # it keeps the interface, and declares it nowhere

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """Nothing to run."""
        return ()

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """It can't."""
        raise ZeroDivisionError("no measure")


class LostNetwork(LocalNetwork):
    """It can tally, and not tell."""

    EXTRA = {"tally": Lost()}


def test_a_task_whose_verifier_breaks_is_computed_at_home_and_costs_nothing(tmp_path: Path) -> None:
    net = LostNetwork(tmp_path / "net", ("alice", "bob", "carol"))
    try:
        alice = net["alice"]
        task = alice.submit("tally", {"chunks": 3, "ranges": 8, "length": 8, "bits": 2})
        net.run_until(lambda: alice.phase(task) == "done", limit_s=600)
        attempts = alice.subtasks(task)
        by_phase = {phase: [one for one in attempts if one["phase"] == phase] for phase in ("accepted", "unsure")}
        assert {one["provider"] for one in by_phase["accepted"]} == {alice.keyring.node_id}
        assert len(by_phase["accepted"]) == 3 and len(by_phase["unsure"]) >= 6
        assert all("no measure" in str(one["reason"]) for one in by_phase["unsure"])
        net.advance(30)
        assert net.paid("alice", "bob") == net.paid("alice", "carol") == 0
    finally:
        net.close()
        print(net.story())
