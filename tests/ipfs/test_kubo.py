"""A daemon's RPC: what is asked of it, what is believed of its answers, and what is said when it fails.

The daemon here is a script, for failures that no real one shows on demand; `tests/foreign` has a real one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from golem.errors import ConfigError, ContentMissing, DaemonFault, TooLarge
from golem.ipfs import body, kubo, reader, upload
from golem.ipfs.car import CarReader
from golem.ipfs.cid import Key, check_block, from_text, raw_key, to_text
from golem.ipfs.kubo import Client
from golem.ipfs.node import EmbeddedStore
from golem.ipfs.serving import Terms
from golem.model.ids import Cid
from tests.ipfs.sources import new_store

HELLO = Cid("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
Test = Callable[["World"], object]


class Daemon(Resource):
    """Keeps CARs and pins, as Kubo does. `script`: by command, an answer to give instead; None: none ever."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.blocks: dict[Key, bytes] = {}
        self.pins: set[str] = set()
        self.script: dict[str, tuple[int, bytes] | None] = {}
        self.seen: list[str | None] = []

    def render_POST(self, request: Request) -> bytes | int:
        command = request.path.decode().removeprefix("/api/v0/")
        self.seen.append(request.getHeader("authorization"))
        if command in self.script:
            answer = self.script[command]
            if answer is None:
                return NOT_DONE_YET
            request.setResponseCode(answer[0])
            return answer[1]
        cid = request.args.get(b"arg", [b""])[0].decode()
        done: bytes = getattr(self, "do_" + command.replace("/", "_"))(request, cid)
        return done

    def do_version(self, request: Request, cid: str) -> bytes:
        return b'{"Version": "0.42.0", "Commit": ""}'

    def do_dag_import(self, request: Request, cid: str) -> bytes:
        car = request.content.read().partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        found = list(CarReader().feed([car]))
        for key, block in found:
            check_block(key, block)
        self.blocks |= {key: bytes(block) for key, block in found}
        root = to_text(found[0][0])
        self.pins.add(root)
        return json.dumps({"Root": {"Cid": {"/": root}, "PinErrorMsg": ""}}).encode() + b"\n"

    def do_dag_export(self, request: Request, cid: str) -> bytes:
        return b"".join(reader.car_parts(from_text(cid), reader.blocks(self.blocks.__getitem__, from_text(cid))))

    def do_add(self, request: Request, cid: str) -> bytes:
        file = request.content.read().partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        return b'{"Name": "file", "Bytes": 1}\n{"Name": "file", "Hash": "%s"}\n' % to_text(raw_key(file)).encode()

    def do_pin_rm(self, request: Request, cid: str) -> bytes:
        self.pins.remove(cid)
        return b'{"Pins": []}'

    def do_pin_ls(self, request: Request, cid: str) -> bytes:
        return json.dumps({"Keys": {cid: {"Type": "recursive"} for cid in self.pins}}).encode()


class World:
    """A daemon, a client of it, and content stores that use it."""

    def __init__(self, folder: Path) -> None:
        assert isinstance(reactor, PosixReactorBase)
        self.folder = folder
        self.daemon = Daemon()
        self.port: IListeningPort = reactor.listenTCP(0, Site(self.daemon), interface="127.0.0.1")
        self.api = f"http://127.0.0.1:{self.port.getHost().port}"  # type: ignore[attr-defined]  # TCP addresses have one
        self.client = Client(reactor, self.api)
        self.stores: list[EmbeddedStore] = []

    def store(self, api: str, *, is_public: bool = True) -> EmbeddedStore:
        assert isinstance(reactor, PosixReactorBase)
        name = self.folder / f"store{len(self.stores)}"
        store = new_store(name, self.folder, Terms(64 << 20, is_public=is_public), Client(reactor, api))
        self.stores.append(store)
        store.startService()
        return store

    def scene(self) -> str:
        scene = self.folder / "scene"
        scene.mkdir(exist_ok=True)
        (scene / "big").write_bytes(os.urandom(3 << 20))
        (scene / "small").write_bytes(b"hello world")
        return str(scene)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    for store in world.stores:
        blockon(store.stopService())
    blockon(world.client.close())
    stopped = world.port.stopListening()
    if stopped is not None:
        blockon(stopped)


def run(test: Test) -> Callable[[World], Deferred[object]]:
    """A test that waits on the reactor."""

    def started(world: World) -> Deferred[object]:
        return Deferred.fromCoroutine(test(world))  # type: ignore[arg-type]  # an async def

    started.__name__ = test.__name__
    return started


@run
async def test_what_one_node_puts_another_gets_by_their_daemon_alone(world: World) -> None:
    near, far = world.store(world.api), world.store(world.api)
    content = await near.put(world.scene(), "o")
    assert await far.get(content.cid, [], 4 << 20, "o") == content.size_bytes
    await far.materialise(content.cid, str(world.folder / "copy"))
    for name in ("big", "small"):
        assert (world.folder / "copy" / name).read_bytes() == (world.folder / "scene" / name).read_bytes()
    assert await world.client.pin.ls() == [content.cid]
    await near.unpin("o")
    assert await world.client.pin.ls() == []


@run
async def test_what_is_a_task_s_alone_is_not_given_to_the_daemon_and_what_the_user_shares_is(world: World) -> None:
    near = world.store(world.api, is_public=False)
    scene = world.scene()
    await near.put(scene, "o")
    assert not world.daemon.blocks
    content = await near.put(scene, "user/scene")
    assert await world.client.pin.ls() == [content.cid]
    await near.unpin("user/scene")
    await near.unpin("o")
    assert await world.client.pin.ls() == []


@run
async def test_a_file_is_added_and_its_id_is_told(world: World) -> None:
    parts = iter([b"hello ", b"world"])

    async def following() -> bytes:
        return next(parts, b"")

    assert await world.client.add(lambda: Deferred.fromCoroutine(following())) == HELLO
    for answer in (b"", b'{"Name": "file"}'):
        world.daemon.script["add"] = (200, answer)
        with pytest.raises(DaemonFault, match="no answer of an IPFS daemon"):
            await world.client.add(lambda: Deferred.fromCoroutine(following()))


@run
async def test_a_daemon_that_sends_other_bytes_is_not_believed(world: World) -> None:
    cid = (await world.store(world.api).put(world.scene(), "o")).cid
    world.daemon.blocks[from_text(HELLO)] = b"hello worlt"
    with pytest.raises(ContentMissing, match="not what"):
        await world.store(world.api).get(cid, [], 4 << 20, "o")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_of_a_daemon_that_answers_half_nothing_is_kept(world: World, share: float) -> Deferred[None]:
    async def test() -> None:
        cid = (await world.store(world.api).put(world.scene(), "o")).cid
        whole = world.daemon.do_dag_export
        world.daemon.do_dag_export = lambda request, cid: (car := whole(request, cid))[: int(len(car) * share)]  # type: ignore[method-assign]  # it is a daemon out of order
        store = world.store(world.api)
        with pytest.raises(ContentMissing, match=world.api):
            await store.get(cid, [], 4 << 20, "o")
        survey = await store.survey()
        assert (survey.kept, survey.used_bytes) == ((), 0)

    return Deferred.fromCoroutine(test())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((403, b"403 - Forbidden"), "HTTP 403: 403 - Forbidden"),
        ((500, b'{"Message": "no space left", "Code": 0, "Type": "error"}'), "HTTP 500: no space left"),
        ((200, b""), "was not pinned"),
        ((200, b'{"Root": {"Cid": {"/": "bafy"}, "PinErrorMsg": "a block is missing"}}'), "a block is missing"),
        ((200, b"<html>"), "no answer of an IPFS daemon"),
        (None, "no answer"),
    ],
)
def test_a_put_that_the_daemon_does_not_confirm_fails_and_says_why(
    world: World, answer: tuple[int, bytes] | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> Deferred[None]:
    world.daemon.script["dag/import"] = answer
    if answer is None:
        for module in (body, kubo, upload):
            monkeypatch.setattr(module, "PATIENCE_S", 1.5)

    async def test() -> None:
        with pytest.raises(DaemonFault, match=says):
            await world.store(world.api).put(world.scene(), "o")

    return Deferred.fromCoroutine(test())


@run
async def test_a_daemon_that_is_down_is_named_with_its_setting(world: World) -> None:
    with pytest.raises(DaemonFault, match=r"127\.0\.0\.1:1: dag/import.*ipfs\.api"):
        await world.store("http://127.0.0.1:1").put(world.scene(), "o")


@run
async def test_an_answer_past_its_limit_is_refused(world: World) -> None:
    world.daemon.script["cat"] = (200, bytes(1000))
    assert len(await world.client.cat(HELLO, 1000)) == 1000
    with pytest.raises(TooLarge):
        await world.client.cat(HELLO, 999)


@run
async def test_a_unix_socket_and_both_kinds_of_authorization_do(world: World) -> None:
    assert isinstance(reactor, PosixReactorBase)
    listener = reactor.listenUNIX(str(world.folder / "api"), Site(world.daemon))
    for given, sent in (("me:secret", "Basic bWU6c2VjcmV0"), ("token", "Bearer token")):
        client = Client(reactor, f"unix:{world.folder}/api", given)
        assert (await client.version()).version == "0.42.0"
        assert world.daemon.seen[-1] == sent
        await client.close()
    stopped = listener.stopListening()
    assert stopped is not None
    await stopped


@pytest.mark.parametrize("api", ["127.0.0.1:5001", "/ip4/127.0.0.1/tcp/5001", "unix:api", "http://"])
def test_an_address_that_is_none_is_refused_at_start(api: str) -> None:
    assert isinstance(reactor, PosixReactorBase)
    with pytest.raises(ConfigError, match=r"ipfs\.api"):
        Client(reactor, api)
