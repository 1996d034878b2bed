"""A daemon that others wrote stands beside our store: js-ipfs, or the one that GOLEM_IPFS_API names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from golem.errors import DaemonFault
from golem.ipfs.cid import to_text
from golem.ipfs.importer import import_path
from golem.ipfs.kubo import Client
from golem.ipfs.serving import Terms
from golem.model.ids import Cid
from tests.foreign.built import JS_IPFS, JS_NODE
from tests.ipfs.sources import new_store
from tests.ipfs.test_vectors import Nowhere

REAL = os.environ.get("GOLEM_IPFS_API", "")
HELLO = Cid("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")

pytestmark = pytest.mark.skipif(
    not (REAL or JS_IPFS.exists()), reason="no js-ipfs in build/foreign; make foreign installs it"
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a daemon listens that has no network."""
    if REAL:
        yield REAL
        return
    repo = tmp_path_factory.mktemp("js-ipfs")
    quietly = {"env": os.environ | {"IPFS_PATH": str(repo)}, "text": True}
    for words in (["init", "--profile", "test", "--empty-repo"], ["config", "Addresses.RPC", "/ip4/127.0.0.1/tcp/0"]):
        subprocess.run([JS_NODE, JS_IPFS, *words], check=True, timeout=60, **quietly)
    command = [JS_NODE, JS_IPFS, "daemon", "--offline", "--enable-preload=false"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, **quietly) as daemon:
        assert daemon.stdout is not None
        try:
            assert any("Daemon is ready" in line for line in daemon.stdout), "js-ipfs ended before it was ready"
            _, _, host, _, port = (repo / "api").read_text().split("/")[:5]
            yield f"http://{host}:{port}"
        finally:
            daemon.kill()


class World:
    """A client of the daemon, and content stores beside it."""

    def __init__(self, folder: Path, api: str) -> None:
        assert isinstance(reactor, PosixReactorBase)
        self.folder = folder
        self.client = Client(reactor, api)
        self.stores = [
            new_store(folder / name, folder, Terms(64 << 20, is_public=True), Client(reactor, api))
            for name in ("near", "far")
        ]
        for store in self.stores:
            store.startService()

    def scene(self) -> Path:
        scene = self.folder / "scene"
        scene.mkdir()
        (scene / "big").write_bytes(os.urandom(3 << 20))
        (scene / "small").write_bytes(b"hello world")
        return scene


@pytest.fixture
def world(tmp_path: Path, api: str) -> Iterator[World]:
    world = World(tmp_path, api)
    yield world
    for store in world.stores:
        blockon(store.stopService())
    blockon(world.client.close())


def run(test: Callable[[World], object]) -> Callable[[World], Deferred[object]]:
    """A test that waits on the reactor."""

    def started(world: World) -> Deferred[object]:
        return Deferred.fromCoroutine(test(world))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


def parts(*data: bytes) -> Callable[[], Deferred[bytes]]:
    """An upload of these."""
    left = iter(data)

    async def following() -> bytes:
        return next(left, b"")

    return lambda: Deferred.fromCoroutine(following())


@run
async def test_what_one_node_puts_another_gets_by_the_daemon_alone_until_nobody_wants_it(world: World) -> None:
    near, far = world.stores
    scene = world.scene()
    content = await near.put(str(scene), "o")
    assert content.cid in await world.client.pin.ls()
    assert await far.get(content.cid, [], 4 << 20, "o") == content.size_bytes
    await far.materialise(content.cid, str(world.folder / "copy"))
    for name in ("big", "small"):
        assert (world.folder / "copy" / name).read_bytes() == (scene / name).read_bytes()
    await near.unpin("o")
    assert content.cid not in await world.client.pin.ls()


@run
async def test_a_file_that_is_added_has_the_id_that_we_give_it_and_is_read_back(world: World) -> None:
    for size in (0, 11, 1 << 20, (3 << 20) + 5):
        data = os.urandom(size)
        (world.folder / "file").write_bytes(data)
        cid = await world.client.add(parts(data[:1000], data[1000:]))
        assert cid == to_text(import_path(str(world.folder / "file"), Nowhere()).key)
        assert await world.client.cat(cid, size) == data
    assert await world.client.cat(cid, 100, offset=size - 5) == data[-5:]


@run
async def test_commands_are_answered_and_faults_say_why(world: World) -> None:
    client = world.client
    assert (await client.version()).version
    assert (await client.id()).id
    assert await client.add(parts(b"hello world")) == HELLO
    assert await client.block.get(HELLO, 100) == b"hello world"
    await client.pin.rm(HELLO)
    with pytest.raises(DaemonFault, match="pin/rm: HTTP 500"):
        await client.pin.rm(HELLO)
    await client.pin.add(HELLO)
    assert (await client.repo.stat()).bytes > 0
    await client.repo.gc()
    assert await client.cat(HELLO, 100) == b"hello world"
    with pytest.raises(DaemonFault, match="swarm/connect"):
        await client.swarm.connect("/ip4/127.0.0.1/tcp/1")
