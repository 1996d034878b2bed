"""Seconds from submitting an echo task to its first subtask being assigned, on a running network: the median."""

from __future__ import annotations

import statistics

from benchmarks.figures import arguments, local_network, show
from golem.api import Session
from golem.cli.local import REQUESTOR
from golem.control.views import Happening, view

if __name__ == "__main__":
    tasks = arguments(__doc__ or "", tasks=10).tasks
    waits: list[float] = []
    with local_network(2) as network:
        network.start()
        client = network[REQUESTOR].client
        for number in range(tasks):
            stream = client.watch("")
            next(stream)
            task = Session(client).submit(
                "echo", {"count": 2}, budget="0.01", max_price="0.01", output=network.folder / f"out-{number}"
            )
            for record in stream:
                happening = view(Happening, record) if record else None
                if happening and happening.topic == task.task_id and happening.name == "assigned":
                    waits.append((happening.at_ms - task.state().submitted_ms) / 1000)
                    break
            stream.close()
            task.wait()
    show(first_started_p50_s=round(statistics.median(waits), 3))
