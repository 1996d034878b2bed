"""Strategies as values: literals in, verdicts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from zope.interface.verify import verifyObject

from golem.interfaces import Answer, IComparing, IEscalating, ISampled, IScaled, IVerifier, Ruling, scaled
from golem.model.ids import Cid, JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import Chunk, Job, Judgement, Verdict
from golem.model.value import evolve
from golem.template import to_json
from golem.verification import (
    All,
    Distinct,
    Escalate,
    FileRedundancy,
    FirstDecisive,
    PartialRecompute,
    ProofOfWork,
    Redundancy,
    Sampled,
    Structural,
    canonical,
    exact,
    near,
    zero_bits,
)
from golem.verification.measured import examined

ACCEPT, WRONG, MALFORMED, UNSURE = Judgement.ACCEPT, Judgement.WRONG, Judgement.MALFORMED, Judgement.UNSURE
CHUNK = Chunk(index=3, label="piece 3", params=b"{}")
WORK = Job(job_id=JobId("1" * 32), task_id=TaskId(""), template="toy", program="work", params=b"{}")
SALT = b"s" * 16


def delivered(report: bytes = b"[]", result: str = "", size: int = 0) -> Delivery:
    return Delivery(subtask_id=SubtaskId("5" * 32), result=Cid(result), size_bytes=size, report=report, used_ms=1)


def judged(verifier: IVerifier, report: bytes, *reports: bytes) -> Verdict:
    return verifier.judge(CHUNK, WORK, delivered(report), reports)


class Says:
    """A verifier that says one thing, after so many jobs."""

    def __init__(self, judgement: Judgement, jobs: int = 0) -> None:
        self.verdict = Verdict(judgement=judgement, reason=judgement.value)
        self.jobs = jobs
        self.heard: list[Sequence[bytes]] = []

    def plan(self, chunk: Chunk, work: Job, delivery: Delivery, salt: bytes) -> Sequence[Job]:
        return [work] * self.jobs

    def judge(self, chunk: Chunk, work: Job, delivery: Delivery, reports: Sequence[bytes]) -> Verdict:
        self.heard.append(reports)
        return self.verdict


# comparators


def test_bytes_agree_exactly_and_a_long_difference_is_shown_in_short() -> None:
    assert exact(b"a", b"a") == ""
    assert exact(b"a" * 100, b"b") == f"bytes: {'a' * 80}… against b"


def test_json_agrees_however_it_is_written() -> None:
    assert canonical(b'{"b": 1, "a": [2]}', b'{"a":[2],"b":1}') == ""
    assert canonical(b"[1]", b"[2]") == "bytes: [1] against [2]"
    for bad in (b"{", b"[" * 5000):
        with pytest.raises(ValueError, match="no JSON"):
            canonical(bad, b"1")


def test_numbers_agree_within_tolerances_and_but_for_a_few() -> None:
    same = near(absolute=0.1, relative=0.01)
    assert same(b'{"a":[1.05,1000],"b":"x"}', b'{"a":[1.0,1009],"b":"x"}') == ""
    assert same(b'{"a":[1.2,2]}', b'{"a":[1.0,2]}') == "numbers: 1 of 2 differ, 0.0% may; at .a[0]: 1.2 against 1.0"
    assert near(spare=0.5)(b"[1,2]", b"[1,3]") == "" != near(spare=0.4)(b"[1,2]", b"[1,3]")
    assert near()(b"1", b"1") == "" and near(absolute=5)(b"true", b"1") == "shape: at the top"


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        (b'{"a":1}', b'{"b":1}', "the top"),
        (b"[1,2]", b"[1]", "the top"),
        (b'{"a":[1,"x"]}', b'{"a":[1,2]}', ".a[1]"),
        (b"null", b"false", "the top"),
        (b'{"a":"x"}', b'{"a":"y"}', ".a"),
    ],
)
def test_other_shapes_disagree_and_the_place_is_named(one: bytes, other: bytes, where: str) -> None:
    assert near(absolute=100)(one, other) == f"shape: at {where}"


# what costs nothing


class Form(msgspec.Struct):
    count: int


def test_a_form_is_kept_or_the_result_is_malformed() -> None:
    verifier = Structural(Form)
    assert verifyObject(IVerifier, verifier) and verifier.plan(CHUNK, WORK, delivered(), SALT) == ()
    assert judged(verifier, b'{"count":1}').judgement is ACCEPT
    for bad in (b"", b"{}", b'{"count":"x"}', b'{"count":NaN}', b"[" * 5000):
        assert judged(verifier, bad).judgement is MALFORMED
    some = verifier.judge(CHUNK, WORK, delivered(b'{"count":1}', "b" + "a" * 52), ())
    assert (some.judgement, some.reason) == (MALFORMED, "content: there is some, and none was wanted")


def test_content_is_there_and_not_too_large() -> None:
    verifier = Structural(Form, has_content=True, most_bytes=10)
    assert judged(verifier, b'{"count":1}').reason == "content: there is none"
    large = delivered(b'{"count":1}', "b" + "a" * 52, 11)
    assert verifier.judge(CHUNK, WORK, large, ()).reason == "content: 11 bytes, at most 10"
    assert verifier.judge(CHUNK, WORK, evolve(large, size_bytes=10), ()).judgement is ACCEPT


def test_a_proof_of_work_is_one_hash() -> None:
    nonce = next(str(n) for n in range(10**6) if zero_bits(CHUNK.params, str(n)) >= 8)
    report = to_json({"nonce": nonce})
    assert judged(ProofOfWork(8), report).judgement is ACCEPT
    harder = judged(ProofOfWork(40), report)
    assert harder.judgement is WRONG and harder.reason.endswith("40 wanted")
    assert judged(ProofOfWork(8), b"{}").judgement is MALFORMED
    assert ProofOfWork(8).plan(CHUNK, WORK, delivered(), SALT) == ()
    with pytest.raises(ValueError, match="from 1 to 256"):
        ProofOfWork(0)


# a part computed again


def narrowed(work: Job, items: Sequence[int]) -> Job:
    return evolve(work, program="again", params=to_json({"items": items}))


def squares(count: int = 10, **same: object) -> PartialRecompute:
    return PartialRecompute(lambda chunk: 10, narrowed, count, **same)  # type: ignore[arg-type]  # one keyword


SQUARES = to_json([n * n for n in range(10)])


def test_a_part_drawn_by_the_salt_is_planned_in_one_job() -> None:
    (job,) = squares(3).plan(CHUNK, WORK, delivered(SQUARES), SALT)
    items = msgspec.json.decode(job.params)["items"]
    assert job.program == "again" and len(items) == 3
    planned = {squares(3).plan(CHUNK, WORK, delivered(SQUARES), bytes([n]))[0].params for n in range(50)}
    assert len(planned) > 20 and squares(3).plan(CHUNK, WORK, delivered(SQUARES), SALT) == (job,)


def test_items_that_are_the_same_here_are_accepted_and_others_are_named() -> None:
    right = judged(squares(), SQUARES, b'{"2":4,"7":49}')
    assert (right.judgement, right.reason) == (ACCEPT, "recompute: piece 3: 2 of 10 items are the same here")
    bad = judged(squares(), SQUARES, b'{"2":4,"7":50}')
    assert (bad.judgement, bad.reason) == (WRONG, "recompute: piece 3, item 7: bytes: 49 against 50")
    assert judged(squares(same=near(absolute=1)), SQUARES, b'{"7":50}').judgement is ACCEPT


@pytest.mark.parametrize("report", [b"{", b"{}", b"[1,2]", b"5"])
def test_a_list_of_another_form_is_malformed_without_any_job(report: bytes) -> None:
    assert squares().plan(CHUNK, WORK, delivered(report), SALT) == ()
    assert judged(squares(), report).judgement is MALFORMED


@pytest.mark.parametrize("reports", [(), (b"{",), (b"{}",), (b"[]",)])
def test_a_check_that_says_nothing_is_no_reason_to_blame_anybody(reports: tuple[bytes, ...]) -> None:
    assert judged(squares(), SQUARES, *reports).judgement is UNSURE


def test_nothing_computed_again_is_no_check() -> None:
    with pytest.raises(ValueError, match="one item at least"):
        squares(0)


# several as one


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((ACCEPT, ACCEPT), ACCEPT),
        ((ACCEPT, UNSURE), UNSURE),
        ((UNSURE, WRONG), WRONG),
        ((ACCEPT, MALFORMED), MALFORMED),
    ],
)
def test_all_must_accept_and_a_fault_that_one_sees_is_a_fault(said: tuple[Judgement, ...], verdict: Judgement) -> None:
    assert judged(All(*[Says(one) for one in said]), b"").judgement is verdict


@pytest.mark.parametrize(
    ("said", "verdict"), [((UNSURE, WRONG, ACCEPT), WRONG), ((ACCEPT, WRONG), ACCEPT), ((UNSURE, UNSURE), UNSURE)]
)
def test_the_first_that_is_sure_has_the_last_word(said: tuple[Judgement, ...], verdict: Judgement) -> None:
    assert judged(FirstDecisive(*[Says(one) for one in said]), b"").judgement is verdict


def test_each_hears_the_reports_of_its_own_jobs_and_none_runs_after_the_last_word() -> None:
    one, two = Says(ACCEPT, 2), Says(ACCEPT, 1)
    both = All(one, two)
    assert len(both.plan(CHUNK, WORK, delivered(), SALT)) == 3
    judged(both, b"", b"a", b"b", b"c")
    assert (one.heard, two.heard) == ([(b"a", b"b")], [(b"c",)])
    assert All(Says(MALFORMED), Says(ACCEPT, 9)).plan(CHUNK, WORK, delivered(), SALT) == []


def test_steps_are_kept_for_whoever_asks_them_and_pass_through_sampling() -> None:
    one, two = Says(UNSURE, 1), Says(ACCEPT)
    steps = Escalate(one, two)
    assert verifyObject(IVerifier, steps) and verifyObject(IEscalating, steps)
    assert len(steps.plan(CHUNK, WORK, delivered(), SALT)) == 1 and judged(steps, b"").judgement is UNSURE
    sampled = Sampled(steps, 0.5)
    assert verifyObject(ISampled, sampled) and verifyObject(IVerifier, sampled)
    assert sampled.steps == (one, two) and sampled.least == 0.5
    assert len(sampled.plan(CHUNK, WORK, delivered(), SALT)) == 1 and judged(sampled, b"").judgement is UNSURE
    assert Sampled(one).steps == (one,) and Sampled(one).strict == 0
    strict = Sampled(steps, strict=one)
    assert strict.steps == (one, two, one) and strict.strict == 2


def test_what_makes_no_sense_is_refused_where_it_is_written() -> None:
    for make in (All, FirstDecisive, Escalate):
        with pytest.raises(ValueError, match="no verifier"):
            make()
    with pytest.raises(ValueError, match="from 0 to 1"):
        Sampled(Says(ACCEPT), 2)
    for copies, most in ((1, 3), (3, 2)):
        with pytest.raises(ValueError, match="at least 2"):
            Redundancy(copies=copies, most=most)


# several providers


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


def test_with_less_care_fewer_items_are_computed_again_and_never_none() -> None:
    again = PartialRecompute(lambda chunk: 100, lambda work, items: evolve(work, params=to_json(list(items))), 8)

    def items(verifier: IVerifier, care: float) -> list[int]:
        told = scaled(verifier, care).plan(CHUNK, WORK, delivered(to_json([0] * 100)), SALT)
        return [len(msgspec.json.decode(job.params)) for job in told]

    for verifier in (again, Distinct(again), All(Structural(list[int]), again), FirstDecisive(again)):
        assert verifyObject(IScaled, verifier)
        assert [items(verifier, care) for care in (1.0, 0.5, 0.3, 0.001)] == [[8], [4], [3], [1]]


def test_a_verifier_that_can_do_with_no_less_stays_as_it_is() -> None:
    form = Structural(list[int])
    assert scaled(form, 0.1) is form
