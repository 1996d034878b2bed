"""What a job costs in each tier: the executor's own time beside the bare tool that makes the same sandbox.

`sandbox_ms`: a cold job in bubblewrap over the same program in a plain process, `sandbox_ratio` over a bare `bwrap`;
`wasm_ms`: its like in WebAssembly over the plain process. `docker_ratio`: a cold job in Docker over a bare `docker run`
of the same program with the same limits; `gvisor_ratio`: the same, both with the runtime `runsc`. `warm_ms`: a job in a
worker that is there already. The best of the rounds, taken in turns; what each took goes to standard error. What this
machine has not is 0.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks.figures import arguments, show
from golem.adapters.docker import IMAGE, SYSTEM, TMP, DockerLauncher, is_reachable
from golem.adapters.launchers.bubblewrap import BubblewrapLauncher
from golem.adapters.launchers.wasm import WasmLauncher
from golem.interfaces import ILauncher, Room
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Job, Limits, Outcome, Status
from golem.node.executor import PooledExecutor

PROGRAM = "def run(params, inputs, output):\n    return {'twice': params['number'] * 2}\n"
TWICE = rb"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\0c\00\00\00{\"twice\":42}")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))))
"""
BARE = "import json, sys; print(json.dumps({'twice': json.loads(sys.argv[1])['number'] * 2}))"
LIMITS = Limits(timeout_ms=60_000, memory_bytes=512 << 20)
FOLDERS = sorted({sys.prefix, sys.base_prefix})
RUNTIMES = ("runc", "runsc")
WARM = 200  # warm jobs in one measurement


class Bench:
    """One tier's executor, and jobs for it."""

    def __init__(self, launcher: ILauncher, reactor: object, folder: Path) -> None:
        self.executor = PooledExecutor(launcher, reactor, folder / "rooms", {}, LIMITS)  # type: ignore[arg-type]  # it is
        self._folder = folder
        self._jobs = 0
        (folder / "program").mkdir(parents=True)
        (folder / "program" / "twice.py").write_text(PROGRAM)
        (folder / "program" / "twice.wat").write_bytes(TWICE)

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


def docker(runtime: str) -> list[str]:
    """The same by Docker, with the limits that ours has."""
    command = ["docker", "run", "--rm", "-i", "--init", "--runtime", runtime, "--network", "none", "--read-only"]
    command += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "65534:65534"]
    command += ["--pids-limit", "256", "--cpus", "1"]
    command += ["--memory", "512m", "--memory-swap", "512m", "--tmpfs", f"/tmp:{TMP}", "--log-driver", "none"]
    for path in (*(p for p in SYSTEM if Path(p).exists()), *FOLDERS):
        command += ["-v", f"{path}:{path}:ro"]
    return [*command, IMAGE]


def launchers(reactor: object) -> list[ILauncher]:
    """Of the tiers that this machine has beside bubblewrap's."""
    found: list[ILauncher] = [DockerLauncher(reactor, runtime=name) for name in RUNTIMES if is_reachable(name)]  # type: ignore[arg-type]  # the reactor
    return [WasmLauncher(reactor), *found] if find_spec("wasmtime") else found  # type: ignore[arg-type]  # likewise


async def warm_ms(bench: Bench) -> float:
    """Run many jobs in one worker, and say how long each took."""
    await bench.ms(warm=True)
    began = time.monotonic()
    for _ in range(WARM):
        await bench.ms(warm=True)
    return (time.monotonic() - began) * 1000 / WARM


async def measure(reactor: object, rounds: int) -> None:
    """Take all in turns, so that what else the machine does falls on all alike."""
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        folder.chmod(0o755)
        all_tiers = [BubblewrapLauncher(reactor), *launchers(reactor)]  # type: ignore[arg-type]  # the reactor
        benches = {launcher.tier: Bench(launcher, reactor, folder / launcher.tier) for launcher in all_tiers}
        for bench in benches.values():
            await bench.executor.probe()
        for _ in range(rounds):
            took.setdefault("process", []).append(bare_ms([]))
            took.setdefault("bwrap", []).append(bare_ms(bubblewrap()))
            took.setdefault("warm", []).append(await warm_ms(benches["sandbox"]))
            for tier, bench in benches.items():
                if runtime := tier.partition("docker-")[2]:
                    took.setdefault(f"{runtime}_run", []).append(bare_ms(docker(runtime)))
                took.setdefault(tier, []).append(await bench.ms())
        for bench in benches.values():
            await bench.executor.close()
    report({name: min(times) for name, times in took.items()})


def report(best: dict[str, float]) -> None:
    """Print the figures, and to standard error what they are made of."""
    print({name: round(value, 1) for name, value in best.items()}, file=sys.stderr)
    docker_ratio, gvisor_ratio = (best.get(f"docker-{name}", 0.0) / best.get(f"{name}_run", 1.0) for name in RUNTIMES)
    show(
        sandbox_ms=round(best["sandbox"] - best["process"], 1),
        sandbox_ratio=round(best["sandbox"] / best["bwrap"], 3),
        wasm_ms=round(best.get("wasm", best["process"]) - best["process"], 1),
        docker_ratio=round(docker_ratio, 3),
        gvisor_ratio=round(gvisor_ratio, 3),
        warm_ms=round(best["warm"], 2),
    )


if __name__ == "__main__":
    rounds = arguments(__doc__ or "", rounds=15).rounds
    react(lambda reactor: Deferred.fromCoroutine(measure(reactor, rounds)))
