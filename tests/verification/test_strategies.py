"""Strategies as values: literals in, verdicts out."""

from __future__ import annotations

import msgspec
import pytest
from zope.interface.verify import verifyObject

from golem.interfaces import IEscalating, ISampled, IScaled, IVerifier, scaled
from golem.model.spec import Judgement
from golem.model.value import evolve
from golem.template import to_json
from golem.verification import (
    All,
    Distinct,
    Escalate,
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


# less care


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
