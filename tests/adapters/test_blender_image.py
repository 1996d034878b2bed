"""The image of apps/blender/Dockerfile renders and checks a scene, as docs/computer.md says to build it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from apps.blender import template
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
SCENE = Path(template.programs).parent / "scenes" / "marbles.blend"


@pytest.fixture
def image() -> str:
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", "golem-blender"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("there is no image golem-blender: not proven here")
    return found.stdout.strip()


def test_a_tile_is_rendered_in_the_image(tmp_path: Path, image: str) -> Deferred[None]:
    return Deferred.fromCoroutine(in_image(tmp_path, image))


async def in_image(folder: Path, image: str) -> None:
    assert isinstance(reactor, PosixReactorBase)
    limits = Limits(cores=1, memory_bytes=2 << 30, timeout_ms=120_000)
    spec = TaskSpec(
        template="blender",
        params=template.parse({"frames": "1", "resolution": "40x24", "samples": "2"}),
        budget=Wei(0),
        max_price=Wei(0),
        output="",
        limits=limits,
        inputs=(Input(name="scene", cid=Cid(""), size_bytes=0),),
    )
    (chunk,) = template.split(spec)
    job = template.job(spec, chunk, SubtaskId("0" * 32), NodeId("02" + "0" * 64))
    executor = PooledExecutor(DockerLauncher(reactor), reactor, folder / "rooms", [template.environment], limits)
    executor.furnish({"blender": image})
    try:
        assert (await executor.probe()).environments == (template.environment.name,)
        room = Room(program=template.programs, inputs={"scene": str(SCENE)}, output=str(folder / "made"), image=image)
        outcome = await executor.run(evolve(job, task_id=TaskId("0" * 32)), room)
    finally:
        await executor.close()
    assert outcome.status is Status.DONE, outcome
    assert (folder / "made" / "tile.exr").read_bytes()[:4] == b"\x76\x2f\x31\x01", msgspec.json.decode(outcome.report)
