"""ILauncher by WebAssembly: programs reach their two folders and their own memory, since they have no words for more.

They are run by wasmtime in a process of this machine, which is watched as any worker is; it has given up the calls that
no job needs, and none of its threads ever runs a stranger's machine code that wasmtime did not make.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from zope.interface import implementer

from golem.adapters.launchers.host import HostLauncher
from golem.errors import ExecutorFault
from golem.interfaces import Berth, ILauncher
from golem.model.spec import Limits

WORKER = str(Path(__file__).parent / "wasm_worker.py")
FUEL_PER_MS = 1_000_000  # about an instruction each: what a slow core does in its time, so that fast ones do no more


def fuel(limits: Limits) -> int:
    """What a job may burn."""
    return FUEL_PER_MS * limits.timeout_ms


@implementer(ILauncher)
class WasmLauncher(HostLauncher):
    """Workers whose programs are WebAssembly."""

    tier = "wasm"
    is_wasm = True

    async def _check(self, rooms: str) -> None:
        await super()._check(rooms)
        if find_spec("wasmtime") is None:
            raise ExecutorFault("wasmtime is not installed: pip install 'golem[wasm]'")

    def worker(self, berth: Berth, limits: Limits) -> list[str]:
        """The script that serves jobs; it finds the usual one, and does but the calling otherwise."""
        return [WORKER, berth.worker, berth.program, str(limits.memory_bytes), str(fuel(limits))]
