"""A task whose verifier can't tell anything ends with its result all the same, on whole nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from apps.tally.template import Tally
from golem.interfaces import IVerifier
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, TaskSpec, Verdict
from golem.model.value import evolve
from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
CHECK_MS = 3_000  # that all checks of a result may take


class Broken(Tally):
    """Its verifier can't judge; so it is in all of these."""

    def verifier(self, spec: TaskSpec) -> IVerifier:
        """Itself."""
        return self  # type: ignore[return-value]  # it keeps the interface, and declares it nowhere

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """Nothing to run."""
        return ()

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """It can't."""
        raise ZeroDivisionError("no measure")


class Clueless(Broken):
    """It does not know what to check."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """It can't."""
        raise ZeroDivisionError("no plan")


class Greedy(Broken):
    """It checks without end."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """A thousand times."""
        return [work] * 1_000


class Failing(Broken):
    """Its check fails."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """A program that there is not."""
        return (evolve(work, program="nowhere"),)


class Endless(Broken):
    """Its checks never end in time, as each takes a second and they share two slots."""

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        """As many as are allowed."""
        return [work] * 64


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (Broken(), "its judgement failed: ZeroDivisionError('no measure')"),
        (Clueless(), "its plan failed: ZeroDivisionError('no plan')"),
        (Greedy(), "it plans 65 checks of one result or more, at most 64"),
        (Failing(), "check 1 of 1 failed here: fault: the template tally has no program 'nowhere'"),
        (Endless(), f" more of 64 did not end within {CHECK_MS // 1_000} s"),
    ],
)
def test_a_task_whose_verifier_breaks_is_computed_at_home_and_costs_nothing(
    tmp_path: Path, template: Tally, why: str
) -> None:
    class Network(LocalNetwork):
        EXTRA = {"tally": template}
        REQUESTOR = evolve(LocalNetwork.REQUESTOR, verification_ms=CHECK_MS)

    net = Network(tmp_path / "net", ("alice", "bob", "carol"))
    try:
        alice = net["alice"]
        task = alice.submit("tally", {"chunks": 3, "ranges": 8, "length": 8, "bits": 2})
        net.run_until(lambda: alice.phase(task) == "done", limit_s=600)
        attempts = alice.subtasks(task)
        by_phase = {phase: [one for one in attempts if one["phase"] == phase] for phase in ("accepted", "unsure")}
        assert {one["provider"] for one in by_phase["accepted"]} == {alice.keyring.node_id}
        assert len(by_phase["accepted"]) == 3 and len(by_phase["unsure"]) >= 6
        reasons = {str(one["reason"]) for one in by_phase["unsure"]}
        assert all(reason.startswith("the template tally: ") and why in reason for reason in reasons), reasons
        net.advance(30)
        assert net.paid("alice", "bob") == net.paid("alice", "carol") == 0
        known = alice.node.desk.reputation()
        assert not any(one["role"] == "provider" and one["bad"] for one in known), "nobody is to blame"
    finally:
        net.close()
        print(net.story())
