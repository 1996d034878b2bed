"""The images of the Dockerfiles in apps render, built as docs/computer.md says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from apps.blender import template as blender
from apps.luxrender import template as luxrender
from golem.adapters.docker import DockerLauncher, is_reachable
from golem.interfaces import Room
from golem.model.ids import Cid, NodeId, SubtaskId, TaskId
from golem.model.money import Wei
from golem.model.spec import Input, Limits, Status, TaskSpec
from golem.model.value import evolve
from golem.node.executor import PooledExecutor

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(not is_reachable(), reason="no Docker engine answers on this machine: not proven here"),
]
SCENES = {
    "blender": (blender, "marbles.blend", {"frames": "1", "resolution": "40x24", "samples": "2"}),
    "luxrender": (luxrender, "pyramid", {"resolution": "40x24", "samples": "4"}),
}


def image_of(name: str) -> str:
    """The id of the image `golem-NAME`."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", f"golem-{name}"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"there is no image golem-{name}: not proven here")
    return found.stdout.strip()


@pytest.mark.parametrize("name", SCENES)
def test_a_tile_is_rendered_in_the_image(name: str, tmp_path: Path) -> Deferred[None]:
    return Deferred.fromCoroutine(in_image(tmp_path, name, image_of(name)))


async def in_image(folder: Path, name: str, image: str) -> None:
    assert isinstance(reactor, PosixReactorBase)
    template, scene, params = SCENES[name]
    limits = Limits(cores=1, memory_bytes=2 << 30, timeout_ms=120_000)
    spec = TaskSpec(
        template=name,
        params=template.parse(params),
        budget=Wei(0),
        max_price=Wei(0),
        output="",
        limits=limits,
        inputs=(Input(name="scene", cid=Cid(""), size_bytes=0),),
    )
    chunk = template.split(spec)[0]
    job = template.job(spec, chunk, SubtaskId("0" * 32), NodeId("02" + "0" * 64))
    environment = evolve(template.environment, image=image)
    executor = PooledExecutor(DockerLauncher(reactor), reactor, folder / "rooms", {name: [environment]}, limits)
    try:
        assert (await executor.probe()).environments == (template.environment.name,)
        scenes = Path(template.programs).parent / "scenes"
        inputs, made = {"scene": str(scenes / scene)}, str(folder / "made")
        room = Room(program=template.programs, inputs=inputs, output=made, image=image)
        outcome = await executor.run(evolve(job, task_id=TaskId("0" * 32)), room)
    finally:
        await executor.close()
    assert outcome.status is Status.DONE, outcome
    (tile,) = (folder / "made").iterdir()
    assert tile.stat().st_size > 1000, msgspec.json.decode(outcome.report)
