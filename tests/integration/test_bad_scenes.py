"""Scenes that can't be rendered, one by one on real nodes: each is named, nobody is paid, other work goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from apps.blender import template
from golem.api import Session, TaskHandle
from golem.cli.exits import Exit
from golem.testing.processes import REQUESTOR, SETTINGS, LocalNetwork, Member, provider
from golem.testing.shell import Shell

pytestmark = [pytest.mark.integration, pytest.mark.blender, pytest.mark.timeout(300)]

SCENES = Path(template.programs).parent / "scenes"
SMALL = {"resolution": "83x41", "samples": "4"}
SANDBOX = {**SETTINGS, "provider.executor": "sandbox"}

BAD_SCENES = """
import bpy, sys, pathlib
folder = pathlib.Path(sys.argv[1])
def begin():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine, scene.world = "CYCLES", bpy.data.worlds.new("World")
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    return scene
def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / name), relative_remap=False)
begin(); bpy.ops.mesh.primitive_monkey_add(); save("library.blend")
scene = begin()
with bpy.data.libraries.load(str(folder / "library.blend")) as (source, target):
    target.meshes = ["Suzanne"]
scene.collection.objects.link(bpy.data.objects.new("Copy", target.meshes[0]))
save("linked.blend")
scene = begin(); image = bpy.data.images.new("Wood", 8, 8); image.use_fake_user = True
image.filepath_raw, image.source = "//gone/wood.png", "FILE"; save("untextured.blend")
scene = begin(); scene.render.resolution_x = scene.render.resolution_y = 50_000
scene.render.resolution_percentage = 200; save("huge.blend")
scene = begin(); scene.camera = None; save("blind.blend")
scene = begin(); scene.render.engine = "BLENDER_EEVEE_NEXT"; save("other.blend")
"""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What people may have lying about."""
    if find_spec("bpy") is None:
        pytest.skip("bpy is not installed: not proven here")
    folder = tmp_path_factory.mktemp("scenes")
    subprocess.run([sys.executable, "-c", BAD_SCENES, folder], check=True, capture_output=True, timeout=60)
    whole = (SCENES / "marbles.blend").read_bytes()
    (folder / "truncated.blend").write_bytes(whole[: len(whole) // 2])
    (folder / "text.blend").write_text("# a README, not a scene\n")
    (folder / "empty.blend").touch()
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    members = [Member(REQUESTOR), provider("bob")]
    with LocalNetwork(tmp_path_factory.mktemp("local") / "nodes", members, SANDBOX) as network:
        network.start()
        yield network


def render(network: LocalNetwork, scene: Path, output: Path, **params: str) -> TaskHandle:
    session = Session(network[REQUESTOR].client)
    return session.submit(
        "blender", {**SMALL, **params}, budget="0.5", max_price="0.1", resources={"scene": scene}, output=output
    )


def left(network: LocalNetwork) -> list[Path]:
    """What jobs left behind, but for contents that are kept for the next and for rooms of workers that wait."""
    files = (path for node in network.nodes for path in (node.folder / "staging").rglob("*") if path.is_file())
    return [path for path in files if not {"rooms", "content"} & set(path.parts)]


def test_each_bad_scene_ends_with_its_reason_while_other_work_goes_on(
    network: LocalNetwork, scenes: Path, tmp_path: Path
) -> None:
    good = render(network, SCENES / "marbles.blend", tmp_path / "good", frames="1-8")
    for name, params, said in (
        ("truncated", {}, "scene"),
        ("text", {}, "scene does not open: "),
        ("empty", {}, "scene does not open: "),
        ("untextured", {}, "missing: '//gone/wood.png'"),
        ("linked", {}, f"missing: '{scenes}/library.blend'"),
        ("huge", {"resolution": "scene"}, "resolution: the scene's 100000x100000 is more than"),
        ("blind", {}, "the scene has no camera"),
        ("other", {}, "only Cycles gives every machine the same picture"),
    ):
        task = render(network, scenes / f"{name}.blend", tmp_path / name, **params)
        *_, (_, ended) = task.progress()
        assert (ended.phase, ended.spent) == ("failed", "0"), name
        assert said in ended.reason, (name, ended.reason)
        assert not (tmp_path / name).exists(), name
        assert not network[REQUESTOR].client.get(f"/tasks/{task.task_id}/subtasks"), "somebody was hired"
    assert good.wait().phase == "done"
    assert len(list((tmp_path / "good").rglob("*.exr"))) == 8
    assert not left(network)


def test_a_demo_of_what_is_no_scene_ends_with_the_reason_and_no_tables(tmp_path: Path, scenes: Path) -> None:
    shell = Shell(str(tmp_path / "none"))
    demo = ("demo", "--providers", "1", "--cheats", "0", "--output", str(tmp_path / "demo"))
    assert shell.run(*demo, "--scene", str(scenes / "text.blend")) == Exit.FAILED
    (said,) = [line for line in shell.out.splitlines() if line]
    assert said.startswith("failed in ") and "scene does not open" in said
