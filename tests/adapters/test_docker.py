"""The Docker sandbox keeps the contract of executors, for real."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet import reactor
from twisted.internet.posixbase import PosixReactorBase

from golem.adapters.docker import NOBODY, DockerLauncher, is_reachable
from golem.model.spec import Limits
from golem.node.executor import PooledExecutor
from golem.testing.contract_executor import Bench, SandboxContract, waited

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
        executor = PooledExecutor(launcher, reactor, tmp_path / "rooms", [], Limits(cores=1, memory_bytes=1 << 30))
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
