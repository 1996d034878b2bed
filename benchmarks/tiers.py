"""What a job costs in each tier: the executor's own time beside the bare tool that makes the same sandbox.

`sandbox_ms`: a cold job in bubblewrap over the same program in a plain process. `docker_ratio`: a cold job in Docker
over a bare `docker run` of the same program with the same limits. `warm_ms`: a job in a worker that is there already.
The best of the rounds, taken in turns; what each took goes to standard error.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks.figures import arguments, show
from golem.adapters.docker import IMAGE, SYSTEM, TMP, DockerLauncher, is_reachable
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.interfaces import ILauncher, Room
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Job, Limits, Outcome, Status
from golem.node.executor import PooledExecutor

PROGRAM = "def run(params, inputs, output):\n    return {'twice': params['number'] * 2}\n"
BARE = "import json, sys; print(json.dumps({'twice': json.loads(sys.argv[1])['number'] * 2}))"
LIMITS = Limits(timeout_ms=60_000, memory_bytes=512 << 20)
FOLDERS = sorted({sys.prefix, sys.base_prefix})
WARM = 200  # warm jobs in one measurement


class Bench:
    """One tier's executor, and jobs for it."""

    def __init__(self, launcher: ILauncher, reactor: object, folder: Path) -> None:
        self.executor = PooledExecutor(launcher, reactor, folder / "rooms", [], LIMITS)  # type: ignore[arg-type]  # it is
        self._folder = folder
        self._jobs = 0
        (folder / "program").mkdir(parents=True)
        (folder / "program" / "twice.py").write_text(PROGRAM)

    async def ms(self, *, warm: bool = False) -> float:
        """Run one job, and say how long that took."""
        self._jobs += 1
        job = Job(
            job_id=JobId(derive("job", self._jobs)),
            task_id=TaskId(derive("task")),
            template="twice",
            program="twice",
            params=b'{"number":21}',
            limits=LIMITS,
            warm=warm,
        )
        room = Room(program=str(self._folder / "program"), inputs={}, output=str(self._folder / "made"))
        began = time.monotonic()
        outcome: Outcome = await self.executor.run(job, room)
        assert (outcome.status, outcome.report) == (Status.DONE, b'{"twice":42}'), outcome
        return (time.monotonic() - began) * 1000


def bare_ms(command: list[str]) -> float:
    """Run the program by the bare tool, and say how long that took."""
    began = time.monotonic()
    said = subprocess.run(
        [*command, sys.executable, "-I", "-c", BARE, '{"number":21}'], capture_output=True, check=True
    )
    assert b"42" in said.stdout
    return (time.monotonic() - began) * 1000


def bubblewrap() -> list[str]:
    """The shortest command line that runs Python by namespaces of its own."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in (*(p for p in SYSTEM if Path(p).exists()), *FOLDERS):
        command += ["--ro-bind", path, path]
    return command


def docker() -> list[str]:
    """The same by Docker, with the limits that ours has."""
    command = ["docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--init", "-i"]
    command += ["--security-opt", "no-new-privileges", "--user", "65534:65534", "--pids-limit", "256", "--cpus", "1"]
    command += ["--memory", "512m", "--memory-swap", "512m", "--tmpfs", f"/tmp:{TMP}", "--log-driver", "none"]
    for path in (*(p for p in SYSTEM if Path(p).exists()), *FOLDERS):
        command += ["-v", f"{path}:{path}:ro"]
    return [*command, IMAGE]


async def measure(reactor: object, rounds: int) -> None:
    """Take all in turns, so that what else the machine does falls on all alike."""
    took: dict[str, list[float]] = {}

    async def take(name: str, what: Callable[[], object]) -> None:
        found = what()
        took.setdefault(name, []).append(float(str(await found if isinstance(found, Deferred) else found)))

    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        folder.chmod(0o755)
        sandbox = Bench(BubblewrapLauncher(reactor), reactor, folder / "sandbox")  # type: ignore[arg-type]  # the reactor
        await sandbox.executor.probe()
        tiers = [sandbox]
        if is_reachable():
            tiers.append(Bench(DockerLauncher(reactor), reactor, folder / "docker"))  # type: ignore[arg-type]  # likewise
            await tiers[1].executor.probe()
        for _ in range(rounds):
            await take("process", lambda: bare_ms([]))
            await take("bwrap", lambda: bare_ms(bubblewrap()))
            await take("sandbox", lambda: Deferred.fromCoroutine(sandbox.ms()))
            await sandbox.ms(warm=True)
            began = time.monotonic()
            for _ in range(WARM):
                await sandbox.ms(warm=True)
            took.setdefault("warm", []).append((time.monotonic() - began) * 1000 / WARM)
            for tier in tiers[1:]:
                await take("docker_run", lambda: bare_ms(docker()))
                await take("docker", lambda tier=tier: Deferred.fromCoroutine(tier.ms()))
        for tier in tiers:
            await tier.executor.close()
    report({name: min(times) for name, times in took.items()})


def report(best: dict[str, float]) -> None:
    """Print the figures, and to standard error what they are made of; without a Docker engine, its ratio is 0."""
    print({name: round(value, 1) for name, value in best.items()}, file=sys.stderr)
    ratio = best["docker"] / best["docker_run"] if "docker" in best else 0.0
    show(
        sandbox_ms=round(best["sandbox"] - best["process"], 1),
        docker_ratio=round(ratio, 3),
        warm_ms=round(best["warm"], 2),
    )


if __name__ == "__main__":
    rounds = arguments(__doc__ or "", rounds=15).rounds
    react(lambda reactor: Deferred.fromCoroutine(measure(reactor, rounds)))
