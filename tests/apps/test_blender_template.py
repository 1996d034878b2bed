"""The Blender template without Blender: cutting a task, planning checks, judging what they found."""

from __future__ import annotations

import msgspec
import pytest
from zope.interface.verify import verifyObject

from apps.blender import template
from apps.blender.verify import SeedLocked
from golem.errors import BadParameters
from golem.interfaces import IComparing, IScaled, ITaskTemplate, IVerifier
from golem.model.ids import Cid, NodeId, SubtaskId, check_id
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import MAX_PARAMS_BYTES, Chunk, Input, Job, Judgement, Limits, Outcome, Status, TaskSpec, Verdict
from golem.model.value import evolve
from golem.template import to_json

ALICE, BOB = NodeId("02" + "a" * 64), NodeId("03" + "b" * 64)
SUBTASK, OTHER = SubtaskId("5" * 32), SubtaskId("6" * 32)
SCENE = Input(name="scene", cid=Cid("b" + "s" * 58), size_bytes=1000)
RESULT = Cid("b" + "r" * 58)


def spec(**params: str) -> TaskSpec:
    return TaskSpec(
        template="blender",
        params=template.parse(params),
        budget=Wei(0),
        max_price=Wei(0),
        output="",
        inputs=(SCENE,),
        limits=Limits(cores=2),
    )


def only(task: TaskSpec) -> tuple[Chunk, Job]:
    chunk = template.split(task)[0]
    return chunk, template.job(task, chunk, SUBTASK, ALICE)


def delivered(result: Cid = RESULT) -> Delivery:
    return Delivery(subtask_id=SUBTASK, result=result, size_bytes=77, report=b"{}", used_ms=1)


def judged(report: object, result: Cid = RESULT) -> Verdict:
    task = spec()
    chunk, work = only(task)
    data = report if isinstance(report, bytes) else msgspec.json.encode(report)
    return template.verifier(task).judge(chunk, work, delivered(result), (data,))


def finding(median: float = 0.0, bad: float = 0.0, informative: int = 500, share: float = 0.5) -> dict[str, object]:
    crops = [{"x": 10, "y": 20, "pixels": 256, "bad": share} for share in (0.0, bad, 0.0)]
    looked = {"places": 6, "pixels": 96, "changed": 40}
    return {"ok": True, **looked, "informative": informative, "median": median, "share": share, "crops": crops}


def test_it_keeps_the_interfaces() -> None:
    assert verifyObject(ITaskTemplate, template)
    assert verifyObject(IVerifier, template.verifier(spec()))


def test_frames_and_tiles_become_chunks_in_order() -> None:
    chunks = template.split(spec(frames="3;7", tiles="2x2", resolution="101x67"))
    assert [chunk.label for chunk in chunks] == [f"frame {f} tile {t}/4" for f in (3, 7) for t in (1, 2, 3, 4)]
    params = msgspec.json.decode(chunks[5].params)
    assert (params["frame"], params["tile"], params["size"]) == (7, [50, 0, 51, 33], [101, 67])
    assert [chunk.label for chunk in template.split(spec(frames="3"))] == ["frame 3"]


def test_every_frame_is_merged_from_its_own_chunks() -> None:
    task = spec(frames="3;7", tiles="3")
    merges = template.merges(task)
    assert [(merge.name, merge.chunks) for merge in merges] == [("frame_0003", (0, 1, 2)), ("frame_0007", (3, 4, 5))]
    job = template.merge(task, merges[1], {index: delivered() for index in merges[1].chunks})
    assert [one.name for one in job.inputs] == ["scene", "t0", "t1", "t2"]
    assert msgspec.json.decode(job.params)["frame"] == 7


def test_the_largest_frame_fits_the_parameters_of_its_merge() -> None:
    task = spec(tiles="16x16", resolution="8191x8191")
    (merge,) = template.merges(task)
    job = template.merge(task, merge, {index: delivered() for index in merge.chunks})
    assert len(job.params) < MAX_PARAMS_BYTES / 2


def test_a_bound_seed_differs_between_attempts_and_providers_and_fits_blender() -> None:
    task = spec()
    chunk = template.split(task)[0]
    jobs = [template.job(task, chunk, s, p) for s in (SUBTASK, OTHER) for p in (ALICE, BOB)]
    seeds = [msgspec.json.decode(job.params)["seed"] for job in jobs]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert jobs[0] == template.job(task, chunk, SUBTASK, ALICE)


def test_copies_are_rendered_under_one_seed_and_compared_unless_no_seed_repeats_its_noise() -> None:
    task = spec(check="copies")
    chunk = template.split(task)[0]
    jobs = [template.job(task, chunk, SUBTASK, node) for node in (ALICE, BOB)]
    assert jobs[0] == jobs[1] and msgspec.json.decode(jobs[0].params)["seed"] is None
    assert IComparing.providedBy(template.verifier(task))
    unsteady = evolve(task, params=to_json({**msgspec.json.decode(task.params), "steady": False}))
    assert not IComparing.providedBy(template.verifier(unsteady))


def test_a_fixed_seed_is_the_scenes_own() -> None:
    assert msgspec.json.decode(only(spec(seed="fixed"))[1].params)["seed"] is None


def test_a_job_sees_the_scene_and_nothing_else_and_uses_the_cores_it_was_given() -> None:
    _, job = only(spec())
    assert (job.program, job.inputs, job.job_id, job.warm) == ("render", (SCENE,), SUBTASK, True)
    assert msgspec.json.decode(job.params)["cores"] == 2


def test_a_check_reads_the_result_and_knows_what_the_provider_was_told() -> None:
    task = spec(resolution="640x360", tiles="2x1", samples="7")
    chunk, work = only(task)
    (check,) = template.verifier(task).plan(chunk, work, delivered(), b"salt")
    params = msgspec.json.decode(check.params)
    assert (check.program, check.job_id, check.limits) == ("check", check_id(SUBTASK, 0), work.limits)
    assert check.inputs == (SCENE, Input(name="result", cid=RESULT, size_bytes=77))
    assert {key: params[key] for key in params if key not in ("places", "draws")} == msgspec.json.decode(work.params)
    assert len(params["places"]) >= 3 and len(params["draws"]) >= 1
    assert all(0 <= x < x + w <= 320 and 0 <= y < y + h <= 360 for x, y, w, h in params["places"])
    assert all(0 <= draw < 1 for draw in params["draws"])


@pytest.mark.parametrize(
    ("pixels", "samples", "count", "side"),
    [(1920 * 1080, 64, 48, 14), (480 * 270, 32, 40, 4), (160 * 90, 8, 4, 4), (64 * 64, 4096, 4, 4)],
)
def test_a_check_looks_at_half_a_percent_of_a_tile_that_is_large_enough(
    pixels: int, samples: int, count: int, side: int
) -> None:
    assert SeedLocked(ns=6000).places(pixels, samples) == (count, side)
    assert count * side**2 <= max(pixels * 0.005, 64)


@pytest.mark.parametrize(("pixels", "count", "side"), [(1920 * 1080, 48, 12), (480 * 320, 21, 4), (160 * 90, 4, 4)])
def test_rings_round_places_are_part_of_the_area(pixels: int, count: int, side: int) -> None:
    assert SeedLocked(ns=6000, ring=1).places(pixels, 64) == (count, side)
    assert count * (side + 2) ** 2 <= max(pixels * 0.005, 144)


def test_a_tile_that_is_quickly_done_is_seen_at_few_places() -> None:
    assert SeedLocked(ns=6000).places(1920 * 1080, 1) == (29, 16)


@pytest.mark.parametrize(("care", "count"), [(1.0, 48), (0.5, 24), (0.1, 5), (0.01, 4)])
def test_with_less_care_fewer_places_of_the_same_size_are_seen(care: float, count: int) -> None:
    assert verifyObject(IScaled, SeedLocked(ns=6000))
    assert SeedLocked(ns=6000).scaled(care).places(1920 * 1080, 64) == (count, 14)


def test_where_a_check_looks_depends_on_the_salt() -> None:
    task = spec()
    chunk, work = only(task)
    plans = [template.verifier(task).plan(chunk, work, delivered(), salt)[0].params for salt in (b"a", b"a", b"b")]
    assert plans[0] == plans[1] != plans[2]


def test_a_delivery_without_a_picture_is_malformed_and_costs_no_check() -> None:
    task = spec()
    chunk, work = only(task)
    assert template.verifier(task).plan(chunk, work, delivered(Cid("")), b"") == ()
    assert template.verifier(task).judge(chunk, work, delivered(Cid("")), ()).judgement is Judgement.MALFORMED


def test_honest_differences_between_processors_are_accepted() -> None:
    verdict = judged(finding(median=3e-6, bad=0.23, share=0.001))
    assert verdict.judgement is Judgement.ACCEPT
    assert "3.0e-06 over 500 pixels of 3 crops" in verdict.reason


def test_noise_that_is_not_the_seeds_is_wrong_and_the_reason_names_value_and_limit() -> None:
    verdict = judged(finding(median=9e-4))
    assert verdict.judgement is Judgement.WRONG
    assert "9.0e-04 over 500 pixels" in verdict.reason and "1e-04 or 4% allowed" in verdict.reason


def test_paths_that_part_on_another_processor_are_no_offence() -> None:
    assert judged(finding(median=7e-3, bad=0.09, share=0.027)).judgement is Judgement.ACCEPT


def test_one_crop_that_is_something_else_is_wrong_and_the_reason_names_the_place() -> None:
    verdict = judged(finding(bad=0.51))
    assert verdict.judgement is Judgement.WRONG
    assert "frame 1, 256 pixels at 10,20: 51%" in verdict.reason


def test_a_median_over_too_few_pixels_says_nothing() -> None:
    assert judged(finding(median=9e-4, informative=31)).judgement is Judgement.ACCEPT


def test_a_file_that_is_no_picture_is_malformed_and_the_reason_says_why() -> None:
    verdict = judged({"ok": False, "why": "320x180 pixels, not 640x360"})
    assert (verdict.judgement, verdict.reason) == (Judgement.MALFORMED, "file: 320x180 pixels, not 640x360")


@pytest.mark.parametrize("report", [b"", b"{}", b'{"ok":1}', b'{"ok":true,"median":"x"}', b"[" * 4096])
def test_a_report_of_our_own_that_makes_no_sense_is_held_against_nobody(report: bytes) -> None:
    assert judged(report).judgement is Judgement.UNSURE


def test_no_report_is_held_against_nobody() -> None:
    task = spec()
    chunk, work = only(task)
    assert template.verifier(task).judge(chunk, work, delivered(), ()).judgement is Judgement.UNSURE


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"frames": "4-1", "samples": "0"}, "frames: .*; samples: "),
        ({"tiles": "17x16"}, "tiles: 17x16 is more than 256"),
        ({"tiles": "9x1", "resolution": "8x8"}, "tiles: 9x1 of them do not fit 8x8 pixels"),
        ({"resolution": "16384x16384"}, "resolution: 16384x16384 is more than"),
        ({"frames": "1-50000", "tiles": "2x2"}, "more than 100000 pieces"),
        ({"scene": "../secret.blend"}, "scene: "),
    ],
)
def test_a_task_that_makes_no_sense_is_refused_with_the_reason(params: dict[str, str], said: str) -> None:
    with pytest.raises(BadParameters, match=said):
        template.parse(params)


def test_the_estimate_grows_with_the_work_and_shrinks_with_the_cores() -> None:
    few, many = (template.cost_ms(task, template.split(task)[0]) for task in (spec(), spec(samples="64")))
    assert 500 < few < many < 2 * few


@pytest.mark.parametrize(("chunk", "least", "most"), [("auto", 12, 16), ("60", 1, 1), ("5", 10, 14), ("0.5", 90, 128)])
def test_tiles_take_about_the_seconds_that_were_wanted(chunk: str, least: int, most: int) -> None:
    look = {
        "frames": [1, 1, 1, 1],
        "size": [1920, 1080],
        "samples": 10,
        "fps": 24.0,
        "composites": False,
        "denoises": False,
        "is_multilayer": False,
        "ns": [2_000, 4_000],
        "loading_ms": 100,
    }
    found = template.prepared(spec(chunk=chunk), Outcome(status=Status.DONE, report=to_json(look)))
    assert least <= len(template.split(found)) <= most  # of a frame of 62 s
