"""A template whose programs are WebAssembly keeps the contract as any other, computed by wasmtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest
from zope.interface import implementer

from apps.tally.template import Tally
from golem.interfaces import ITaskTemplate, IVerifier
from golem.model.ids import JobId, NodeId, SubtaskId, TaskId
from golem.model.messages import Delivery
from golem.model.spec import WASI, Chunk, Environment, Job, Merge, TaskSpec
from golem.template import SpotCheck, to_json
from golem.testing.trial import Trial

pytestmark = pytest.mark.skipif(find_spec("wasmtime") is None, reason="pip install 'golem[wasm]': not proven here")

HEAD = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0x100) "said")
  (func $copy (param $to i32)
    (i32.store (i32.const 0) (i32.const 0x1000))
    (i32.store (i32.const 4) (i32.const 0x4000))
    (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (if (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
"""
PROGRAMS = {
    "repeat": '(func (export "_start") (call $copy (i32.const 1))))',
    "keep": """(func (export "_start")
      (if (call $open (i32.const 4) (i32.const 0) (i32.const 0x100) (i32.const 4) (i32.const 1) (i64.const 0x40)
            (i64.const 0) (i32.const 0) (i32.const 12)) (then unreachable))
      (call $copy (i32.load (i32.const 12)))))""",
}


@implementer(ITaskTemplate)
class Repeat(Tally):
    """Every chunk is answered with its own parameters, and all answers are kept in a file."""

    name = "repeat"
    environment = Environment(name="repeat-wasi", modules=(WASI,))

    def __init__(self, programs: Path) -> None:
        self.programs = str(programs)

    def job(self, spec: TaskSpec, chunk: Chunk, subtask: SubtaskId, provider: NodeId) -> Job:
        return self._of(spec, "repeat", chunk.params, JobId(subtask))

    def merge(self, spec: TaskSpec, merge: Merge, deliveries: Mapping[int, Delivery]) -> Job:
        answers: Sequence[object] = [msgspec.json.decode(deliveries[index].report) for index in merge.chunks]
        return self._of(spec, "keep", to_json({"answers": answers}), JobId(""))

    def verifier(self, spec: TaskSpec) -> IVerifier:
        return SpotCheck(lambda chunk: msgspec.json.decode(chunk.params))

    def _of(self, spec: TaskSpec, program: str, params: bytes, job_id: JobId) -> Job:
        return Job(
            job_id=job_id,
            task_id=TaskId(""),
            template=self.name,
            program=program,
            params=params,
            limits=spec.limits,
            warm=True,
        )


def test_a_template_in_webassembly_keeps_the_contract(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    for name, body in PROGRAMS.items():
        (folder / f"{name}.wat").write_text(HEAD + body)
    findings = list(Trial(Repeat(folder), tmp_path, {"chunks": "3"}).findings())
    assert [one for one in findings if one.is_held is False] == []
    assert {one.detail for one in findings} >= {"keep, repeat", "said"}
