"""The LuxCore template without LuxCore: cutting a task, growing it, planning checks, judging what they found."""

from __future__ import annotations

import msgspec
import pytest
from zope.interface.verify import verifyObject

from apps.luxrender import template
from golem.errors import BadParameters
from golem.interfaces import IGrowing, IPreparing, IShowing, ITaskTemplate, IVerifier, scaled
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import MAX_PARAMS_BYTES, Input, Judgement, Limits, Outcome, Status, TaskSpec, Verdict

ALICE, BOB = NodeId("02" + "a" * 64), NodeId("03" + "b" * 64)
SUBTASK, OTHER = SubtaskId("5" * 32), SubtaskId("6" * 32)
SCENE = Input(name="scene", cid=Cid("b" + "s" * 58), size_bytes=1000)
FILM = Input(name="film", cid=Cid("b" + "f" * 58), size_bytes=1000)
RESULT = Cid("b" + "r" * 58)
LOOK = {"size": [64, 48], "samples": 100, "ns": [400, 800], "loading_ms": 50}


def spec(*inputs: Input, **params: str) -> TaskSpec:
    return TaskSpec(
        template="luxrender",
        params=template.parse(params),
        budget=Wei(0),
        max_price=Wei(0),
        output="",
        inputs=inputs or (SCENE,),
        limits=Limits(cores=2),
    )


def outcome(report: object) -> Outcome:
    return Outcome(status=Status.DONE, report=msgspec.json.encode(report))


def looked_at(*inputs: Input, **params: str) -> TaskSpec:
    return template.prepared(spec(*inputs, **params), outcome(LOOK))


def delivered(result: Cid = RESULT) -> Delivery:
    return Delivery(subtask_id=SUBTASK, result=result, size_bytes=77, report=b"{}", used_ms=1)


def judged(report: object, result: Cid = RESULT) -> Verdict:
    task = spec()
    chunk = template.split(task)[0]
    work = template.job(task, chunk, SUBTASK, ALICE)
    data = report if isinstance(report, bytes) else msgspec.json.encode(report)
    return template.verifier(task).judge(chunk, work, delivered(result), (data,))


def finding(median: float = 0.0, bad: float = 0.0, informative: int = 500) -> dict[str, object]:
    crops = [{"x": 10, "y": 20, "pixels": 256, "bad": share} for share in (0.0, bad, 0.0)]
    return {"ok": True, "informative": informative, "median": median, "crops": crops}


def test_it_keeps_the_interfaces() -> None:
    assert all(verifyObject(port, template) for port in (ITaskTemplate, IPreparing, IGrowing, IShowing))
    assert verifyObject(IVerifier, template.verifier(spec()))


def test_slices_and_tiles_become_chunks_in_order() -> None:
    chunks = template.split(spec(slices="2", tiles="2x1", resolution="101x67", samples="32"))
    assert [chunk.label for chunk in chunks] == [f"slice {s} tile {t}/2" for s in (1, 2) for t in (1, 2)]
    params = msgspec.json.decode(chunks[3].params)
    assert (params["tile"], params["size"], params["root"]) == ([50, 0, 51, 67], [101, 67], 4)


def test_what_the_user_leaves_to_the_scene_is_the_scenes() -> None:
    params = msgspec.json.decode(template.split(looked_at())[0].params)
    assert (params["size"], params["root"]) == ([64, 48], 10), "all 100 samples of a pixel are one slice"


@pytest.mark.parametrize(("samples", "slices", "root"), [(1, 1, 1), (64, 4, 4), (65, 4, 5), (64, 1, 8), (3, 4, 1)])
def test_slices_take_together_at_least_the_samples_that_are_wanted(samples: int, slices: int, root: int) -> None:
    params = msgspec.json.decode(template.split(spec(samples=f"{samples}", slices=f"{slices}"))[0].params)
    assert params["root"] == root and root**2 * slices >= samples


def test_a_seed_differs_between_attempts_and_providers() -> None:
    task = spec()
    chunk = template.split(task)[0]
    jobs = [template.job(task, chunk, s, p) for s in (SUBTASK, OTHER) for p in (ALICE, BOB)]
    assert len({msgspec.json.decode(job.params)["seed"] for job in jobs}) == 4
    assert jobs[0] == template.job(task, chunk, SUBTASK, ALICE)


def test_a_job_sees_the_scene_and_not_the_film_that_is_gone_on_with() -> None:
    task = looked_at(SCENE, FILM)
    chunk = template.split(task)[0]
    job = template.job(task, chunk, SUBTASK, ALICE)
    assert (job.program, job.inputs, job.warm) == ("render", (SCENE,), True)
    (merge,) = template.merges(task)
    sum_job = template.merge(task, merge, {index: delivered() for index in merge.chunks})
    assert [one.name for one in sum_job.inputs] == ["film", "t0"]


def test_a_picture_that_is_too_noisy_gets_the_slices_that_it_needs_and_keeps_those_it_has() -> None:
    task = looked_at(noise="2", samples="1024")
    (merge,) = template.merges(task)
    assert len(merge.chunks) == 4
    grown = template.grown(task, merge, outcome({"noise": 2.6, "samples": 256}))
    assert len(template.split(grown)) == 7
    assert list(template.split(grown))[:4] == list(template.split(task))
    assert template.grown(grown, merge, outcome({"noise": 1.9, "samples": 448})) == grown


def test_rounds_end_with_the_samples_that_are_allowed() -> None:
    task, rounds = looked_at(noise="0.1", samples="1024"), []
    while not rounds or template.grown(task, template.merges(task)[0], outcome({"noise": 9, "samples": 1})) != task:
        task = template.grown(task, template.merges(task)[0], outcome({"noise": 9, "samples": 1}))
        rounds.append(len(template.split(task)))
    assert rounds == [8, 16]


def test_the_largest_film_fits_the_parameters_and_the_inputs_of_its_merge() -> None:
    task = spec(tiles="16x16", slices="15", resolution="5792x5792")
    (merge,) = template.merges(task)
    deliveries = {index: delivered() for index in merge.chunks}
    job = template.merge(task, merge, deliveries)
    assert len(job.params) < MAX_PARAMS_BYTES and len(job.inputs) <= 4000
    shown = template.preview(task, template.split(task)[0], deliveries)
    assert shown is not None and len(shown.inputs) == 512


def test_a_check_reads_the_result_and_looks_where_the_salt_says() -> None:
    task = spec(resolution="640x360", tiles="2x1")
    chunk = template.split(task)[0]
    work = template.job(task, chunk, SUBTASK, ALICE)
    plans = [template.verifier(task).plan(chunk, work, delivered(), salt)[0] for salt in (b"a", b"a", b"b")]
    assert plans[0].params == plans[1].params != plans[2].params
    assert plans[0].inputs == (SCENE, Input(name="result", cid=RESULT, size_bytes=77))
    params = msgspec.json.decode(plans[0].params)
    assert {key: params[key] for key in params if key != "crops"} == msgspec.json.decode(work.params)
    assert all(0 <= x < x + w <= 320 and 0 <= y < y + h <= 360 for x, y, w, h in params["crops"])
    assert template.verifier(task).plan(chunk, work, delivered(Cid("")), b"") == ()


@pytest.mark.parametrize(
    ("report", "judgement", "said"),
    [
        (finding(), Judgement.ACCEPT, "0.0e+00 over 500 pixels of 3 crops"),
        (finding(median=9e-4), Judgement.WRONG, "at most 1e-04 allowed"),
        (finding(median=9e-4, informative=31), Judgement.ACCEPT, ""),
        (finding(bad=0.51), Judgement.WRONG, "slice 1, 256 pixels at 10,20: 51%"),
        ({"ok": False, "why": "too short"}, Judgement.MALFORMED, "file: too short"),
        (b"{}", Judgement.UNSURE, "our own check"),
        (b"[" * 4096, Judgement.UNSURE, "our own check"),
    ],
)
def test_a_verdict_names_metric_value_and_limit(report: object, judgement: Judgement, said: str) -> None:
    verdict = judged(report)
    assert verdict.judgement is judgement and said in verdict.reason


def test_with_less_care_fewer_crops_are_rendered() -> None:
    task = spec(resolution="640x360", tiles="2x1")
    chunk = template.split(task)[0]
    work = template.job(task, chunk, SUBTASK, ALICE)

    def count(care: float) -> int:
        (check,) = scaled(template.verifier(task), care).plan(chunk, work, delivered(), b"salt")
        return len(msgspec.json.decode(check.params)["crops"])

    assert count(1.0) >= count(0.75) >= count(0.01) == 4


def test_a_delivery_without_a_film_is_malformed() -> None:
    assert judged(finding(), Cid("")).judgement is Judgement.MALFORMED


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"samples": "0", "noise": "x"}, "samples: .*; noise: "),
        ({"tiles": "17x16"}, "tiles: 17x16 is more than 256"),
        ({"tiles": "9x1", "resolution": "8x8"}, "tiles: 9x1 of them do not fit 8x8 pixels"),
        ({"resolution": "16384x16384"}, "resolution: 16384x16384 is more than"),
        ({"slices": "1024", "tiles": "2x2"}, "slices: 1024 of 2x2 tiles are more than 4000"),
        ({"slices": "1", "noise": "2"}, "noise: is told from how slices differ"),
        ({"config": "../secret.cfg"}, "config: "),
    ],
)
def test_a_task_that_makes_no_sense_is_refused_with_the_reason(params: dict[str, str], said: str) -> None:
    with pytest.raises(BadParameters, match=said):
        template.parse(params)


@pytest.mark.parametrize("size", [(100_000, 100_000), (0, 10)])
def test_a_scene_that_asks_for_too_many_pixels_or_none_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadParameters, match="resolution: the scene's"):
        template.prepared(spec(), outcome({**LOOK, "size": size}))


def test_a_picture_that_takes_long_is_cut_into_tiles() -> None:
    slow = template.prepared(spec(), outcome({**LOOK, "size": [1920, 1080], "ns": [2000, 4000]}))
    assert 20 < len(template.split(slow)) < 48
    least, most = template.estimate(slow)
    assert 100_000 < least < most
    assert template.cost_ms(slow, template.split(slow)[0]) < 30_000


def test_a_picture_that_takes_a_while_is_cut_so_that_many_can_help_and_a_short_one_is_not() -> None:
    look = {**LOOK, "size": [1920, 1080]}
    assert 12 <= len(template.split(template.prepared(spec(), outcome({**look, "ns": [400, 600]})))) <= 16
    assert len(template.split(template.prepared(spec(), outcome({**look, "ns": [5, 15]})))) == 1
    chosen = template.prepared(spec(chunk="30"), outcome({**look, "ns": [400, 600]}))
    assert 20_000 < template.cost_ms(chosen, template.split(chosen)[0]) < 40_000
    noisy = template.prepared(spec(noise="2"), outcome({**look, "ns": [4_000, 6_000]}))
    assert len({chunk.label.split(" ")[1] for chunk in template.split(noisy)}) == 4, "it is cut by samples, too"
