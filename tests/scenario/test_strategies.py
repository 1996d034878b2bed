"""Markets in which results are sampled, or done twice, and providers cheat alone or together."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from apps.tally import template
from apps.tally.job import count
from golem.errors import BadSignature
from golem.model.evidence import Evidence
from golem.model.spec import Judgement
from golem.model.value import evolve
from golem.node.cases import Case
from golem.testing.local import LocalNetwork
from golem.testing.local_node import NETWORK
from golem.verification.evidence import checks, verdict
from golem.wire.codec import Decoder
from golem.wire.signing import verify_word

pytestmark = pytest.mark.scenario
SMALL = {"chunks": 24, "ranges": 8, "length": 8, "bits": 2}


class TallyNetwork(LocalNetwork):
    """It can tally, too."""

    EXTRA = {"tally": template}


@pytest.fixture
def nets(tmp_path: Path) -> Iterator[list[TallyNetwork]]:
    made: list[TallyNetwork] = []
    yield made
    for net in made:
        net.close()
        print(net.story())


def market(made: list[TallyNetwork], tmp_path: Path, *names: str, liars: tuple[str, ...] = ()) -> TallyNetwork:
    made.append(TallyNetwork(tmp_path / "net", ("alice", *names), behave=dict.fromkeys(liars, "half_liar")))
    return made[-1]


def done(net: TallyNetwork, **params: object) -> dict[str, set[str]]:
    """Have a task done; says who had attempts in each phase."""
    alice = net["alice"]
    task = alice.submit("tally", {**SMALL, **params})
    net.run_until(lambda: alice.phase(task) == "done", limit_s=600)
    names = {net[name].keyring.node_id: name for name in net.world.names}
    phases: dict[str, set[str]] = {}
    for attempt in alice.subtasks(task):
        phases.setdefault(str(attempt["phase"]), set()).add(names[attempt["provider"]])  # type: ignore[index]  # a text
    return phases


def test_who_makes_up_half_of_each_result_is_caught_by_a_part_counted_again(
    nets: list[TallyNetwork], tmp_path: Path
) -> None:
    net = market(nets, tmp_path, "bob", "mallory", liars=("mallory",))
    phases = done(net)
    assert phases["rejected"] == {"mallory"} and "bob" in phases["accepted"]
    state = net["alice"].node.engine.state
    rejected = [one.reason for one in state.subtasks.values() if one.phase.value == "rejected"]
    assert rejected and all(reason.startswith("recompute: from ") for reason in rejected)
    net.advance(30)
    assert net.paid("alice", "bob") > 0


def test_a_third_node_comes_to_the_same_verdict_from_the_evidence_alone(
    nets: list[TallyNetwork], tmp_path: Path
) -> None:
    net = market(nets, tmp_path, "bob", "mallory", liars=("mallory",))
    done(net)
    state = net["alice"].node.engine.state
    (task_id,) = state.boards
    told = net["alice"].node.desk.evidence(task_id)
    rejected = [one.subtask_id for one in state.subtasks.values() if one.phase.value == "rejected"]
    assert [one["subtask_id"] for one in told] == rejected
    decoder: Decoder[Evidence] = Decoder(Evidence)
    for one in told:
        found = decoder.decode(b64decode(str(one["signed"])))
        verify_word(NETWORK, found)
        with pytest.raises(BadSignature):
            verify_word(NETWORK, evolve(found, reason="because"))
        reports = [
            msgspec.json.encode(count.run(msgspec.json.decode(job.params), "", "")) for job in checks(template, found)
        ]
        again = verdict(template, found, reports)
        assert (again.judgement, again.reason) == (found.judgement, found.reason) == (Judgement.WRONG, one["reason"])


def test_a_third_node_that_is_asked_to_repeats_the_verdicts_in_its_own_sandbox(
    nets: list[TallyNetwork], tmp_path: Path
) -> None:
    net = market(nets, tmp_path, "bob", "mallory", liars=("mallory",))
    done(net)
    (task_id,) = net["alice"].node.engine.state.boards
    told = net["alice"].node.desk.evidence(task_id)
    answers: list[Mapping[str, object]] = []
    for one in told:
        case = Case(signed=b64decode(str(one["signed"])))
        net["bob"].node.desk.rehear(case).addCallback(answers.append)
    net.advance(30)
    assert len(answers) == len(told) > 0
    for one, answer in zip(told, answers, strict=True):
        assert answer["found"] == answer["said"] == "wrong" and answer["found_why"] == one["reason"]
        assert answer["requestor"] == net["alice"].keyring.node_id and answer["subtask_id"] == one["subtask_id"]


def test_a_provider_that_has_earned_it_is_checked_now_and_then_and_paid_for_all(
    nets: list[TallyNetwork], tmp_path: Path
) -> None:
    net = market(nets, tmp_path, "bob")
    for _ in range(8):
        done(net)
    boards = net["alice"].node.engine.state
    reasons = [attempt.reason for attempt in boards.subtasks.values()]
    unchecked = sum(reason.startswith("not checked itself") for reason in reasons)
    assert len(reasons) == 8 * SMALL["chunks"] and unchecked > 20, unchecked
    net.advance(30)
    assert net.paid("alice", "bob") == sum(int(a.amount) for a in boards.subtasks.values()) > 0


def test_a_colluding_pair_of_strangers_is_not_believed_and_its_lie_is_never_taken(
    nets: list[TallyNetwork], tmp_path: Path
) -> None:
    net = market(nets, tmp_path, "bob", "carol", "mallory", "trudy", liars=("mallory", "trudy"))
    phases = done(net, check="copies", chunks=12)
    assert phases["rejected"] == {"mallory", "trudy"} and phases["accepted"] == {"bob", "carol"}
    net.advance(30)
    assert net.paid("alice", "mallory") == net.paid("alice", "trudy") == 0
    assert net.paid("alice", "bob") > 0 and net.paid("alice", "carol") > 0
    state = net["alice"].node.engine.state
    (board,) = state.boards.values()
    assert len(board.accepted) == 12
    assert all(any(msgspec.json.decode(one.report)[4:]) for one in board.accepted.values()), "no half is made up"


@pytest.mark.parametrize("check", ["recount", "copies"])
@pytest.mark.parametrize("is_torn", [False, True])
def test_verification_goes_on_after_its_requestor_died_in_the_midst_of_it(
    nets: list[TallyNetwork], tmp_path: Path, check: str, is_torn: bool
) -> None:
    net = market(nets, tmp_path, "bob", "carol", "mallory", liars=("mallory",))
    alice = net["alice"]
    task = alice.submit("tally", {**SMALL, "chunks": 6, "check": check})
    for turn in (9, 14, 21, 30):
        net.crash("alice", turn, is_torn=is_torn)
        net.run_until(lambda: alice.run is not None and alice.node.engine.state.boards != {}, limit_s=60)
        net.advance(1)
    net.run_until(lambda: alice.run is not None and alice.phase(task) == "done", limit_s=900)
    net.advance(30)
    state = alice.node.engine.state
    assert not state.checking and not state.to_check and not state.boards[task].open  # type: ignore[index]  # its id
    assert net.paid("alice", "mallory") == 0 < net.paid("alice", "bob") + net.paid("alice", "carol")
