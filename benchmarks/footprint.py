"""Resident memory of an idle node with two peers and a chain configured, sandbox not running, in MiB."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figures import arguments, local_network, show

PAGE_KIB = 4

if __name__ == "__main__":
    seconds = arguments(__doc__ or "", seconds=5).seconds
    with local_network(2) as network:
        network.start()
        time.sleep(seconds)
        pages = [int(Path(f"/proc/{node.pid}/statm").read_text().split()[1]) for node in network.nodes]
        show(idle_rss_mib=round(max(pages) * PAGE_KIB / 1024, 1))
