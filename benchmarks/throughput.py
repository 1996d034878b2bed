"""No-op subtasks per second through one requestor and two providers, beside dask.distributed with two workers.

Real processes, signatures, journal and accounting on. Prints one JSON object:
{"ours_per_s", "dask_per_s", "ours_cpu_ms", "dask_cpu_ms"}; CPU is of the whole process tree, per subtask.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from golem.api import Session
from golem.cli.local import REQUESTOR, LocalNetwork, Member

PROVIDING = {"provider.enabled": "true", "provider.min_price": "0.001"}
SETTINGS = {
    "provider.templates": "echo",
    "payment.closure": "1s",
    "timing.observe": "500ms",
    "provider.executor": "sandbox",
}


def cpu_s(root: int) -> float:
    """CPU seconds of a process and all its descendants, ended ones that were waited for included."""
    tick = os.sysconf("SC_CLK_TCK")
    total, todo = 0, [root]
    while todo:
        pid = todo.pop()
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
            for thread in Path(f"/proc/{pid}/task").iterdir():
                todo += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue
    return total / tick


def ours(count: int) -> tuple[float, float]:
    """Subtasks per second, and CPU seconds of all nodes and their sandboxes."""
    with tempfile.TemporaryDirectory() as folder:
        members = [Member(REQUESTOR), Member("provider-1", PROVIDING), Member("provider-2", PROVIDING)]
        with LocalNetwork(Path(folder) / "nodes", members, SETTINGS) as network:
            network.start()
            session = Session(network[REQUESTOR].client)
            _run(session, 100, folder)
            pids = [node.pid for node in network.nodes]
            before, began = sum(map(cpu_s, pids)), time.monotonic()
            _run(session, count, folder)
            took = time.monotonic() - began
            return count / took, sum(map(cpu_s, pids)) - before


def _run(session: Session, count: int, folder: str) -> None:
    params = {"count": str(count)}
    session.submit("echo", params, budget="1", max_price="0.01", output=f"{folder}/out").wait()


def dasks(count: int) -> tuple[float, float]:
    """The same of dask: one client process, its scheduler, two worker processes of one thread."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(_answer, range(100), pure=False))
        before, began = cpu_s(os.getpid()), time.monotonic()
        client.gather(client.map(_answer, range(count), pure=False))
        took = time.monotonic() - began
        return count / took, cpu_s(os.getpid()) - before


def _answer(index: int) -> int:
    return index


def main() -> None:
    """Measure both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="as always")
    parser.add_argument("--count", type=int, default=5000)
    count = parser.parse_args().count
    ours_per_s, ours_cpu = ours(count)
    dask_per_s, dask_cpu = dasks(count)
    figures = {
        "ours_per_s": round(ours_per_s),
        "dask_per_s": round(dask_per_s),
        "ours_cpu_ms": round(ours_cpu / count * 1000, 3),
        "dask_cpu_ms": round(dask_cpu / count * 1000, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
