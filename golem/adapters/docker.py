"""ILauncher by Docker: a container without network, rights or a writable root, which sees Python and its berth only.

Needs no image registry: the image is empty, and the machine's own system folders are mounted into it, read-only.
The SDK blocks, so it has two threads of its own; what a worker says comes through a socket that the reactor reads.
"""

from __future__ import annotations

import io
import os
import socket
import sys
import tarfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

import docker
from docker.errors import APIError, DockerException
from docker.types import LogConfig, Ulimit
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorCore, IReactorSocket, IReactorThreads, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from golem.errors import ExecutorFault
from golem.interfaces import Berth, IGuest, IGuestHearer, ILauncher
from golem.model.spec import Limits

IMAGE = "golem-host:2"  # another number whenever `_empty_image` makes another
LABEL = "golem.worker"
NOBODY = 65_534
MAX_PROCESSES = 256  # threads count
MAX_FILES = 1_024
TMP = "size=256m,nosuid,nodev,mode=1777"  # engines that do not heed the mode take that of the image's folder
BUILD_S = 600  # from one line of a build to the next: a step may install a renderer's libraries
CALL_S = 10  # the engine answers in milliseconds, or not at all
LOG_BURST_BYTES = 64 << 10  # a program that prints without end gets 640 KiB/s of the node's time, no more
LOG_PAUSE_S = 0.1
HEADER_BYTES = 8  # stream, three zeros, size: how the engine joins a container's two outputs
STDOUT = 1
GONE = (404, 409)  # what the engine says of a container that is removed already, or just now
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives")

P = ParamSpec("P")
R = TypeVar("R")


def is_reachable(runtime: str = "") -> bool:
    """Whether a Docker engine answers on this machine, and has that runtime. Blocks for as long as that takes."""
    try:
        client = docker.from_env(timeout=2)
        try:
            return bool(client.ping()) and (not runtime or runtime in client.info()["Runtimes"])
        finally:
            client.close()
    except (DockerException, OSError):
        return False


def end_workers(folder: str) -> list[str]:
    """End the containers of all nodes in a folder, and name them; none where no engine answers. Blocks."""
    try:
        client = docker.from_env(timeout=CALL_S)
        try:
            return _clear(client, folder)
        finally:
            client.close()
    except (DockerException, OSError):
        return []


def _clear(client: docker.DockerClient, folder: str) -> list[str]:
    """Remove the containers whose rooms are in a folder; says which."""
    found = []
    for container in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
        if container.labels[LABEL].startswith(f"{folder}/"):
            found.append(f"{container.name} for {container.labels[LABEL]}")
            try:
                container.remove(force=True)
            except APIError as why:
                if why.status_code not in GONE:
                    raise
    return found


def build(context: str, tag: str, base: str, hear: Callable[[str], None]) -> str:
    """Make an image of a folder with a Dockerfile, and say its id; `hear` is told each step. Blocks.

    `base`: what it begins with, if not what the Dockerfile says. Raises ExecutorFault in the engine's words.
    """
    arguments = {"BASE": base} if base else {}
    try:
        client = docker.from_env(timeout=BUILD_S)
        try:
            for told in client.api.build(
                path=context, tag=tag, buildargs=arguments, rm=True, forcerm=True, decode=True
            ):
                if "error" in told:
                    raise ExecutorFault(f"the image {tag} can't be built: {told['error']}")
                if line := told.get("stream", "").strip():
                    hear(line)
            return str(client.images.get(tag).id)
        finally:
            client.close()
    except (DockerException, OSError) as why:
        raise ExecutorFault(f"the image {tag} can't be built: {why}") from why


@implementer(IGuest)
class _Guest(Protocol):
    """The worker's two outputs and its input, over one socket."""

    def __init__(
        self, hearer: IGuestHearer, clock: IReactorTime, kill: Callable[[], None], gone: Callable[[], None]
    ) -> None:
        self._hearer = hearer
        self._clock = clock
        self._logged = 0
        self._kill = kill
        self._gone = gone
        self._rest = b""
        self.pid = 0
        self.inputs = "/in"
        self.output = "/out"

    def dataReceived(self, data: bytes) -> None:
        """Take the outputs apart again."""
        self._rest += data
        while len(self._rest) >= HEADER_BYTES:
            end = HEADER_BYTES + int.from_bytes(self._rest[4:HEADER_BYTES], "big")
            if len(self._rest) < end:
                return
            stream, said, self._rest = self._rest[0], self._rest[HEADER_BYTES:end], self._rest[end:]
            (self._hearer.said if stream == STDOUT else self._log)(said)

    def _log(self, data: bytes) -> None:
        self._hearer.logged(data)
        self._logged += len(data)
        if self._logged >= LOG_BURST_BYTES and self.transport is not None:
            self._logged = 0
            channel = IPushProducer(self.transport)
            channel.pauseProducing()
            self._clock.callLater(LOG_PAUSE_S, channel.resumeProducing)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The container has ended."""
        self._gone()

    def write(self, data: bytes) -> None:
        """Send to standard input."""
        if self.transport is not None:
            self.transport.write(data)

    def kill(self) -> None:
        """End the container."""
        self._kill()


@implementer(ILauncher)
class DockerLauncher:
    """Workers in containers. `python`: the interpreter whose modules jobs may import, where no image has its own.

    `runtime`: what makes the containers, if not what the engine does by default: `runsc`, `kata` …
    """

    takes_images = True
    is_wasm = False

    def __init__(self, reactor: IReactorThreads, python: str = sys.executable, runtime: str = "") -> None:
        self.tier = f"docker-{runtime}" if runtime else "docker"
        self._runtime = runtime
        self._reactor = reactor
        self._python = python
        self._pool = ThreadPool(0, 2, "docker")
        self._user = NOBODY if os.geteuid() == 0 else os.geteuid()
        self._client: docker.DockerClient | None = None

    def _engine(self) -> docker.DockerClient:
        if self._client is None:
            raise ExecutorFault("the Docker engine was not checked yet")
        return self._client

    async def _call(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            answer: R = await deferToThreadPool(self._reactor, self._pool, work, *args, **kwargs)
        except (DockerException, OSError) as why:
            raise ExecutorFault(f"the Docker engine failed: {why}") from why
        return answer

    def check(self, rooms: str) -> Deferred[None]:
        """See that an engine answers, make the image, and remove the containers of an earlier run of this node."""
        return Deferred.fromCoroutine(self._check(rooms))

    async def _check(self, rooms: str) -> None:
        if not self._pool.started:
            self._pool.start()
            IReactorCore(self._reactor).addSystemEventTrigger("after", "shutdown", self._pool.stop)
        await self._call(self._prepare, rooms)

    def _prepare(self, rooms: str) -> None:
        self._client = docker.from_env(timeout=CALL_S)
        if self._runtime and self._runtime not in (known := sorted(self._client.info()["Runtimes"])):
            raise ExecutorFault(f"the Docker engine has no runtime {self._runtime!r}; it has: {', '.join(known)}")
        if not self._client.api.images(name=IMAGE, quiet=True):
            repository, _, tag = IMAGE.partition(":")
            self._client.api.import_image_from_data(_empty_image(), repository=repository, tag=tag)
        _clear(self._client, rooms)

    def launch(self, berth: Berth, limits: Limits, hearer: IGuestHearer) -> Deferred[IGuest]:
        """Start a container and attach to it."""
        return Deferred.fromCoroutine(self._launch(berth, limits, hearer))

    async def _launch(self, berth: Berth, limits: Limits, hearer: IGuestHearer) -> IGuest:
        if os.geteuid() == 0:
            os.chown(berth.output, NOBODY, NOBODY)
        name = await self._call(self._create, berth, limits)
        clock = IReactorTime(self._reactor)
        guest = _Guest(hearer, clock, lambda: self._later(self._kill, name), lambda: self._bury(name, hearer))
        try:
            with await self._call(self._attach, name) as channel:
                IReactorSocket(self._reactor).adoptStreamConnection(channel.fileno(), socket.AF_UNIX, _Door(guest))
            guest.pid = await self._call(self._start, name)
        except ExecutorFault:
            self._later(self._kill, name)
            raise
        return guest

    def _create(self, berth: Berth, limits: Limits) -> str:
        api = self._engine().api
        binds = {} if berth.image else {path: {"bind": path, "mode": "ro"} for path in self._system()}
        binds |= {
            berth.program: {"bind": "/app", "mode": "ro"},
            berth.inputs: {"bind": "/in", "mode": "ro"},
            berth.output: {"bind": "/out", "mode": "rw"},
            berth.worker: {"bind": "/guest/worker.py", "mode": "ro"},
        }
        binds |= {berth.modules: {"bind": "/modules", "mode": "ro"}} if berth.modules else {}
        python = ["python3", "-B"] if berth.image else [self._python, "-I", "-B"]  # an image says where its modules are
        environment = {"HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}
        made = api.create_container(
            berth.image or IMAGE,
            [*python, "/guest/worker.py", "/app", *(["/modules"] if berth.modules else [])],
            entrypoint=[],
            stdin_open=True,
            user=f"{self._user}:{self._user}",
            hostname="job",
            working_dir="/tmp",
            environment=environment if berth.image else {**environment, "PATH": "/usr/bin:/bin"},
            labels={LABEL: berth.room},
            host_config=self._confined(binds, berth.devices, limits),
        )
        return str(made["Id"])

    def _start(self, name: str) -> int:
        """Start a container; the process that this machine knows it by, or 0 where it has ended already."""
        api = self._engine().api
        api.start(name)
        return int(api.inspect_container(name)["State"]["Pid"])

    def _attach(self, name: str) -> socket.socket:
        """A socket to the worker, before it starts, so that nothing it says is lost."""
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        attached = self._engine().api.attach_socket(name, params=streams)
        channel: socket.socket = attached._sock  # the SDK wraps the socket that it has, and names no other way to it
        return channel

    def _confined(self, binds: dict[str, dict[str, str]], devices: Sequence[str], limits: Limits) -> dict[str, object]:
        made: dict[str, object] = self._engine().api.create_host_config(
            binds=binds,
            devices=[f"{path}:{path}:rw" for path in devices],
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=MAX_PROCESSES,
            mem_limit=limits.memory_bytes,
            memswap_limit=limits.memory_bytes,
            nano_cpus=limits.cores * 10**9,
            ulimits=[
                Ulimit(name="nofile", soft=MAX_FILES, hard=MAX_FILES),
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="fsize", soft=limits.output_bytes, hard=limits.output_bytes),
            ],
            ipc_mode="private",
            init=True,
            runtime=self._runtime or None,
            log_config=LogConfig(type="none"),
            tmpfs={"/tmp": TMP},
        )
        return made

    def _system(self) -> list[str]:
        folders = {sys.prefix, sys.base_prefix, str(Path(self._python).resolve().parent.parent)}
        more = [f for f in sorted(folders) if not any(Path(f).is_relative_to(p) for p in SYSTEM)]
        return [*(p for p in SYSTEM if Path(p).exists()), *more]

    def _kill(self, name: str) -> None:
        self._engine().api.remove_container(name, force=True)

    def _later(self, work: Callable[[str], None], name: str) -> None:
        done: Deferred[None] = Deferred.fromCoroutine(self._call(work, name))
        done.addErrback(lambda why: None if why.check(ExecutorFault) else why)

    def _bury(self, name: str, hearer: IGuestHearer) -> None:
        done: Deferred[tuple[str, bool]] = Deferred.fromCoroutine(self._call(self._autopsy, name))
        done.addErrback(lambda _: ("ended by the engine", False))
        done.addCallback(lambda how: hearer.ended(*how))

    def _autopsy(self, name: str) -> tuple[str, bool]:
        """How a container ended; it is removed."""
        state = self._engine().api.inspect_container(name)["State"]
        with suppress(DockerException):  # who killed it removes it, too
            self._engine().api.remove_container(name, force=True)
        return f"exit code {state['ExitCode']}", bool(state["OOMKilled"])


class _Door(ServerFactory):
    """Lets one worker in, which is there already."""

    noisy = False

    def __init__(self, guest: _Guest) -> None:
        self._guest = guest

    def buildProtocol(self, addr: object) -> _Guest:
        """It."""
        return self._guest


def _empty_image() -> bytes:
    """A root with the folders that mounts need, and nothing in them."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in ("usr", "etc", "proc", "sys", "dev", "tmp", "in", "out", "app", "guest"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
    return data.getvalue()
