"""A disk that is really full: a small one of its own, in namespaces of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
SCRIPT = """
import os, sys
from pathlib import Path
from golem.errors import StoreFault
from golem.ipfs.blockstore import BlockStore, put
from golem.ipfs.cid import raw_key
from golem.ipfs.importer import import_path
from golem.ipfs.intake import Intake
from golem.ipfs import reader
from golem.testing.store import Held

disk, files = map(Path, sys.argv[1:])
store = BlockStore(disk / "store", 1 << 30)

def is_fault(work):
    try:
        work()
    except StoreFault as why:
        return "No space left" in str(why) or "full" in str(why)

def fetch(path):
    held = Held()
    root = import_path(str(path), held).key
    part = store.resumed(root, "o")
    try:
        intake = Intake(root, 1 << 30, part)
        for key, block in reader.blocks(held.read, root):
            intake.take(key, block)
        part.commit(root, intake.size, "o")
    finally:
        part.close()

large, small = files / "large", files / "small"
for work in (lambda: put(store, str(large), "o", by_reference=False), lambda: fetch(large)):
    assert is_fault(work), "a disk that is too small is a fault"
    assert store.used_bytes() == 0 and not list((disk / "store" / "packs").iterdir()), "nothing is left of it"
junk = disk / "junk"
with junk.open("wb", buffering=0) as full:
    try:
        while full.write(bytes(4096)):
            pass
    except OSError:
        pass
for work in (lambda: put(store, str(small), "o", by_reference=False), lambda: fetch(small)):
    assert is_fault(work), "nothing fits on a full disk"
    assert store.used_bytes() == 0
junk.unlink()
for work in (lambda: put(store, str(small), "o", by_reference=False), lambda: fetch(small)):
    work()
    assert store.read(raw_key(small.read_bytes())) == small.read_bytes()
    store.unpin("o")
print("as it should be")
"""


def test_a_disk_that_is_full_is_a_fault_leaves_nothing_and_is_of_use_again_when_there_is_room(tmp_path: Path) -> None:
    try:
        subprocess.run([*UNSHARE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no namespaces of one's own here")
    disk, files = tmp_path / "disk", tmp_path / "files"
    disk.mkdir()
    files.mkdir()
    (files / "large").write_bytes(os.urandom(16 << 20))
    (files / "small").write_bytes(os.urandom(500_000))
    mount = 'mount -t tmpfs -o size=8m none "$0" && exec "$@"'
    words = [*UNSHARE, "sh", "-c", mount, disk, sys.executable, "-c", SCRIPT, disk, files]
    found = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(words, env=found, capture_output=True, text=True, timeout=60, check=False)
    assert said.stdout == "as it should be\n", said.stderr
