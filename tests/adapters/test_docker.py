"""The Docker sandbox keeps the contract of executors, for real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase
from twisted.python.failure import Failure

from golem.adapters.docker import IMAGE, LABEL, NOBODY, DockerLauncher, end_workers, is_reachable
from golem.errors import ExecutorFault
from golem.model.spec import Capability, Environment, Limits
from golem.model.value import evolve
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import FOREVER, Bench, SandboxContract, waited

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(not is_reachable(), reason="no Docker engine answers on this machine: not proven here"),
]


class TestDocker(SandboxContract):
    launcher: DockerLauncher | None = None
    stop_s = 8.0  # an engine under load makes a container for seconds, and can't be stopped in that

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        assert isinstance(reactor, PosixReactorBase)
        launcher = TestDocker.launcher = TestDocker.launcher or DockerLauncher(reactor)
        executor = PooledExecutor(launcher, reactor, tmp_path / "rooms", {}, Limits(cores=1, memory_bytes=1 << 30))
        blockon(launcher.check(str(tmp_path / "rooms")))
        yield Bench(executor, reactor, tmp_path)
        blockon(executor.close())

    @waited
    async def test_a_program_has_no_rights_no_network_and_three_places_to_write(self, bench: Bench) -> None:
        found = await bench.report(
            """
            import os, re
            def run(params, inputs, output):
                status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
                mounts = [line.split()[4:6] for line in open("/proc/self/mountinfo")]
                writable = [where for where, how in mounts if how.split(",")[0] == "rw"]
                return {
                    "user": sorted(set(status["Uid"].split() + status["Gid"].split() + status["Groups"].split())),
                    "caps": sorted({what.strip() for name, what in status.items() if name.startswith("Cap")}),
                    "rights": [status[name].strip() for name in ("NoNewPrivs", "Seccomp")],
                    "filters": int(status["Seccomp_filters"]),
                    "writable": sorted(path for path in writable if not re.match("/(proc|sys|dev(?!/shm))", path)),
                    "network": [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]],
                    "environ": sorted(os.environ),
                }
            """
        )
        assert found.pop("filters") == 2  # the engine's, and the worker's own
        assert found == {
            "user": [str(NOBODY if os.geteuid() == 0 else os.geteuid())],
            "caps": ["0" * 16],
            "rights": ["1", "2"],
            "writable": ["/dev/shm", "/out", "/tmp"],
            "network": ["lo"],
            "environ": ["HOME", "HOSTNAME", "LANG", "PATH", "TMPDIR"],
        }


def test_a_runtime_that_the_engine_has_not_is_named_with_those_that_it_has(tmp_path: Path) -> Deferred[None]:
    assert isinstance(reactor, PosixReactorBase)

    def look(trouble: Failure) -> None:
        trouble.trap(ExecutorFault)
        assert "no runtime 'runsc-of-nobody'; it has: " in str(trouble.value)
        assert "runc" in str(trouble.value)

    return DockerLauncher(reactor, runtime="runsc-of-nobody").check(str(tmp_path)).addErrback(look)


def test_another_runtime_is_another_tier_and_holds_as_well(tmp_path: Path) -> Deferred[None]:
    assert isinstance(reactor, PosixReactorBase)
    launcher = DockerLauncher(reactor, runtime="runc")
    executor = PooledExecutor(launcher, reactor, tmp_path / "rooms", {}, Limits())

    def look(found: Capability) -> Deferred[None]:
        assert found.tier == "docker-runc"
        return executor.close()

    return executor.probe().addCallback(look)


def image() -> str:
    """A small image with a Python of its own, by its id; docs/computer.md says how to make one without a registry."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", "golem-python:1"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("there is no image golem-python:1: not proven here")
    return found.stdout.strip()


def test_a_template_with_an_image_runs_in_it_and_one_whose_image_is_not_there_is_not_offered(
    tmp_path: Path,
) -> Deferred[None]:
    return Deferred.fromCoroutine(in_images(tmp_path, image()))


async def in_images(folder: Path, own: str) -> None:
    assert isinstance(reactor, PosixReactorBase)
    missing = f"sha256:{'0' * 64}"
    environments = {
        "bench": [Environment(name="own", modules=("json",), image=own)],
        "lacking": [Environment(name="lacks", modules=("twisted",), image=own)],
        "other": [Environment(name="gone", image=missing)],
        "plain": [Environment(name="plain", modules=("twisted",))],
    }
    executor = PooledExecutor(DockerLauncher(reactor), reactor, folder / "rooms", environments, Limits())
    bench = Bench(executor, reactor, folder)
    try:
        assert sorted((await executor.probe()).environments) == ["own", "plain"]
        found = await bench.report("import sys\ndef run(params, inputs, output):\n    return {'is': sys.prefix}\n")
        assert found == {"is": "/usr"}
        with pytest.raises(ExecutorFault, match="No such image"):
            await bench.start(evolve(bench.job("def run(*_): pass\n"), template="other"))
    finally:
        await executor.close()


def test_the_engine_is_asked_for_a_few_things_and_never_for_files_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Deferred[None]:
    """Copying out by the engine, running more in a container and the like have been ways out of it."""
    asked: set[str] = set()
    send = requests.Session.request

    def request(session: requests.Session, method: str, url: str, *args: object, **kwargs: object) -> object:
        path = re.sub(r"^/(v[\d.]+/)?", "", urlsplit(url).path)
        asked.add(f"{method.upper()} {re.sub('[0-9a-f]{64}', 'ID', path)}")
        return send(session, method, url, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "request", request)
    return Deferred.fromCoroutine(lives(tmp_path)).addCallback(lambda _: asked_no_more(asked))


async def lives(folder: Path) -> None:
    """A whole life: a job that ends by itself, one that is stopped, a node that starts again."""
    assert isinstance(reactor, PosixReactorBase)
    executor = PooledExecutor(DockerLauncher(reactor), reactor, folder / "rooms", {}, Limits())
    await executor.probe()
    bench = Bench(executor, reactor, folder)
    assert await bench.report("def run(params, inputs, output):\n    return {}\n") == {}
    job = bench.job(FOREVER)
    running = bench.start(job)
    await executor.stop(job.job_id)
    await running
    await executor.close()


def asked_no_more(asked: set[str]) -> None:
    assert asked == {
        "GET version",
        "GET images/json",
        "GET containers/json",
        "POST containers/create",
        "POST containers/ID/attach",
        "POST containers/ID/start",
        "GET containers/ID/json",
        "DELETE containers/ID",
    }


NODE = """
import sys
from pathlib import Path
from twisted.internet import reactor
from golem.adapters.docker import DockerLauncher
from golem.model.spec import Limits
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import FOREVER, Bench
folder = Path(sys.argv[1])
executor = PooledExecutor(DockerLauncher(reactor), reactor, folder / "rooms", {}, Limits())
bench = Bench(executor, reactor, folder)
executor.probe().addCallback(lambda _: bench.start(bench.job(FOREVER)))
reactor.run()
"""


def containers(rooms: Path, *, running: bool) -> list[str]:
    """The containers of workers whose rooms are in a folder."""
    command = ["docker", "ps", "--format", '{{.ID}} {{.Label "golem.worker"}}', *([] if running else ["--all"])]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in said.splitlines() if f" {rooms}/" in line]


def test_a_container_ends_with_its_node_and_is_removed_when_that_starts_again(tmp_path: Path) -> Deferred[None]:
    rooms, end = tmp_path / "rooms", time.monotonic() + 60
    with subprocess.Popen([sys.executable, "-c", NODE, str(tmp_path)], cwd=Path(__file__).parents[2]) as node:
        while not (rooms / "room-2" / "out" / "0").exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert len(containers(rooms, running=True)) == 1
        node.kill()
    while containers(rooms, running=True) and time.monotonic() < end:
        time.sleep(0.05)
    assert (len(containers(rooms, running=True)), len(containers(rooms, running=False))) == (0, 1)
    assert isinstance(reactor, PosixReactorBase)
    executor = PooledExecutor(DockerLauncher(reactor), reactor, rooms, {}, Limits())

    def look(_: object) -> Deferred[None]:
        return executor.close().addCallback(lambda _: check())

    def check() -> None:
        while containers(rooms, running=False) and time.monotonic() < end:  # the engine may not be done removing
            time.sleep(0.05)
        assert containers(rooms, running=False) == []

    return executor.probe().addCallback(look)


def test_containers_that_are_left_in_a_folder_are_ended_and_named(tmp_path: Path) -> Deferred[None]:
    assert isinstance(reactor, PosixReactorBase)

    def look(_: object) -> None:
        for room in (tmp_path / "rooms" / "1", tmp_path.with_suffix(".other") / "1"):
            subprocess.run(["docker", "create", "--label", f"{LABEL}={room}", IMAGE, "true"], check=True)
        (named,) = end_workers(str(tmp_path))
        assert named.endswith(f" for {tmp_path}/rooms/1")
        assert end_workers(str(tmp_path)) == []
        assert len(end_workers(str(tmp_path.with_suffix(".other")))) == 1

    return DockerLauncher(reactor).check(str(tmp_path)).addCallback(look)
