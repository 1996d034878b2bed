"""The check of renders whose noise no seed repeats: comparing with two of our own."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from zope.interface.verify import verifyObject

np = pytest.importorskip("numpy")

from apps.blender import template  # noqa: E402  # numpy comes with the extra `blender`
from apps.blender.exchanged import Exchanged  # noqa: E402
from apps.blender.job import swap  # noqa: E402
from apps.blender.params import decoder  # noqa: E402
from golem.interfaces import IBeside, IDistinct, IVerifier  # noqa: E402
from golem.model.ids import Cid, NodeId, SubtaskId  # noqa: E402
from golem.model.messages import Delivery  # noqa: E402
from golem.model.money import Wei  # noqa: E402
from golem.model.spec import Chunk, Job, Judgement, TaskSpec, Verdict  # noqa: E402
from golem.model.value import evolve  # noqa: E402
from golem.template import to_json  # noqa: E402

SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
DELIVERY = Delivery(subtask_id=SUBTASK, result=Cid("b" + "r" * 58), size_bytes=1, report=b"{}", used_ms=1)
AREA = (0, 0, 128, 128)


def work(resolution: str = "640x360") -> tuple[Chunk, Job]:
    params = template.parse({"resolution": resolution})
    spec = TaskSpec(template="blender", params=params, budget=Wei(0), max_price=Wei(0), output="")
    chunk = template.split(spec)[0]
    return chunk, template.job(spec, chunk, SUBTASK, PROVIDER)


def judged(report: object) -> Verdict:
    return Exchanged().judge(*work(), DELIVERY, (msgspec.json.encode(report),))


def render(seed: int, noise: float = 0.2, light: float = 1.0) -> np.ndarray:
    """A picture of skewed noise, with a firefly in every hundredth pixel."""
    chance = np.random.default_rng(seed)
    grain = chance.exponential(noise, (128, 128, 3)) - noise
    flies = (chance.random((128, 128, 1)) < 0.01) * chance.exponential(5, (128, 128, 1))
    return ((light + grain + flies) * np.linspace(0.2, 1, 128)[:, None, None]).astype(np.float32)


def found(delivered: np.ndarray, seed: int = 1) -> Verdict:
    tally = swap.Tally()
    tally.add(AREA, delivered, render(seed + 1000), render(seed + 2000))
    return judged({"ok": True, "places": 1, "tests": tally.tests, "worst": tally.worst})


def test_it_keeps_the_interface() -> None:
    assert verifyObject(IVerifier, Exchanged())


def test_a_scene_that_is_not_steady_is_compared_and_others_are_not() -> None:
    params = decoder.decode(template.parse({}))
    for steady, kind in ((True, "SeedLocked"), (False, "Exchanged")):
        spec = TaskSpec(
            template="blender",
            params=to_json(msgspec.structs.replace(params, steady=steady)),
            budget=Wei(0),
            max_price=Wei(0),
            output="",
        )
        assert type(template.verifier(spec)).__name__ == kind


def test_places_and_seeds_come_from_chance_and_cost_two_percent() -> None:
    chunk, job = work("1920x1080")
    one, same, other = (Exchanged().plan(chunk, job, DELIVERY, salt)[0] for salt in (b"a", b"a", b"b"))
    assert one == same != other
    params = msgspec.json.decode(one.params)
    assert one.program == "exchange" and len(set(params["seeds"])) == 2
    assert 2 * sum(w * h for _, _, w, h in params["places"]) <= 0.021 * 1920 * 1080


def test_honest_renders_are_accepted_whatever_their_noise_is_like() -> None:
    assert all(found(render(seed), seed).judgement is Judgement.ACCEPT for seed in range(60))


@pytest.mark.parametrize(
    "delivered",
    [
        render(1, noise=0.3),
        render(1, noise=0.1),
        render(1, light=1.05),
        np.roll(render(1), 40, axis=0),
        np.zeros((128, 128, 3), np.float32),
        np.full((128, 128, 3), 3e38, np.float32),
    ],
    ids=["noisier", "cleaner", "brighter", "shifted", "blank", "huge"],
)
def test_what_is_no_such_render_is_wrong(delivered: np.ndarray) -> None:
    verdict = found(delivered)
    assert verdict.judgement is Judgement.WRONG
    assert "frame 1" in verdict.reason and "allowed" in verdict.reason


def test_one_place_that_is_something_else_is_named() -> None:
    tests = {"noise": {"units": 1000, "nats": {"+0.1": 0.5}}}
    worst = {"x": 8, "y": 4, "pixels": 1024, "test": "blocks", "nats": {"+0.1": 1.0, "+1": 20.0}}
    verdict = judged({"ok": True, "places": 8, "tests": tests, "worst": worst})
    assert verdict.judgement is Judgement.WRONG
    assert verdict.reason.startswith("exchange, place: frame 1, 1024 pixels at 8,4: blocks, evidence ")


def weighed(delivered: np.ndarray, before: Mapping[str, float], seed: int) -> tuple[Verdict, Mapping[str, float]]:
    tally = swap.Tally()
    tally.add(AREA, delivered, render(seed + 1000), render(seed + 2000))
    report = msgspec.json.encode({"ok": True, "places": 1, "tests": tally.tests, "worst": tally.worst})
    return Exchanged().weigh(*work(), DELIVERY, (report,), before)


def test_evidence_against_an_honest_render_is_one_in_the_mean() -> None:
    chance, nats = np.random.default_rng(3), []
    for _ in range(400):
        tally = swap.Tally()
        tally.add(AREA, *(chance.exponential(1.0, (8, 8, 3)).astype(np.float32) for _ in range(3)))
        nats.append([*tally.tests["noise"]["nats"].values()])
    found = np.exp(np.array(nats)[:, [0, 1, 2, 3]]).mean(axis=0)
    assert np.all((found > 0.7) & (found < 1.3)), found


def test_a_little_too_much_noise_is_caught_by_the_sum_over_results_and_honest_ones_are_not() -> None:
    caught, sums, honest = [], dict[str, float](), dict[str, float]()
    for seed in range(12):
        verdict, sums = weighed(render(seed, noise=0.203), sums, seed)
        caught.append(verdict)
        verdict, honest = weighed(render(seed), honest, seed)
        assert verdict.judgement is Judgement.ACCEPT
        if caught[-1].judgement is Judgement.WRONG:
            break
    assert found(render(0, noise=0.203), 0).judgement is Judgement.ACCEPT, "one result alone does not tell"
    assert caught[-1].judgement is Judgement.WRONG
    assert caught[-1].reason.startswith("exchange, summed, noise +")
    assert "frame 1 and results before it: evidence" in caught[-1].reason


def test_what_is_no_picture_adds_nothing_to_the_sum() -> None:
    before = {"noise +0.1": 3.0}
    verdict, after = Exchanged().weigh(*work(), DELIVERY, (b'{"ok":false,"why":"too small"}',), before)
    assert (verdict.judgement, after) == (Judgement.MALFORMED, before)


def test_differences_that_rounding_makes_say_nothing() -> None:
    tally, flat = swap.Tally(), np.full((128, 128, 3), 0.7, np.float32)
    tally.add(AREA, np.nextafter(flat, np.float32(1)), flat, flat)
    assert {name: test["units"] for name, test in tally.tests.items()} == dict.fromkeys(tally.tests, 0)


def likeness(delivered: np.ndarray, elsewhere: np.ndarray) -> Verdict:
    """Of a result, where that other one was accepted before."""
    tally = swap.Tally()
    tally.add(AREA, delivered, render(1001), render(2001), [render(900), elsewhere])
    return judged({"ok": True, "places": 1, "tests": tally.tests, "worst": tally.worst})


def test_a_result_made_out_of_another_is_not_taken_however_it_is_altered() -> None:
    first = render(1)
    flicker = np.random.default_rng(5).normal(0, 0.005, first.shape).astype(np.float32)
    for copy in (first, np.nextafter(first, np.float32(9)), first * np.float32(1.001), first + flicker):
        verdict = likeness(copy, first)
        assert verdict.judgement is Judgement.UNSURE
        assert verdict.reason.startswith("copy: frame 1: noise like that of another result, evidence ")


def test_a_copy_that_is_altered_so_much_that_it_hides_is_too_noisy() -> None:
    first = render(1)
    flicker = np.random.default_rng(5).normal(0, 0.2, first.shape).astype(np.float32)
    assert likeness(first + flicker, first).judgement is Judgement.WRONG


def test_too_few_samples_are_not_taken_for_a_copy() -> None:
    tally = swap.Tally()
    tally.add(AREA, render(1, noise=0.3), render(1001), render(2001), [render(900)])
    assert judged({"ok": True, "places": 1, "tests": tally.tests}).judgement is Judgement.WRONG


def test_honest_results_of_other_seeds_are_like_no_other() -> None:
    assert all(likeness(render(seed), render(seed + 500)).judgement is Judgement.ACCEPT for seed in range(60))


def test_likeness_adds_nothing_to_the_sum_over_results() -> None:
    tally = swap.Tally()
    tally.add(AREA, render(1), render(1001), render(2001), [render(7)])
    report = msgspec.json.encode({"ok": True, "places": 1, "tests": tally.tests, "worst": tally.worst})
    assert not any("copy" in name for name in Exchanged().weigh(*work(), DELIVERY, (report,), {})[1])


def test_a_result_is_compared_with_the_nearest_frames_and_with_some_of_its_providers_own() -> None:
    def made(index: int) -> Delivery:
        return evolve(DELIVERY, result=Cid(f"b{'a' * 56}{'abcdefghijklmnopqrstuvwxyz'[index]}c"))

    assert verifyObject(IBeside, Exchanged())
    chunk, job = work()
    taken = {index: made(index) for index in (1, 2, 4, 6, 9, 20)}
    chunk = evolve(chunk, index=8)
    (check,) = Exchanged(tiles=2).beside(chunk, {20: made(20), 9: made(9)}, taken, b"").plan(chunk, job, DELIVERY, b"")
    others = [one.cid for one in check.inputs if one.name.startswith("other")]
    assert others == [made(index).result for index in (6, 4, 20)], "tiles of other places are not"
    assert msgspec.json.decode(check.params)["others"] == 3


def test_with_less_care_fewer_crops_are_rendered() -> None:
    assert [Exchanged().scaled(care).places(1920 * 1080) for care in (1.0, 0.5, 0.1)] == [(8, 48), (4, 48), (2, 48)]


def test_places_smaller_than_a_block_say_nothing() -> None:
    tally = swap.Tally()
    tally.add((0, 0, 3, 9), *(np.ones((9, 3, 3), np.float32) * n for n in range(3)))
    assert judged({"ok": True, "tests": tally.tests, "worst": tally.worst}).judgement is Judgement.ACCEPT


@pytest.mark.parametrize("report", [b"", b"{}", b'{"ok":true,"tests":{"noise":{"units":"x"}}}'])
def test_a_report_that_makes_no_sense_is_held_against_nobody(report: bytes) -> None:
    assert Exchanged().judge(*work(), DELIVERY, (report,)).judgement is Judgement.UNSURE


def test_files_that_are_no_picture_and_none_at_all_are_malformed() -> None:
    assert judged({"ok": False, "why": "too small"}).reason == "file: too small"
    nothing = evolve(DELIVERY, result=Cid(""))
    assert Exchanged().plan(*work(), nothing, b"") == ()
    assert Exchanged().judge(*work(), nothing, ()).judgement is Judgement.MALFORMED


def test_where_there_is_noise_no_two_results_are_the_same_and_else_they_may_be() -> None:
    assert verifyObject(IDistinct, Exchanged())
    for flat in (True, False):
        tally = swap.Tally()
        tally.add(AREA, *(np.ones((128, 128, 3), np.float32) if flat else render(seed) for seed in (1, 2, 3)))
        report = msgspec.json.encode({"ok": True, "tests": tally.tests, "worst": tally.worst})
        assert Exchanged().are_distinct(*work(), DELIVERY, (report,)) is not flat
