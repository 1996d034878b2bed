"""The Blender programs for real, at postage-stamp size, in a process of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

np = pytest.importorskip("numpy")

from apps.blender import template  # noqa: E402  # numpy comes with the extra `blender`
from apps.blender.job import picture  # noqa: E402
from golem.model.spec import Judgement  # noqa: E402
from golem.model.value import evolve  # noqa: E402
from tests.apps.blender_stage import HEIGHT, SCENES, WIDTH, Stage, pixels  # noqa: E402

pytestmark = [pytest.mark.blender, pytest.mark.timeout(60)]


@pytest.fixture(params=["lake.blend", "marbles.blend"])
def scene(request: pytest.FixtureRequest) -> Path:
    """Each scene in turn."""
    return SCENES / str(request.param)


ODD_SCENES = """
import bpy, sys, pathlib
folder, canary = map(pathlib.Path, sys.argv[1:])
def begin(engine="CYCLES", camera=True):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine, scene.world = engine, bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    if camera:
        scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.collection.objects.link(scene.camera)
    return scene
def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / name))
begin(engine="BLENDER_EEVEE_NEXT"); save("eevee.blend")
begin(camera=False); save("blind.blend")
bpy.ops.wm.open_mainfile(filepath=str(canary.parent / "marbles"))
cycles = bpy.context.scene.cycles
cycles.use_adaptive_sampling, cycles.adaptive_threshold, cycles.adaptive_min_samples = True, 0.05, 1
save("adaptive.blend")
scene = begin()
code = f"import pathlib; pathlib.Path({str(canary)!r}).touch()"
text = bpy.data.texts.new("startup.py"); text.write(code); text.use_module = True
for expression in (f"__import__('pathlib').Path({str(canary)!r}).touch() or 1", "frame / 3"):
    thing = bpy.data.objects.new("Thing", None); scene.collection.objects.link(thing)
    thing.driver_add("location", 0).driver.expression = expression
save("scripted.blend")
scene = begin()
(folder / "textured").mkdir()
for frame, colour in ((1, (0.9, 0.1, 0.2, 1)), (2, (0.1, 0.9, 0.2, 1))):
    image = bpy.data.images.new("Sky", 8, 4); image.generated_color = colour
    image.filepath_raw, image.file_format = str(folder / "textured" / f"sky{frame}.png"), "PNG"
    image.save()
tree = scene.world.node_tree; node = tree.nodes.new("ShaderNodeTexEnvironment")
node.image = bpy.data.images.load(str(folder / "textured" / "sky1.png")); node.image.source = "SEQUENCE"
node.image_user.frame_duration, node.image_user.use_auto_refresh = 2, True
tree.links.new(node.outputs["Color"], tree.nodes["Background"].inputs["Color"])
save("textured/scene.blend"); bpy.ops.file.make_paths_relative(); save("textured/scene.blend")
"""


class Odd(NamedTuple):
    """A folder of scenes that are not as they should be. `canary`: a file that no scene may make."""

    folder: Path
    canary: Path


@pytest.fixture(scope="module")
def odd(start: object, tmp_path_factory: pytest.TempPathFactory) -> Odd:
    """Scenes made by Blender itself."""
    folder = tmp_path_factory.mktemp("odd")
    canary = folder / "canary"
    (folder / "marbles").symlink_to(SCENES / "marbles.blend")
    subprocess.run([sys.executable, "-c", ODD_SCENES, folder, canary], check=True, capture_output=True, timeout=60)
    canary.unlink(missing_ok=True)
    return Odd(folder, canary)


def test_an_honest_tile_is_accepted_wherever_the_check_looks(worker: Any, tmp_path: Path, scene: Path) -> None:
    stage = Stage(worker, tmp_path, scene)
    delivered = stage.render()
    for salt in (b"a", b"b", b"c"):
        verdict = stage.verdict(delivered, salt=salt)
        assert verdict.judgement is Judgement.ACCEPT
        assert re.fullmatch(r"noise: frame 1: 0 of \d+ pixels at \d places differ", verdict.reason)
        assert not list((tmp_path / "scratch").iterdir())


def test_the_look_says_whether_a_scene_samples_adaptively(worker: Any, tmp_path: Path, odd: Odd) -> None:
    for number, (path, is_adaptive) in enumerate(
        ((odd.folder / "adaptive.blend", True), (SCENES / "marbles.blend", False))
    ):
        stage = Stage(worker, tmp_path / f"{number}", path)
        look = msgspec.json.decode(template.prepare(stage.spec).params)
        report = worker.run("look", look, stage.folder / "in", tmp_path / "look")
        assert report["adaptive"] is is_adaptive


def test_an_honest_tile_that_is_sampled_adaptively_is_accepted_without_a_closer_look(
    worker: Any, tmp_path: Path, odd: Odd
) -> None:
    stage = Stage(worker, tmp_path, odd.folder / "adaptive.blend", samples="64", tiles="2x1")
    delivered = stage.render()
    verdicts = [stage.verdict(delivered, salt=b"%d" % number) for number in range(8)]
    assert all(verdict.judgement is Judgement.ACCEPT for verdict in verdicts)
    assert not any("looked closer" in verdict.reason for verdict in verdicts)


@pytest.mark.parametrize("changes", [{"samples": 15}, {"samples": 12}, {"samples": 1}, {"seed": 7}])
def test_fewer_samples_and_another_seed_are_wrong(
    worker: Any, tmp_path: Path, scene: Path, changes: dict[str, object]
) -> None:
    stage = Stage(worker, tmp_path, scene)
    delivered = stage.render(**changes)
    for salt in (b"a", b"b", b"c"):
        assert stage.verdict(delivered, salt=salt).judgement is Judgement.WRONG


def test_another_frame_and_a_blank_picture_are_wrong(worker: Any, tmp_path: Path, scene: Path) -> None:
    stage = Stage(worker, tmp_path, scene)
    assert stage.verdict(stage.render(frame=20)).judgement is Judgement.WRONG
    blank = tmp_path / "blank"
    blank.mkdir()
    picture.write(blank / "tile.exr", np.zeros((HEIGHT, WIDTH, 4), np.float32))
    assert stage.verdict(blank).judgement is Judgement.WRONG


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e-3])
def test_one_value_that_no_render_has_is_malformed_and_named(worker: Any, tmp_path: Path, value: float) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend", samples="1")
    tile = pixels(stage.render())
    tile[20, 7, 1] = value
    broken = tmp_path / "broken"
    broken.mkdir()
    picture.write(broken / "tile.exr", tile)
    verdict = stage.verdict(broken)
    assert verdict.judgement is Judgement.MALFORMED
    assert f"the value {value:g} at 7,20, where the scene has 0." in verdict.reason


def test_values_beyond_all_measure_are_wrong(worker: Any, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend", samples="1")
    broken = tmp_path / "broken"
    broken.mkdir()
    picture.write(broken / "tile.exr", np.full((HEIGHT, WIDTH, 4), 3e38, np.float32))
    assert stage.verdict(broken).judgement is Judgement.WRONG


def unsteady(worker: Any, folder: Path) -> Stage:
    stage = Stage(worker, folder, SCENES / "lake.blend")
    params = msgspec.json.decode(stage.spec.params)
    stage.spec = evolve(stage.spec, params=msgspec.json.encode({**params, "steady": False}))
    return stage


def test_where_no_seed_repeats_its_noise_an_honest_tile_of_any_seed_is_accepted(worker: Any, tmp_path: Path) -> None:
    stage = unsteady(worker, tmp_path)
    for seed in (1, 2):
        verdict = stage.verdict(stage.render(seed=seed, name=f"seed{seed}"))
        assert verdict.judgement is Judgement.ACCEPT
        assert verdict.reason.startswith("exchange, ")


def test_where_no_seed_repeats_its_noise_a_copy_is_seen_though_its_bits_were_altered(
    worker: Any, tmp_path: Path
) -> None:
    stage = unsteady(worker, tmp_path)
    first, second, copy = stage.render(seed=1, name="one"), stage.render(seed=2, name="other"), tmp_path / "copy"
    copy.mkdir()
    picture.write(copy / "tile.exr", pixels(first) * np.float32(1.0005))
    assert stage.verdict(second, accepted=first).judgement is Judgement.ACCEPT
    verdict = stage.verdict(copy, accepted=first)
    assert verdict.judgement is Judgement.UNSURE and verdict.reason.startswith("copy: frame 1: noise like that of")


def test_where_no_seed_repeats_its_noise_other_pictures_are_wrong_and_others_malformed(
    worker: Any, tmp_path: Path
) -> None:
    stage = unsteady(worker, tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    picture.write(broken / "tile.exr", np.zeros((HEIGHT, WIDTH, 4), np.float32))
    verdict = stage.verdict(broken)
    assert verdict.judgement is Judgement.WRONG
    (kept,) = (tmp_path / "scratch").iterdir()
    assert kept.name.startswith("at-")
    (broken / "tile.exr").write_bytes(b"GIF89a")
    assert stage.verdict(broken).judgement is Judgement.MALFORMED


def test_what_is_wrong_is_kept_to_look_at_beside_what_it_should_be_by_its_place_in_the_frame(
    worker: Any, tmp_path: Path
) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend", tiles="2x1")
    verdict = stage.verdict(stage.render(1, seed=7), 1)
    assert verdict.judgement is Judgement.WRONG
    kept = {path.name: path.read_bytes() for path in (tmp_path / "scratch").iterdir()}
    assert 1 <= len(kept) <= 6
    assert all(data.startswith(b"\x89PNG") for data in kept.values())
    place = re.search(r"pixels at (\d+),(\d+)", verdict.reason)
    assert place and f"at-{place[1]}-{place[2]}.png" in kept
    assert int(place[1]) >= WIDTH // 2


def test_a_file_that_is_no_picture_is_malformed(worker: Any, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend")
    (tmp_path / "none").mkdir()
    assert stage.verdict(tmp_path / "none").judgement is Judgement.MALFORMED
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tile.exr").write_bytes(b"\x89PNG" * 100)
    assert "OpenEXR" in stage.verdict(tmp_path / "other").reason


@pytest.mark.parametrize("tiles", ["1", "2x2", "5x5"])
def test_tiles_under_a_fixed_seed_merge_into_the_very_picture_of_one_render(
    worker: Any, tmp_path: Path, scene: Path, tiles: str
) -> None:
    whole = Stage(worker, tmp_path / "whole", scene, seed="fixed", samples="2")
    merged = Stage(worker, tmp_path / "tiles", scene, seed="fixed", samples="2", tiles=tiles).merge()
    assert sorted(path.name for path in merged.iterdir()) == ["frame_0001.exr", "frame_0001.png"]
    expected = pixels(whole.render())
    assert np.ptp(expected) > 0.1
    assert picture.read(merged / "frame_0001.exr", WIDTH, HEIGHT).tobytes() == expected.tobytes()


def test_asked_for_png_the_merge_makes_nothing_else(worker: Any, tmp_path: Path) -> None:
    merged = Stage(worker, tmp_path, SCENES / "lake.blend", format="png", samples="1").merge()
    assert [path.name for path in merged.iterdir()] == ["frame_0001.png"]


def test_a_warm_worker_renders_what_a_cold_one_does(
    worker: Any, start: Callable[[], Any], tmp_path: Path, scene: Path
) -> None:
    warm = Stage(worker, tmp_path / "warm", scene, tiles="2x1", frames="1;5", samples="4")
    for index in (3, 0, 2, 1):
        warm.render(index)
    cold = Stage(start(), tmp_path / "cold", scene, tiles="2x1", frames="1;5", samples="4")
    assert warm.render(2, "again").joinpath("tile.exr").read_bytes() == cold.render(2).joinpath("tile.exr").read_bytes()


def test_the_number_of_threads_changes_nothing(worker: Any, tmp_path: Path, scene: Path) -> None:
    stage = Stage(worker, tmp_path, scene, samples="4")
    one, two = (stage.render(name=f"threads{cores}", cores=cores) for cores in (1, 2))
    assert (one / "tile.exr").read_bytes() == (two / "tile.exr").read_bytes()


def test_a_scene_in_a_folder_is_found_by_its_name(worker: Any, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES, scene="lake.blend", samples="1")
    assert pixels(stage.render()).shape == (HEIGHT, WIDTH, 4)


def test_a_scene_that_is_missing_or_broken_is_named(worker: Any, tmp_path: Path) -> None:
    missing = Stage(worker, tmp_path / "missing", SCENES, scene="nothing.blend")
    with pytest.raises(RuntimeError, match=r"SceneRefused: there is no 'nothing\.blend' in the input 'scene'"):
        missing.render()
    broken = Stage(worker, tmp_path / "broken", SCENES / "lake.blend")
    (tmp_path / "broken" / "in" / "scene").unlink()
    (tmp_path / "broken" / "in" / "scene").write_bytes(b"BLENDER" * 100)
    with pytest.raises(RuntimeError, match="SceneRefused: scene does not open: "):
        broken.render()


def test_after_a_broken_scene_the_worker_goes_on(worker: Any, tmp_path: Path) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend", samples="1")
    first = pixels(stage.render())
    with pytest.raises(RuntimeError):
        Stage(worker, tmp_path / "missing", SCENES, scene="nothing.blend").render()
    shutil.rmtree(tmp_path / "out0")
    assert pixels(stage.render()).tobytes() == first.tobytes()


@pytest.mark.parametrize(
    ("name", "why"), [("eevee.blend", "uses BLENDER_EEVEE_NEXT; only Cycles"), ("blind.blend", "has no camera")]
)
def test_a_scene_that_nobody_could_check_is_refused(worker: Any, tmp_path: Path, odd: Odd, name: str, why: str) -> None:
    with pytest.raises(RuntimeError, match=f"SceneRefused: the scene {why}"):
        Stage(worker, tmp_path, odd.folder / name).render()


def test_scripts_in_a_scene_do_not_run(worker: Any, tmp_path: Path, odd: Odd) -> None:
    Stage(worker, tmp_path, odd.folder / "scripted.blend", samples="1").render()
    assert not odd.canary.exists()


def test_files_beside_a_scene_are_found_also_by_the_next_job_of_a_warm_worker(
    worker: Any, tmp_path: Path, odd: Odd
) -> None:
    for index, colour in enumerate(("red", "green")):  # each frame reads a file of its own
        copy = tmp_path / colour / "in" / "scene"
        stage = Stage(worker, tmp_path / colour, odd.folder / "textured", samples="1", frames="1-2")
        copy.unlink()
        shutil.copytree(odd.folder / "textured", copy)
        mean = pixels(stage.render(index)).reshape(-1, 4).mean(axis=0)
        assert mean[index] > 0.7 and mean[1 - index] < 0.05
        shutil.rmtree(copy)


def test_cycles_without_a_card_says_so_and_renders_on_processors_only_where_that_will_do(
    worker: Any, tmp_path: Path
) -> None:
    stage = Stage(worker, tmp_path, SCENES / "lake.blend", samples="1")
    if Path("/dev/nvidia0").exists():
        pytest.skip("there is a card: what happens without one is not proven here")
    with pytest.raises(RuntimeError, match="NoCard: Cycles finds no card here"):
        stage.render(name="gpu", device="gpu")
    plain, either = stage.render(name="cpu"), stage.render(name="auto", device="auto")
    assert (plain / "tile.exr").read_bytes() == (either / "tile.exr").read_bytes()
