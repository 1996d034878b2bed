"""Several providers do the same work: literals in, rulings and verdicts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from zope.interface.verify import verifyObject

from golem.interfaces import Answer, IComparing, IVerifier, Ruling
from golem.model.ids import Cid, NodeId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job
from golem.model.value import evolve
from golem.template import to_json
from golem.verification import (
    FileRedundancy,
    Redundancy,
    near,
)
from golem.verification.measured import examined
from tests.verification.literals import (
    ACCEPT,
    CHUNK,
    MALFORMED,
    SALT,
    UNSURE,
    WORK,
    WRONG,
    Says,
    delivered,
    judged,
    squares,
)


def answers(*given: tuple[float, bytes]) -> list[Answer]:
    return [
        Answer(provider=NodeId(f"02{number:064x}"), trust=trust, delivery=delivered(report))
        for number, (trust, report) in enumerate(given)
    ]


@pytest.mark.parametrize(
    ("given", "ruling"),
    [
        (answers((0.99, b"1"), (0.99, b"1")), Ruling.AGREED),
        (answers((0.5, b"1"), (0.99, b"1")), Ruling.MORE),
        (answers((0.5, b"1"), (0.5, b"1"), (0.5, b"1")), Ruling.REFEREE),
        (answers((0.99, b"1"), (0.99, b"2")), Ruling.REFEREE),
        (answers((0.99, b"1"), (0.99, b"1"), (0.3, b"2")), Ruling.REFEREE),
        (answers((1.0, b"1"), (0.0, b"1")), Ruling.MORE),
    ],
)
def test_trust_makes_agreement_enough_and_a_contradiction_is_for_the_referee(
    given: list[Answer], ruling: Ruling
) -> None:
    verifier = Redundancy(spot=0.0)
    assert verifyObject(IVerifier, verifier) and verifyObject(IComparing, verifier)
    assert verifier.compare(CHUNK, given, SALT) is ruling


def test_strangers_never_make_a_right_answer_however_many_there_are() -> None:
    assert Redundancy(most=99, spot=0.0).compare(CHUNK, answers(*[(0.5, b"1")] * 50), SALT) is Ruling.MORE


@pytest.mark.parametrize(("error", "needed"), [(0.02, 2), (0.1, 4), (0.3, 9)])
def test_so_many_providers_are_enough_for_one_wrong_answer_in_a_thousand(error: float, needed: int) -> None:
    verifier = Redundancy(most=20, spot=0.0)
    for count in range(2, needed + 1):
        ruling = verifier.compare(CHUNK, answers(*[(1 - error, b"1")] * count), SALT)
        assert (ruling is Ruling.AGREED) == (count == needed)


def test_some_agreements_are_looked_at_nevertheless() -> None:
    pair = answers((0.99, b"1"), (0.99, b"1"))
    rulings = [Redundancy(spot=0.2).compare(CHUNK, pair, bytes([n])) for n in range(250)]
    assert 30 < rulings.count(Ruling.REFEREE) < 70 and rulings.count(Ruling.AGREED) + rulings.count(
        Ruling.REFEREE
    ) == len(rulings)


def test_answers_agree_as_the_comparator_says_and_never_where_it_can_not_tell() -> None:
    loose = Redundancy(near(absolute=1), spot=0.0)
    assert loose.compare(CHUNK, answers((0.99, b"10"), (0.99, b"11")), SALT) is Ruling.AGREED
    assert loose.compare(CHUNK, answers((0.99, b"{"), (0.99, b"{")), SALT) is Ruling.REFEREE
    one, other = answers((0.99, b"1"), (0.99, b"1"))
    other = evolve(other, delivery=evolve(other.delivery, result=Cid("b" + "a" * 52)))
    assert loose.compare(CHUNK, [one, other], SALT) is Ruling.REFEREE, "content differs"


def test_the_referee_does_the_work_and_is_the_measure() -> None:
    verifier = Redundancy(near(absolute=0.5))
    assert verifier.plan(CHUNK, WORK, delivered(b"1"), SALT) == (WORK,)
    assert judged(verifier, b"1.2", b"1").judgement is ACCEPT
    bad = judged(verifier, b"3", b"1")
    assert bad.judgement is WRONG and bad.reason.startswith("referee: piece 3: numbers: 1 of 1 differ")
    assert judged(verifier, b"1", b"{").judgement is UNSURE and judged(verifier, b"1").judgement is UNSURE


@pytest.mark.parametrize("report", [b"{", b"1" * 400, b"[" * 5_000, b"1e400", b"NaN"])
def test_an_answer_that_is_like_nothing_is_malformed_and_harms_nobody_beside_it(report: bytes) -> None:
    verifier = Redundancy(near(absolute=0.5, relative=0.1), spot=0.0)
    assert verifier.compare(CHUNK, answers((0.99, report), (0.99, b"1")), SALT) is Ruling.REFEREE
    assert [judged(verifier, one, b"1").judgement for one in (report, b"1")] == [MALFORMED, ACCEPT]
    items = b"[" + b",".join([report] * 10) + b"]"
    assert judged(squares(same=near(absolute=1)), items, b'{"7":49}').judgement is MALFORMED


def test_answers_are_walked_through_however_deep_they_are() -> None:
    deep = b"[" * 600 + b"1" + b"]" * 600
    assert near()(deep, deep) == ""
    assert near()(b'{"a":%b,"b":1}' % deep, b'{"a":%b,"c":1}' % deep) == "shape: at the top"
    verifier = Redundancy(near(absolute=0.5), spot=0.0)
    assert verifier.compare(CHUNK, answers((0.99, deep), (0.99, b"1")), SALT) is Ruling.REFEREE
    assert judged(verifier, deep, b"1").judgement is WRONG


# several providers whose results are files

FILES = [Cid("b" + letter * 52) for letter in "abc"]


class OneJob(Says):
    """Measures a file by one job, and hears its report."""

    def __init__(self) -> None:
        super().__init__(WRONG)

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        return [examined(work, delivery, "check", {"places": [1]})]


def files(*given: tuple[float, str]) -> list[Answer]:
    return [
        evolve(one, delivery=evolve(one.delivery, result=Cid(result), size_bytes=9))
        for one, (_, result) in zip(answers(*[(trust, b"{}") for trust, _ in given]), given, strict=True)
    ]


def look_of(verifier: FileRedundancy, *given: tuple[float, str]) -> Mapping[str, object]:
    (job,) = verifier.referee(CHUNK, WORK, files(*given), SALT)
    assert job.program == "compare"
    return {**msgspec.json.decode(job.params), "inputs": {one.name: one.cid for one in job.inputs}}


def test_equal_files_of_who_is_believed_agree_unopened_and_others_are_for_the_job_that_compares() -> None:
    verifier = FileRedundancy(OneJob(), "compare", spot=0.0)
    assert verifyObject(IVerifier, verifier) and verifyObject(IComparing, verifier)
    same, other, stranger = (0.99, FILES[0]), (0.99, FILES[1]), (0.5, FILES[2])
    assert verifier.compare(CHUNK, files(same, same), SALT) is Ruling.AGREED
    assert verifier.compare(CHUNK, files(same, other), SALT) is Ruling.REFEREE
    assert verifier.compare(CHUNK, files(stranger, stranger), SALT) is Ruling.REFEREE


def test_one_job_sees_all_files_and_knows_whether_to_believe_them() -> None:
    verifier = FileRedundancy(OneJob(), "compare", spot=0.0)
    look = look_of(verifier, (0.99, FILES[0]), (0.99, FILES[1]), (0.99, ""))
    assert (
        look["places"] == [1]
        and look["results"] == FILES[:2]
        and look["inputs"]
        == {
            "result0": FILES[0],
            "result1": FILES[1],
        }
    )
    assert (look["believed"], look["whole"]) == (True, False)
    assert not look_of(verifier, (0.5, FILES[0]), (0.5, FILES[1]))["believed"]
    assert not look_of(verifier, (0.99, FILES[0]), (0.99, FILES[0]))["believed"], "it was drawn to be looked at"
    assert verifier.referee(CHUNK, WORK, files((0.99, "")), SALT) == ()


def test_who_repeats_the_verdict_on_one_file_compares_it_with_the_whole_work() -> None:
    (job,) = FileRedundancy(OneJob(), "compare").plan(CHUNK, WORK, files((0.5, FILES[0]))[0].delivery, SALT)
    look = msgspec.json.decode(job.params)
    assert (look["results"], look["believed"], look["whole"]) == ([FILES[0]], False, True)


def test_files_that_agree_are_unchecked_and_each_other_is_judged_by_what_was_measured_of_it() -> None:
    inner = OneJob()
    verifier, (answer,) = FileRedundancy(inner, "compare"), files((0.99, FILES[0]))
    agreed = verifier.judge(CHUNK, WORK, answer.delivery, (b'{"agree":true}',))
    assert agreed.judgement is ACCEPT and not agreed.checked
    report = to_json({"agree": False, "measured": {FILES[0]: {"ok": 1}, FILES[1]: {"ok": 2}}})
    assert verifier.judge(CHUNK, WORK, answer.delivery, (report,)).judgement is WRONG
    assert inner.heard == [(b'{"ok":1}',)]
    verifier.judge(CHUNK, WORK, answer.delivery, (b'{"agree":false}',))
    assert inner.heard[1:] == [()], "a file that the job forgot is as if it had not reported"
    assert verifier.judge(CHUNK, WORK, delivered(), ()).judgement is MALFORMED
    for nothing in ((), (b"{",)):
        assert verifier.judge(CHUNK, WORK, answer.delivery, nothing).judgement is UNSURE
