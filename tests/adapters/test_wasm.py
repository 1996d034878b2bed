"""Programs in WebAssembly: what they are given, what they reach, and how they end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.launchers.wasm import WasmLauncher
from golem.model.ids import JobId, TaskId, derive
from golem.model.spec import Job, Limits, Outcome, Status
from golem.node.computer import Computer
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench
from golem.testing.store import MemoryResourceStore, MemoryWorld
from tests.hostile.waiting import waited

pytestmark = pytest.mark.skipif(find_spec("wasmtime") is None, reason="pip install 'golem[wasm]': not proven here")
MIB = 1 << 20
LIMITS = Limits(timeout_ms=20_000, memory_bytes=256 * MIB, output_bytes=MIB)

WASI_CALLS = """
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0x100) "made")
  (data (i32.const 0x200) "log line\\0a")
  (data (i32.const 0x300) "{")
  (data (i32.const 0x400) "a/b")
  (func $iovec (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length)))
  (func $tell (param $fd i32) (param $at i32) (param $length i32)
    (call $iovec (local.get $at) (local.get $length))
    (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
  (func $copy (param $from i32) (param $to i32)
    (call $iovec (i32.const 0x1000) (i32.const 0x1000))
    (if (call $read (local.get $from) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
    (call $tell (local.get $to) (i32.const 0x1000) (i32.load (i32.const 8))))
  (func $opened (param $folder i32) (param $name i32) (param $length i32) (param $how i32) (param $rights i64)
    (result i32)
    (if (call $open (local.get $folder) (i32.const 0) (local.get $name) (local.get $length) (local.get $how)
          (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 12))
      (then (call $exit (i32.const 7))))
    (i32.load (i32.const 12)))
"""
ECHO = "(call $tell (i32.const 2) (i32.const 0x200) (i32.const 9)) (call $copy (i32.const 0) (i32.const 1))"
FILES = """
  (call $copy
    (call $opened (i32.const 3) (i32.const 0x400) (i32.const 3) (i32.const 0) (i64.const 2))
    (call $opened (i32.const 4) (i32.const 0x100) (i32.const 4) (i32.const 1) (i64.const 0x40)))
"""
ECHO_TO_FILE = """
  (call $copy (i32.const 0)
    (call $opened (i32.const 4) (i32.const 0x100) (i32.const 4) (i32.const 1) (i64.const 0x40)))
"""
WRITES_INPUT = "(drop (call $opened (i32.const 3) (i32.const 0x100) (i32.const 4) (i32.const 1) (i64.const 0x40)))"
FOLLOWS = "(drop (call $opened (i32.const 3) (i32.const 0x400) (i32.const 1) (i32.const 0) (i64.const 2)))"
SPINS = "(loop $on (br $on))"
GROWS = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 256)) (i32.const -1)))) unreachable"
FILLS = """
  (local $fd i32)
  (local.set $fd (call $opened (i32.const 4) (i32.const 0x100) (i32.const 4) (i32.const 1) (i64.const 0x40)))
  (loop $on (call $tell (local.get $fd) (i32.const 0x1000) (i32.const 0x8000)) (br $on))
"""
TALKS = "(loop $on (call $tell (i32.const 1) (i32.const 0x1000) (i32.const 0x8000)) (br $on))"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    assert isinstance(reactor, PosixReactorBase)
    launcher = WasmLauncher(reactor)
    executor = PooledExecutor(launcher, reactor, tmp_path / "rooms", {}, Limits(cores=1, memory_bytes=1 << 30))
    blockon(launcher.check(str(tmp_path / "rooms")))
    yield Bench(executor, reactor, tmp_path)
    blockon(executor.close())


def job(bench: Bench, body: str, limits: Limits = LIMITS, *, warm: bool = False, name: str = "") -> Job:
    """One whose program does this."""
    program = name or f"p{derive(body)}"
    text = f'(module {WASI_CALLS} (func (export "_start") {body}))' if body else "(module"
    (bench.programs / f"{program}.wat").write_text(text)
    return Job(
        job_id=JobId(derive("job", body, str(warm))),
        task_id=TaskId(derive("task")),
        template="wasm",
        program=program,
        params=b'{"number":21}',
        limits=limits,
        warm=warm,
    )


async def ran(bench: Bench, body: str, limits: Limits = LIMITS) -> Outcome:
    return await bench.start(job(bench, body, limits))


@waited
async def test_parameters_come_by_standard_input_and_the_report_leaves_by_standard_output(bench: Bench) -> None:
    outcome = await ran(bench, ECHO)
    assert outcome.status is Status.DONE, outcome
    assert outcome.report.replace(b" ", b"") == b'{"number":21}'
    assert outcome.log == "log line\n"


@waited
async def test_a_program_reads_its_inputs_and_writes_its_output(bench: Bench) -> None:
    folder = bench.folder / "a"
    folder.mkdir()
    (folder / "b").write_text("content")
    work = job(bench, FILES)
    outcome = await bench.start(work, a=folder)
    assert outcome.status is Status.DONE, outcome
    assert (bench.made(work) / "made").read_text() == "content"


@waited
async def test_inputs_can_not_be_written_and_links_lead_nowhere(bench: Bench) -> None:
    folder = bench.folder / "outside"
    folder.mkdir()
    (folder / "a").symlink_to("/etc/passwd")
    assert "exit code 7" in (await ran(bench, WRITES_INPUT)).detail
    assert "exit code 7" in (await bench.start(job(bench, FOLLOWS), a=folder / "a")).detail


ENDS = {
    "fuel": (SPINS, "used up its fuel of 1000000 instructions"),
    "memory": (GROWS, "trapped"),
    "disk": (FILLS, "trapped|1 MiB"),
    "report": (TALKS, "the report has more than 4096 bytes"),
    "trap": ("unreachable", "trapped: TrapCode.UNREACHABLE"),
    "exit": ("(call $exit (i32.const 3))", "exit code 3"),
    "no json": ("(call $tell (i32.const 1) (i32.const 0x300) (i32.const 1))", "JSONDecodeError"),
    "no program": ("", "expected"),
}


@pytest.mark.parametrize("how", ENDS)
@waited
async def test_how_a_program_fails_is_named_and_others_go_on(
    bench: Bench, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, says = ENDS[how]
    if how == "fuel":
        monkeypatch.setattr("golem.adapters.launchers.wasm.FUEL_PER_MS", 50)
    outcome = await ran(bench, body)
    assert outcome.status in (Status.ERROR, Status.OUTPUT_REFUSED), outcome
    assert re.search(says, outcome.detail), outcome
    assert outcome.peak_bytes < 512 * MIB
    assert (await ran(bench, ECHO)).status is Status.DONE


@waited
async def test_a_program_that_does_not_end_ends_with_its_time(bench: Bench) -> None:
    outcome = await ran(bench, SPINS, Limits(timeout_ms=100))
    assert outcome.status in (Status.TIMEOUT, Status.ERROR), outcome
    assert outcome.used_ms < 3_000


@waited
async def test_a_program_that_is_not_there_is_named(bench: Bench) -> None:
    work = job(bench, ECHO, name="gone")
    (bench.programs / "gone.wat").unlink()
    (bench.programs / "gone.py").write_text("def run(params, inputs, output):\n    return {}\n")
    outcome = await bench.start(work)
    assert outcome.status is Status.ERROR
    assert "there is no gone.wasm: only programs in WebAssembly run here" in outcome.detail


@waited
async def test_a_node_runs_a_program_and_keeps_what_it_made(bench: Bench) -> None:
    assert isinstance(reactor, PosixReactorBase)
    store = MemoryResourceStore(MemoryWorld(reactor), "near:1")
    computer = Computer(bench.executor, store, lambda _: str(bench.programs), bench.folder / "computer", 1)
    computer.startService()
    outcome = await computer.run(job(bench, ECHO_TO_FILE))
    assert outcome.status is Status.DONE, outcome
    assert outcome.result and outcome.size_bytes == len(b'{"number": 21}')


@waited
async def test_a_warm_worker_keeps_nothing_of_an_earlier_job_but_its_code(bench: Bench) -> None:
    counts = """
      (i32.store8 (i32.const 0x301) (i32.const 125))
      (if (i32.load (i32.const 0x500)) (then (call $exit (i32.const 9))))
      (i32.store (i32.const 0x500) (i32.const 1))
      (call $tell (i32.const 1) (i32.const 0x300) (i32.const 2))
    """
    for _ in range(3):
        outcome = await bench.start(job(bench, counts, warm=True))
        assert outcome.status is Status.DONE, outcome
