"""No-op subtasks per second through one requestor and two providers, beside dask.distributed with two workers.

Real processes, signatures, journal and accounting on. CPU is of the whole process tree, per subtask, in ms.
"""

from __future__ import annotations

import os
import time
from functools import partial

from distributed import Client, LocalCluster

from benchmarks.figures import arguments, cpu_s, local_network, show
from golem.api import Session
from golem.cli.demo import is_settled
from golem.cli.local import REQUESTOR, wait_for

WARM_UP = 100


def ours(count: int) -> tuple[float, float]:
    """Subtasks per second, and CPU seconds of all nodes and their sandboxes."""
    with local_network(2) as network:
        network.start()
        session = Session(network[REQUESTOR].client)
        _run(session, WARM_UP, str(network.folder))
        for node in network.nodes:  # by then everybody has looked at the chain, and loaded what that takes
            wait_for(partial(is_settled, node), 60, "the first payments")
        pids = [node.pid for node in network.nodes]
        before, began = sum(map(cpu_s, pids)), time.monotonic()
        _run(session, count, str(network.folder))
        took = time.monotonic() - began
        return count / took, sum(map(cpu_s, pids)) - before


def _run(session: Session, count: int, folder: str) -> None:
    session.submit("echo", {"count": count}, budget="1", max_price="0.01", output=f"{folder}/out").wait()


def dasks(count: int) -> tuple[float, float]:
    """The same of dask: one client process with its scheduler, two worker processes of one thread."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(_answer, range(WARM_UP), pure=False))
        before, began = cpu_s(os.getpid()), time.monotonic()
        client.gather(client.map(_answer, range(count), pure=False))
        took = time.monotonic() - began
        return count / took, cpu_s(os.getpid()) - before


def _answer(index: int) -> int:
    return index


if __name__ == "__main__":
    count = arguments(__doc__ or "", count=5000).count
    ours_per_s, ours_cpu_s = ours(count)
    dask_per_s, dask_cpu_s = dasks(count)
    show(
        ours_per_s=round(ours_per_s),
        dask_per_s=round(dask_per_s),
        ours_cpu_ms=round(ours_cpu_s / count * 1000, 3),
        dask_cpu_ms=round(dask_cpu_s / count * 1000, 3),
    )
