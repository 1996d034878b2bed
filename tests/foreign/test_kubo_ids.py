"""Kubo, as a library inside another process, gives files the ids that we give them by its older profile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from golem.ipfs.cid import to_text
from golem.ipfs.importer import V0_2015, import_path
from tests.foreign.built import HERE, KUBO
from tests.ipfs.test_vectors import Nowhere

pytestmark = pytest.mark.skipif(not KUBO.exists(), reason="no Kubo in build/foreign; make foreign installs it")

CHUNK = V0_2015.chunk_bytes
SIZES = [0, 11, CHUNK - 1, CHUNK, CHUNK + 1, V0_2015.width * CHUNK, V0_2015.width * CHUNK + 1]


def test_kubo_gives_files_the_ids_that_we_give_them(tmp_path: Path) -> None:
    files = [tmp_path / str(size) for size in SIZES]
    for file, size in zip(files, SIZES, strict=True):
        file.write_bytes(os.urandom(size))
    words = [sys.executable, HERE / "kubo_ids.py", KUBO, tmp_path / "repo", *files]
    said = subprocess.run(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    assert said.stdout.split() == [to_text(import_path(str(file), Nowhere(), V0_2015).key) for file in files]
