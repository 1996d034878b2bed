"""`golem devnet`, for real: a chain, two nodes, and an end to all of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from golem.control.client import Client
from golem.errors import NotRunning

pytestmark = pytest.mark.integration
DEVNET = (sys.executable, "-m", "golem.cli.main", "devnet", "--json", "--providers", "1", "--output")
END_S = 60.0  # on a loaded machine; 2 s is usual


def alive(marker: str) -> list[str]:
    """Processes whose command line has a word in it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if marker in line and str(os.getpid()) != entry.parent.name:
            found.append(line)
    return found


def test_whoever_ends_a_devnet_ends_its_nodes_and_its_chain() -> None:
    with TemporaryDirectory() as around:
        folder = str(Path(around, "net"))
        devnet = subprocess.Popen([*DEVNET, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            made = ""
            while not made.endswith("}\n"):
                made += devnet.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
            place = json.loads(made)
            assert place["requestor"] == f"{folder}/requestor"
            account = Client(Path(place["requestor"])).get("/status")["account"]  # type: ignore[index,call-overload]  # JSON
            assert len(alive(folder)) == 3 and alive(account)
            devnet.send_signal(signal.SIGTERM)
            assert devnet.wait(END_S) == 0
        finally:
            devnet.kill()
            devnet.communicate()
        assert not alive(folder) and not alive(account)
        with pytest.raises(NotRunning):
            Client(Path(place["requestor"])).get("/status")
