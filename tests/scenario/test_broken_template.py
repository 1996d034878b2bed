"""A template that raises, on whole nodes: its task ends with the name of what failed, and their other work is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from apps.echo.template import Echo
from golem.errors import TemplateFailed
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Merge, TaskSpec, Verdict
from golem.template import SpotCheck
from golem.testing.local import LocalNetwork


class Careless(SpotCheck):
    """Does not judge."""

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        """See IVerifier."""
        raise ZeroDivisionError("nothing to compare")


class Broken(Echo):
    """Raises in the method that the task's `text` names."""

    name = "broken"

    def _may(self, spec: TaskSpec, method: str) -> None:
        if method.encode() in spec.params:
            raise ZeroDivisionError("nothing to share")

    def parse(self, params: Mapping[str, str]) -> bytes:
        """See ITaskTemplate."""
        if params["text"] == "parse":
            raise ZeroDivisionError("nothing to share")
        return super().parse(params)

    def split(self, spec: TaskSpec) -> Sequence[Chunk]:
        """See ITaskTemplate."""
        self._may(spec, "split")
        return super().split(spec)

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        """See ITaskTemplate."""
        self._may(spec, "merge")
        return super().merge(spec, merge, deliveries)

    def verifier(self, spec: TaskSpec) -> SpotCheck:
        """See ITaskTemplate."""
        return Careless(lambda _: None) if b"judge" in spec.params else super().verifier(spec)

    def cost_ms(self, spec: TaskSpec, chunk: Chunk) -> int:
        """See ITaskTemplate."""
        self._may(spec, "cost_ms")
        return super().cost_ms(spec, chunk)


class WithBroken(LocalNetwork):
    """Nodes that have it."""

    EXTRA = {"broken": Broken()}


@pytest.fixture
def net(tmp_path: Path) -> Iterator[LocalNetwork]:
    """A requestor and two providers."""
    net = WithBroken(tmp_path)
    yield net
    net.close()


def end(net: LocalNetwork, method: str) -> dict[str, object]:
    """How a task ends whose template raises, between two others, which are done and paid; nobody is to blame."""
    alice = net["alice"]
    before = alice.submit("echo", {"count": 20})
    broken = alice.submit("broken", {"count": 3, "text": method})
    after = alice.submit("echo", {"count": 5})
    tasks = (before, broken, after)
    net.run_until(lambda: all(alice.phase(task) in ("done", "failed") for task in tasks), limit_s=300)
    assert alice.phase(before) == alice.phase(after) == "done"
    net.advance(60)
    net.check_quiet()
    assert all(alice.trust(name, "provider") > 0.5 for name in ("bob", "carol"))
    return {**alice.task(broken), "why": [one["reason"] for one in alice.node.desk.subtasks(broken)]}


@pytest.mark.parametrize(("method", "where"), [("split", "split, merges or verifier"), ("merge", "merge")])
def test_a_template_that_raises_ends_its_own_task_and_the_node_does_the_others(
    net: LocalNetwork, method: str, where: str
) -> None:
    ended = end(net, method)
    assert ended["phase"] == "failed"
    assert ended["reason"] == f"the template broken failed in {where}: ZeroDivisionError('nothing to share')"


def test_where_a_verifier_raises_the_node_does_the_work_itself(net: LocalNetwork) -> None:
    ended = end(net, "judge")
    assert (ended["phase"], ended["spent"]) == ("done", 0)
    assert "the template broken: its judgement failed: ZeroDivisionError('nothing to compare')" in ended["why"]  # type: ignore[operator]  # a list


def test_where_a_template_can_not_guess_a_chunks_time_the_task_is_done_all_the_same(net: LocalNetwork) -> None:
    assert end(net, "cost_ms")["phase"] == "done"


def test_a_template_that_can_not_read_parameters_is_named(net: LocalNetwork) -> None:
    with pytest.raises(TemplateFailed, match="the template broken failed in parse: ZeroDivisionError"):
        net["alice"].submit("broken", {"count": 3, "text": "parse"})
