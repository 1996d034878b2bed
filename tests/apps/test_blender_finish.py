"""What is done to frames once their tiles are together, and what is found out first; for real, and small."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

np = pytest.importorskip("numpy")

from apps.blender import template  # noqa: E402  # numpy comes with the extra `blender`
from apps.blender.job import picture  # noqa: E402
from golem.errors import BadParameters  # noqa: E402
from golem.model.ids import Cid, NodeId, SubtaskId  # noqa: E402
from golem.model.messages import Delivery  # noqa: E402
from golem.model.money import Wei  # noqa: E402
from golem.model.spec import Input, Outcome, Status, TaskSpec  # noqa: E402

pytestmark = [pytest.mark.blender, pytest.mark.timeout(60)]
SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
CID = Cid("b" + "r" * 58)
WIDTH, HEIGHT = 64, 36

SCENES = """
import bpy, sys, pathlib
folder = pathlib.Path(sys.argv[1])
def begin():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine, scene.world = "CYCLES", bpy.data.worlds.new("World")
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 128, 72, 50
    scene.cycles.samples, scene.frame_start, scene.frame_end, scene.frame_current = 4, 2, 5, 3
    scene.cycles.use_denoising = False
    bpy.ops.mesh.primitive_monkey_add(); bpy.context.object.rotation_euler = (1.2, 0, 0.4)
    bpy.ops.mesh.primitive_plane_add(size=9, location=(0, 0, -1))
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "AREA"))
    lamp.data.energy, lamp.data.size, lamp.location = 300, 2, (1, -2, 4); scene.collection.objects.link(lamp)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0, -6, 1), (1.45, 0, 0)
    scene.collection.objects.link(camera); scene.camera = camera
    return scene
def save(name):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / name))
def paint(image):
    material = bpy.data.materials.new("Paint"); material.use_nodes = True
    tree = material.node_tree; node = tree.nodes.new("ShaderNodeTexImage"); node.image = image
    tree.links.new(node.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])
    bpy.data.objects["Plane"].data.materials.append(material)
def texture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("Wood", 8, 8); image.generated_type = "COLOR_GRID"
    image.filepath_raw, image.file_format = str(path), "PNG"; image.save(); image.source = "FILE"
    return image
scene = begin()
scene.view_layers[0].use_pass_z = True
scene.view_layers.new("Second").use_pass_normal = True
scene.use_nodes = True
tree = scene.node_tree; tree.nodes.clear()
layer, end = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("CompositorNodeComposite")
other = tree.nodes.new("CompositorNodeRLayers"); other.layer = "Second"
blur, mix = tree.nodes.new("CompositorNodeBlur"), tree.nodes.new("CompositorNodeMixRGB")
blur.size_x = blur.size_y = 9; mix.inputs[0].default_value = 0.4
tree.links.new(layer.outputs["Image"], blur.inputs["Image"]); tree.links.new(blur.outputs[0], mix.inputs[1])
tree.links.new(other.outputs["Normal"], mix.inputs[2]); tree.links.new(mix.outputs[0], end.inputs[0])
files = tree.nodes.new("CompositorNodeOutputFile"); files.base_path = "/home/me/pictures"
files.file_slots[0].path = "../depth of \\u00e9t\\u00e9 "; tree.links.new(layer.outputs["Depth"], files.inputs[0])
save("composited.blend")
if len(sys.argv) > 2:
    render = scene.render; render.use_sequencer = False
    render.image_settings.file_format, render.image_settings.color_depth = "OPEN_EXR", "32"
    render.image_settings.exr_codec, render.use_file_extension = "ZIP", False
    files.base_path = str(folder); render.filepath = str(folder / "home.exr")
    bpy.ops.render.render(write_still=True)
begin().cycles.use_denoising = True; save("noisy.blend")
scene = begin(); paint(texture(folder / "projet \\u00e9t\\u00e9" / "mes textures" / "bois \\u6728.png"))
name = "projet \\u00e9t\\u00e9/sc\\u00e8ne 1.blend"
save(name); bpy.ops.file.make_paths_relative(); save(name)
scene = begin(); paint(texture(folder / "away" / "far wood.png")); save("alone/far.blend")
bpy.ops.file.make_paths_absolute()
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "alone/far.blend"), relative_remap=False)
begin(); save("linked/parts/library.blend")
scene = begin()
with bpy.data.libraries.load(str(folder / "linked/parts/library.blend"), link=True) as (source, target):
    target.meshes = ["Suzanne"]
scene.collection.objects.link(bpy.data.objects.new("Copy", target.meshes[0]))
save("linked/scene.blend"); bpy.ops.file.make_paths_relative(); save("linked/scene.blend")
scene = begin(); scene.render.resolution_x, scene.render.resolution_percentage = 65536, 100; save("huge.blend")
"""


@pytest.fixture(scope="module")
def scenes(start: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes made by Blender itself, and one of them rendered as at home."""
    folder = tmp_path_factory.mktemp("scenes")
    run = subprocess.run([sys.executable, "-c", SCENES, folder, "home"], capture_output=True, timeout=60)
    assert (folder / "huge.blend").exists(), run.stderr.decode()
    return folder


class Desk:
    """A requestor's own jobs on a task of one scene."""

    def __init__(self, worker: Any, folder: Path, source: Path, /, **params: str) -> None:
        given = {"tiles": "2x2", "seed": "fixed", **params}
        scene = Input(name="scene", cid=CID, size_bytes=1)
        self.spec = TaskSpec(
            template="blender",
            params=template.parse(given),
            budget=Wei(0),
            max_price=Wei(0),
            output="",
            inputs=(scene,),
        )
        self.worker, self.folder = worker, folder
        self.scene = folder / "in" / "scene"
        self.scene.parent.mkdir(parents=True, exist_ok=True)
        self.scene.symlink_to(source)

    def prepare(self) -> dict[str, Any]:
        """Look at the scene, and use what was found; the report."""
        looked = self.folder / "looked"
        job = template.prepare(self.spec)
        report = self.worker.run(job.program, msgspec.json.decode(job.params), self.folder / "in", looked)
        outcome = Outcome(
            status=Status.DONE, report=msgspec.json.encode(report), result=CID if any(looked.iterdir()) else Cid("")
        )
        self.spec = template.prepared(self.spec, outcome)
        if outcome.result:
            self.scene.unlink()
            self.scene.symlink_to(looked)
        return report  # type: ignore[no-any-return]  # a worker's report is anything

    def merge(self, index: int = 0) -> Path:
        """Render all tiles of a frame, and put them together."""
        merge = template.merges(self.spec)[index]
        parts = self.folder / f"parts{index}"
        parts.mkdir()
        (parts / "scene").symlink_to(self.scene)
        chunks = template.split(self.spec)
        for number, chunk in enumerate(merge.chunks):
            job = template.job(self.spec, chunks[chunk], SUBTASK, PROVIDER)
            self.worker.run("render", msgspec.json.decode(job.params), self.folder / "in", parts / f"t{number}")
        delivery = Delivery(subtask_id=SUBTASK, result=CID, size_bytes=1, report=b"{}", used_ms=1)
        job = template.merge(self.spec, merge, dict.fromkeys(merge.chunks, delivery))
        self.worker.run("merge", msgspec.json.decode(job.params), parts, self.folder / f"merged{index}")
        return self.folder / f"merged{index}"

    def light(self, index: int = 0) -> picture.Pixels:
        """The merged frame."""
        (path,) = self.merge(index).glob("frame_*.exr")
        return picture.read(path, WIDTH, HEIGHT)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_tiles_are_composited_into_the_very_picture_that_blender_makes_at_home(
    worker: Any, tmp_path: Path, scenes: Path
) -> None:
    desk = Desk(worker, tmp_path, scenes / "composited.blend")
    report = desk.prepare()
    assert (report["composites"], report["denoises"], report["size"]) == (True, False, [WIDTH, HEIGHT])
    assert desk.light().tobytes() == picture.read(scenes / "home.exr", WIDTH, HEIGHT).tobytes()
    assert names(tmp_path / "merged0") == ["depth_of__t__0003.png", "frame_0003.exr", "frame_0003.png"]


def test_the_compositor_can_be_left_out(worker: Any, tmp_path: Path, scenes: Path) -> None:
    desk = Desk(worker, tmp_path, scenes / "composited.blend", compositor="off")
    desk.prepare()
    assert names(desk.merge()) == ["frame_0003.exr", "frame_0003.png"]


def test_all_layers_and_passes_come_out_where_they_are_wanted(worker: Any, tmp_path: Path, scenes: Path) -> None:
    desk = Desk(worker, tmp_path, scenes / "composited.blend", format="multilayer", compositor="off")
    desk.prepare()
    (path,) = desk.merge().iterdir()
    channels = picture.names(path)
    assert {"ViewLayer.Combined.R", "ViewLayer.Depth.Z", "Second.Normal.X"} <= set(channels)
    pixels = picture.read(path, WIDTH, HEIGHT, channels)
    assert np.ptp(pixels[:, :, channels.index("Second.Normal.X")]) > 0.5


def test_a_merged_frame_is_denoised_once_and_the_seams_do_not_show(worker: Any, tmp_path: Path, scenes: Path) -> None:
    frames = {
        (mode, tiles): Desk(worker, tmp_path / f"{mode}{tiles}", scenes / "noisy.blend", denoise=mode, tiles=tiles)
        for mode, tiles in (("scene", "1x1"), ("scene", "3x2"), ("off", "1x1"))
    }
    light = {}
    for key, desk in frames.items():
        desk.prepare()
        light[key] = desk.light()
    assert light["scene", "3x2"].tobytes() == light["scene", "1x1"].tobytes()
    rough, smooth = (float(np.abs(np.diff(light[mode, "1x1"][:, :, 0], axis=0)).mean()) for mode in ("off", "scene"))
    assert smooth < 0.8 * rough


@pytest.mark.parametrize(("format", "ending"), [("jpeg", "jpg"), ("webp", "webp"), ("tiff", "tif"), ("scene", "png")])
def test_frames_come_in_the_format_that_is_wanted(
    worker: Any, tmp_path: Path, scenes: Path, format: str, ending: str
) -> None:
    desk = Desk(worker, tmp_path, scenes / "noisy.blend", format=format, denoise="off", samples="1")
    desk.prepare()
    assert names(desk.merge()) == [f"frame_0003.{ending}"]


@pytest.mark.parametrize(("format", "bits"), [("png", 8), ("png16", 16)])
def test_a_png_has_the_bits_that_are_wanted(worker: Any, tmp_path: Path, scenes: Path, format: str, bits: int) -> None:
    desk = Desk(worker, tmp_path, scenes / "noisy.blend", format=format, denoise="off", samples="1")
    desk.prepare()
    (path,) = desk.merge().iterdir()
    assert (path.name, path.read_bytes()[24]) == ("frame_0003.png", bits)


def test_textures_in_folders_with_blanks_and_accents_travel_packed(worker: Any, tmp_path: Path, scenes: Path) -> None:
    desk = Desk(worker, tmp_path, scenes / "projet été", scene="scène 1.blend", samples="1", frames="all")
    report = desk.prepare()
    assert (report["frames"], len(template.merges(desk.spec))) == ([3, 2, 5, 1], 4)
    assert names(tmp_path / "looked") == ["scene.blend"]
    assert np.ptp(desk.light()) > 0.1


def test_linked_libraries_in_the_folder_are_found(worker: Any, tmp_path: Path, scenes: Path) -> None:
    desk = Desk(worker, tmp_path, scenes / "linked", samples="1")
    desk.prepare()
    assert np.ptp(desk.light()) > 0.1


def test_a_file_outside_of_the_scenes_folder_is_refused_by_its_name(worker: Any, tmp_path: Path, scenes: Path) -> None:
    for name, word in (("alone", "outside of its folder"), ("linked", "missing")):
        source = tmp_path / f"{name}-source"
        shutil.copytree(scenes / name, source)
        if name == "linked":
            shutil.rmtree(source / "parts")
        desk = Desk(worker, tmp_path / name, source, scene="far.blend" if name == "alone" else "scene.blend")
        with pytest.raises(RuntimeError, match=rf"{word}: '.*(far wood\.png|library\.blend)'.*Pack"):
            desk.prepare()


def test_a_scene_alone_whose_textures_were_left_at_home_is_refused_by_their_names(
    worker: Any, tmp_path: Path, scenes: Path
) -> None:
    lone = tmp_path / "scene.blend"
    shutil.copy(scenes / "projet été" / "scène 1.blend", lone)
    with pytest.raises(RuntimeError, match=r"missing: '//mes textures/bois 木\.png'.*give the whole folder"):
        Desk(worker, tmp_path, lone).prepare()


def test_a_scene_that_asks_for_too_many_pixels_is_refused(worker: Any, tmp_path: Path, scenes: Path) -> None:
    with pytest.raises(BadParameters, match="resolution: the scene's 65536x72 is more than"):
        Desk(worker, tmp_path, scenes / "huge.blend").prepare()


def test_a_truncated_scene_is_refused(worker: Any, tmp_path: Path, scenes: Path) -> None:
    whole = (scenes / "noisy.blend").read_bytes()
    cut = tmp_path / "cut.blend"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RuntimeError, match=r"SceneRefused: (scene does not open|the scene)"):
        Desk(worker, tmp_path, cut).prepare()


def test_a_film_is_made_of_all_frames(worker: Any, tmp_path: Path, scenes: Path) -> None:
    desk = Desk(worker, tmp_path, scenes / "noisy.blend", frames="all", samples="1", video="mp4", tiles="1")
    desk.prepare()
    frames = [desk.merge(index) for index, _ in enumerate(template.merges(desk.spec))]
    job = template.finish(desk.spec, [Input(name=path.name, cid=CID, size_bytes=1) for path in frames])
    assert job is not None
    inputs = tmp_path / "frames"
    inputs.mkdir()
    for one, path in zip(job.inputs, frames, strict=True):
        (inputs / one.name).symlink_to(path)
    params = msgspec.json.decode(job.params)
    assert worker.run(job.program, params, inputs, tmp_path / "film") == {"frames": 4}
    assert (tmp_path / "film" / "film.mp4").read_bytes()[4:8] == b"ftyp"


def test_a_preview_shows_the_tiles_that_are_there(worker: Any, tmp_path: Path, scenes: Path) -> None:
    desk = Desk(worker, tmp_path, scenes / "noisy.blend", samples="1")
    desk.prepare()
    desk.merge()
    delivery = Delivery(subtask_id=SUBTASK, result=CID, size_bytes=1, report=b"{}", used_ms=1)
    chunks = template.split(desk.spec)
    job = template.preview(desk.spec, chunks[1], {1: delivery, 2: delivery})
    assert job is not None
    inputs = tmp_path / "seen"
    inputs.mkdir()
    for one, index in zip(job.inputs, (1, 2), strict=True):
        (inputs / one.name).symlink_to(tmp_path / "parts0" / f"t{index}")
    report = worker.run(job.program, msgspec.json.decode(job.params), inputs, tmp_path / "shown")
    assert report == {"size": [WIDTH, HEIGHT]}
    assert (tmp_path / "shown" / "preview.png").read_bytes().startswith(b"\x89PNG")


def test_the_number_of_tiles_follows_from_how_long_a_frame_takes(worker: Any, tmp_path: Path, scenes: Path) -> None:
    desk = Desk(worker, tmp_path, scenes / "noisy.blend", tiles="auto")
    desk.prepare()
    assert len(template.split(desk.spec)) == 1  # a frame of less than a second is not worth cutting
    large = Desk(
        worker, tmp_path / "large", scenes / "noisy.blend", tiles="auto", resolution="3840x2160", samples="512"
    )
    large.prepare()
    assert len(template.split(large.spec)) >= 16
    least, most = template.estimate(large.spec)
    assert 0 < least < most
