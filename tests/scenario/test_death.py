"""Whatever a node was calling when it died, the task is done once, and everybody is paid once."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.tally.template import Tally
from golem.model.ids import NodeId, SubtaskId
from golem.model.spec import Chunk, Job, Resource, TaskSpec
from golem.model.value import evolve
from golem.testing.local import LocalNetwork

pytestmark = pytest.mark.scenario
CHUNKS = 3


class Furnished(Tally):
    """A tally whose jobs have the task's inputs, which they don't need."""

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        """With inputs to be fetched first."""
        return evolve(super().job(spec, chunk, subtask, provider), inputs=spec.inputs)


class Market(LocalNetwork):
    """Two providers, and a task with inputs, checks and a merge."""

    EXTRA = {"tally": Furnished()}


def does(folder: Path, victim: str, number: int) -> list[str]:
    """Have a task done and paid, and let a node die at the n-th point that it comes to; answers those points."""
    folder.mkdir()
    (folder / "scene").write_text("a table and a chair")
    net = Market(folder)
    try:
        alice, node = net["alice"], net[victim]
        begun, first = len(node.passed), node.run
        node.dies_at = begun + number if number else None
        params = {"chunks": CHUNKS, "ranges": 4, "length": 4, "bits": 2}
        scene = Resource(name="scene", path=str(folder / "scene"))
        while not (known := alice.node.engine.state.boards):  # who died before it wrote it down is asked again
            alice.post("tally", params, lambda _: None, resources=(scene,))
            net.advance(10)
        (task,) = known
        net.run_until(lambda: alice.phase(task) == "done" and net.is_even(), limit_s=600)
        assert not number or node.run is not first, f"{victim} did not die"
        accepted = [attempt["chunk"] for attempt in alice.subtasks(task) if attempt["phase"] == "accepted"]
        assert sorted(accepted, key=str) == list(range(CHUNKS))
        paid = sum(net.paid("alice", provider) for provider in ("bob", "carol"))
        assert paid == int(str(alice.task(task)["spent"]))
        return node.passed[begun:]
    finally:
        net.close()


@pytest.mark.parametrize(
    ("victim", "ports"),
    [
        ("alice", ("store.put", "executor.run", "store.materialise", "chain.pay")),
        ("bob", ("store.get", "executor.run", "store.unpin", "chain.observe")),
    ],
)
def test_death_at_any_call_of_a_port_changes_neither_results_nor_payments(
    tmp_path: Path, victim: str, ports: tuple[str, ...]
) -> None:
    points = does(tmp_path / "0", victim, 0)
    for port in (*ports, "journal.append", "socket.write"):
        assert any(port in point for point in points), (port, points)
    for number in range(1, len(points) + 1):
        does(tmp_path / f"{number}", victim, number)
