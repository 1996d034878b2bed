"""What the scripts share: a local network to measure, and one JSON object to print."""

from __future__ import annotations

import json
import os
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from golem.cli.local import REQUESTOR, LocalNetwork, Member

PROVIDING = {"provider.enabled": "true", "provider.min_price": "0.001"}
SETTINGS = {
    "provider.executor": "sandbox",
    "payment.closure": "1s",
    "payment.fee_share": "1",
    "timing.observe": "500ms",
}


def arguments(doc: str, **numbers: int) -> Namespace:
    """The command line: `--json`, which changes nothing, and these numbers with their defaults."""
    parser = ArgumentParser(description=doc)
    parser.add_argument("--json", action="store_true", help="one JSON object is printed in any case")
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default: {default}")
    return parser.parse_args()


def show(**figures: float | dict[str, float] | None) -> None:
    """Print them."""
    print(json.dumps(figures))


@contextmanager
def local_network(providers: int, templates: str = "echo") -> Iterator[LocalNetwork]:
    """A requestor and providers, not started yet, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        members = [Member(REQUESTOR), *(Member(f"provider-{n + 1}", PROVIDING) for n in range(providers))]
        with LocalNetwork(Path(folder) / "nodes", members, {**SETTINGS, "provider.templates": templates}) as network:
            yield network


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
