"""Another node's verdict, come to anew: from its word, its contents and our own sandbox, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from twisted.python.failure import Failure

from golem.errors import BadParameters, ContentMissing, GolemError, TemplateFailed, TooLarge, UnknownTemplate
from golem.model.evidence import Evidence
from golem.model.ids import Cid, SubtaskId
from golem.model.messages import Delivery, Place
from golem.model.money import Wei
from golem.model.spec import Chunk, Input, Job, Judgement, Limits, Outcome, Status, TaskSpec, Verdict
from golem.model.value import evolve
from golem.node.cases import Case, read_case
from golem.node.computer import Computer
from golem.node.rehearing import MAX_CHECK_MS, Record, Rehearing
from golem.testing.clock import Clock
from golem.testing.executor import ScriptedExecutor
from golem.testing.keys import FixedKeyring
from golem.testing.store import MemoryResourceStore, MemoryWorld
from golem.testing.toy import CAPABILITY, Toy
from golem.wire.codec import encode
from golem.wire.signing import sign_word

NETWORK, FAR = "local", "far:1"
ALICE, BOB = FixedKeyring("alice"), FixedKeyring("bob")
SUBTASK = SubtaskId("5" * 32)


class Reads(Toy):
    """Its check says what its report says."""

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        return Verdict(judgement=Judgement(reports[0].decode()), reason="it says so")


class Court:
    """A node without any but a store, a computer and a template; and another one that has the contents."""

    def __init__(self, folder: Path, toy: Toy) -> None:
        self.clock, self.folder = Clock(), folder
        world = MemoryWorld(self.clock)
        self.near, self.far = MemoryResourceStore(world, "near:1"), MemoryResourceStore(world, FAR)
        self.outcome = Outcome(status=Status.DONE, report=b"wrong")
        self.jobs: list[Job] = []
        self.sources: tuple[Place, ...] = ()
        (folder / "work.py").touch()
        executor = ScriptedExecutor(self.clock, self._ran, CAPABILITY)
        computer = Computer(executor, self.near, lambda _: str(folder), folder / "computer", 1)
        computer.startService()
        self.rehearing = Rehearing(
            NETWORK, {"toy": toy}, self.near, computer, lambda node: FAR if node == ALICE.node_id else ""
        )

    def _ran(self, job: Job, output: Path) -> Outcome:
        self.jobs.append(job)
        return self.outcome

    def content(self) -> Input:
        """Something that the far node serves."""
        path = self.folder / "scene"
        path.write_text("scene")
        put: list[Cid] = []
        self.far.put(str(path), "user/scene").addCallback(lambda content: put.append(content.cid))
        return Input(name="scene", cid=put[0], size_bytes=5)

    def hear(self, evidence: Evidence, network: str = NETWORK) -> Record:
        """What comes of it. Raises what it raises."""
        case = Case(signed=encode(sign_word(ALICE.sign, network, evidence)), sources=self.sources)
        ended: list[Record | Failure] = []
        self.rehearing.hear(case).addBoth(ended.append)
        self.clock.advance(100)
        (answer,) = ended
        if isinstance(answer, Failure):
            answer.raiseException()
        return answer


def evidence(*inputs: Input, template: str = "toy", chunk: int = 0) -> Evidence:
    """Alice's, against bob."""
    return Evidence(
        requestor=ALICE.node_id,
        provider=BOB.node_id,
        subtask_id=SUBTASK,
        spec=TaskSpec(
            template=template,
            params=b"{}",
            budget=Wei(1),
            max_price=Wei(1),
            output="",
            inputs=inputs,
            limits=Limits(timeout_ms=7 * 24 * 3_600_000),
        ),
        chunk=chunk,
        delivery=Delivery(subtask_id=SUBTASK, result=Cid(""), size_bytes=0, report=b"{}", used_ms=1),
        step=0,
        salt=b"salt",
        judgement=Judgement.WRONG,
        reason="alice says so",
    )


def test_the_checks_run_here_on_contents_from_there_and_nothing_stays(tmp_path: Path) -> None:
    court = Court(tmp_path, Reads(checks=1))
    told = court.hear(evidence(court.content()))
    assert (told["said"], told["said_why"]) == ("wrong", "alice says so")
    assert (told["found"], told["found_why"]) == ("wrong", "it says so")
    assert (told["requestor"], told["provider"], told["checks"]) == (ALICE.node_id, BOB.node_id, 1)
    (job,) = court.jobs
    assert job.limits.timeout_ms == MAX_CHECK_MS and job.job_id != SUBTASK
    survey: list[object] = []
    court.near.survey().addCallback(lambda found: survey.append(found.kept))
    assert survey == [()]


def test_another_verdict_is_said(tmp_path: Path) -> None:
    court = Court(tmp_path, Reads(checks=1))
    court.outcome = Outcome(status=Status.DONE, report=b"accept")
    assert court.hear(evidence())["found"] == "accept"


def test_a_check_that_fails_here_says_nothing_about_the_result(tmp_path: Path) -> None:
    court = Court(tmp_path, Reads(checks=2))
    court.outcome = Outcome(status=Status.CRASHED, detail="out of luck")
    told = court.hear(evidence())
    assert (told["found"], told["found_why"]) == ("unsure", "check 1 of 2 failed here: crashed: out of luck")


def test_what_the_requestor_did_not_sign_is_nobodys_evidence(tmp_path: Path) -> None:
    court = Court(tmp_path, Reads(checks=1))
    with pytest.raises(BadParameters, match=r"nobody's evidence in the network local: .* signature"):
        court.hear(evidence(), network="elsewhere")
    assert not court.jobs


def failed(court: Court, word: Evidence) -> GolemError:
    with pytest.raises(GolemError) as why:
        court.hear(word)
    return why.value


def test_what_cannot_be_repeated_here_is_named(tmp_path: Path) -> None:
    court = Court(tmp_path, Reads(checks=1))
    scene = court.content()
    assert isinstance(failed(court, evidence(template="other")), UnknownTemplate)
    assert isinstance(failed(court, evidence(chunk=99)), TemplateFailed)
    assert isinstance(failed(court, evidence(evolve(scene, size_bytes=1))), TooLarge), "no more than was said"
    court.far.unpin("user/scene")
    assert isinstance(failed(court, evidence(scene)), ContentMissing)
    court.outcome = Outcome(status=Status.DONE, report=b"no verdict")
    assert isinstance(failed(court, evidence()), TemplateFailed)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"signed": 7}', b'{"signed": "!"}', b"[" * 100_000])
def test_a_request_that_does_not_fit_says_so(body: bytes) -> None:
    with pytest.raises(BadParameters, match="the request does not fit"):
        read_case(body)


def test_bytes_that_are_no_evidence_are_refused(tmp_path: Path) -> None:
    ended: list[Failure] = []
    Court(tmp_path, Toy()).rehearing.hear(read_case(b'{"signed": "AA=="}')).addErrback(ended.append)
    assert ended[0].check(BadParameters)
