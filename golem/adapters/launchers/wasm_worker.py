"""Serves jobs whose programs are WebAssembly, in a process of its own: guest/worker.py with another way to call them.

    python wasm_worker.py WORKER PROGRAMS MEMORY_BYTES FUEL

A program is a module of WASI preview 1 with `_start`, in PROGRAMS as `NAME.wasm`, or as text in `NAME.wat`. It reads
its parameters, JSON, from standard input, its inputs in /in, writes files to /out, its report, JSON, to standard output
and its log to standard error. It sees no other file, no variable, no network.
"""

from __future__ import annotations

import errno
import json
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TypedDict

import wasmtime

MAX_REPORT_BYTES = 4 << 10  # as golem.model.spec.MAX_REPORT_BYTES
MAX_MODULES = 8  # kept compiled; a template has a few programs
MAX_STACK_BYTES = 1 << 20


class Order(TypedDict):
    """A job, as the node tells it."""

    job: str
    program: str
    params: dict[str, object]
    inputs: str
    output: str


class Programs:
    """The programs of a folder, each compiled once."""

    def __init__(self, folder: Path, memory_bytes: int, fuel: int) -> None:
        config = wasmtime.Config()
        config.consume_fuel = True
        config.max_wasm_stack = MAX_STACK_BYTES
        config.parallel_compilation = False  # one core was asked for
        self._engine = wasmtime.Engine(config)
        self._linker = wasmtime.Linker(self._engine)
        self._linker.define_wasi()
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._fuel = fuel
        self._modules: dict[str, wasmtime.Module] = {}

    def call(self, job: Order) -> object:
        """Run a job's program and say what it reported."""
        said = bytearray()
        with tempfile.NamedTemporaryFile() as params:
            params.write(json.dumps(job["params"]).encode())
            params.flush()
            store = self._store(job, params.name, said)
            start = self._start(store, job["program"])
            try:
                start(store)
            except wasmtime.ExitTrap as why:
                if why.code:
                    raise ValueError(f"the program ended with exit code {why.code}") from None
            except wasmtime.Trap as why:
                if len(said) > MAX_REPORT_BYTES:
                    raise ValueError(f"the report has more than {MAX_REPORT_BYTES} bytes") from None
                if not store.get_fuel():
                    raise ValueError(f"the program used up its fuel of {self._fuel} instructions") from None
                raise ValueError(f"the program trapped: {why.trap_code or why.message}") from None
            finally:
                store.close()
        if len(said) > MAX_REPORT_BYTES:
            raise ValueError(f"the report has more than {MAX_REPORT_BYTES} bytes")
        return json.loads(said.decode()) if said.strip() else {}

    def _store(self, job: Order, params: str, said: bytearray) -> wasmtime.Store:
        def hear(data: bytes) -> int:
            said.extend(data[: MAX_REPORT_BYTES + 1 - len(said)])
            return len(data) if len(said) <= MAX_REPORT_BYTES else -errno.EFBIG

        wasi = wasmtime.WasiConfig()
        wasi.argv = [job["program"]]
        wasi.stdin_file = params
        wasi.stdout_custom = hear
        wasi.inherit_stderr()
        wasi.preopen_dir(job["inputs"], "/in", fs_mutable=False)
        wasi.preopen_dir(job["output"], "/out")
        store = wasmtime.Store(self._engine)
        store.set_wasi(wasi)
        store.set_fuel(self._fuel)
        store.set_limits(memory_size=self._memory_bytes, instances=1, memories=1)
        return store

    def _start(self, store: wasmtime.Store, program: str) -> wasmtime.Func:
        try:
            instance = self._linker.instantiate(store, self._module(program))
        except wasmtime.WasmtimeError as why:
            raise ValueError(f"{program} is no program that can be run here: {why}") from None
        start = instance.exports(store).get("_start")
        if not isinstance(start, wasmtime.Func):
            raise ValueError(f"{program} has no function _start")
        return start

    def _module(self, program: str) -> wasmtime.Module:
        if program not in self._modules:
            binary, text = (self._folder / f"{program}.{ending}" for ending in ("wasm", "wat"))
            if not (binary.is_file() or text.is_file()):
                raise ValueError(f"there is no {binary.name}: only programs in WebAssembly run here")
            code = binary.read_bytes() if binary.is_file() else bytes(wasmtime.wat2wasm(text.read_text()))
            if len(self._modules) >= MAX_MODULES:
                self._modules.clear()
            self._modules[program] = wasmtime.Module(self._engine, code)
        return self._modules[program]


def load(path: str) -> ModuleType:
    """The worker, which is a script and in nobody's path."""
    spec = spec_from_file_location("worker", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    worker, folder, memory, fuel = sys.argv[1:]
    load(worker).serve(Programs(Path(folder), int(memory), int(fuel)).call)
