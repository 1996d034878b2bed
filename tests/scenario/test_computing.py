"""Jobs on their way: their progress is seen from afar, a machine may rest, and a requestor may never come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from golem.control.views import Explanation, view
from golem.model.events import Rested
from golem.model.messages import Reason
from golem.model.value import evolve
from golem.testing.local import LocalNetwork
from golem.testing.local_node import LocalNode

pytestmark = pytest.mark.scenario
Networks = Callable[..., LocalNetwork]


def says(provider: LocalNode, percent: int, printed: bytes) -> str:
    """Have a provider's running job say something; its id."""
    state = provider.node.engine.state
    work = state.works[next(iter(state.busy))]
    provider.node.desk.live.news(work.assignment.job, percent, printed)
    return work.subtask_id


def attempts(requestor: LocalNode, task: str, phase: str) -> list[Mapping[str, object]]:
    return [attempt for attempt in requestor.subtasks(task) if attempt["phase"] == phase]


def test_the_requestor_sees_how_far_a_job_is_and_what_it_prints(network: Networks) -> None:
    net = network(nodes=("alice", "bob"), takes_s={"bob": 30.0})
    alice, bob = net["alice"], net["bob"]
    heard: list[Mapping[str, object]] = []
    task = alice.submit("echo", {"count": 2})
    alice.node.desk.watch(f"log/{task}", heard.append)
    everything: list[Mapping[str, object]] = []
    alice.node.desk.watch(None, everything.append)
    net.run_until(lambda: bool(bob.node.engine.state.busy), limit_s=10)
    subtask = says(bob, 40, b"Sample 2/5\n")
    net.advance(2)
    assert [(a["subtask_id"], a["percent"]) for a in attempts(alice, task, "assigned") if a["percent"]] == [
        (subtask, 40)
    ]
    for node in (alice, bob):
        (log,) = node.node.desk.logs(task)
        assert (log["subtask_id"], log["percent"], log["log"]) == (subtask, 40, "Sample 2/5\n")
    (happening,) = heard
    assert happening["fields"] == {"subtask": subtask, "percent": 40, "log": "Sample 2/5\n"}
    assert all(told["name"] != "log" for told in everything)
    assert [job["percent"] for job in bob.node.desk.jobs() if job["subtask_id"] == subtask] == [40]
    journals = net.digest()
    says(bob, 80, b"Sample 4/5\n")
    net.advance(2)
    assert net.digest() == journals, "nothing of it is in a journal"


def test_a_requestor_that_never_comes_back_is_computed_for_no_longer(network: Networks) -> None:
    terms = evolve(LocalNetwork.PROVIDER, forsaken_ms=30_000)
    net = network(nodes=("alice", "bob"), takes_s={"bob": 3_600.0}, terms={"bob": terms})
    bob = net["bob"]
    net["alice"].submit("echo", {"count": 1})
    net.run_until(lambda: bool(bob.node.engine.state.busy), limit_s=10)
    net.kill("alice")
    net.advance(20)
    assert bob.node.engine.state.busy, "it may come back yet"
    net.advance(40)
    assert not bob.node.engine.state.busy and not bob.node.desk.jobs()


def test_a_machine_that_rests_in_the_midst_finishes_what_it_has_and_the_others_do_the_rest(network: Networks) -> None:
    net = network(nodes=("alice", "bob", "carol"), takes_s={"bob": 2.0, "carol": 2.0})
    alice, bob = net["alice"], net["bob"]
    task = alice.submit("echo", {"count": 12})
    net.run_until(lambda: bool(bob.node.engine.state.busy), limit_s=10)
    bob.node.engine.post(Rested(reason=Reason.HOURS))
    net.advance(5)
    had = {attempt["subtask_id"] for attempt in alice.subtasks(task) if attempt["provider"] == bob.keyring.node_id}
    told = view(Explanation, alice.node.desk.explain(task))
    (no,) = [said for said in told.reasons if "hours" in said.reason]
    assert no.by == "providers"
    assert any("hours" in str(problem) for problem in bob.node.desk.status()["problems"])  # type: ignore[union-attr]  # a list
    net.run_until(lambda: alice.phase(task) == "done", limit_s=120)
    by_bob = {attempt["subtask_id"] for attempt in alice.subtasks(task) if attempt["provider"] == bob.keyring.node_id}
    assert by_bob == had
    assert not attempts(alice, task, "failed") and not attempts(alice, task, "lost")
