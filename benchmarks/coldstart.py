"""From nothing to the first result: keys, chain, three nodes, sandbox, and one echo task; in seconds."""

from __future__ import annotations

import time

from benchmarks.figures import arguments, local_network, show
from golem.api import Session
from golem.cli.local import REQUESTOR

if __name__ == "__main__":
    arguments(__doc__ or "")
    with local_network(2) as network:
        began = time.monotonic()
        network.start()
        Session(network[REQUESTOR].client).submit(
            "echo", {"count": 1}, budget="0.01", max_price="0.01", output=network.folder / "out"
        ).wait()
        show(first_result_s=round(time.monotonic() - began, 2))
