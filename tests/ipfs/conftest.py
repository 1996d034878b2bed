"""What several of these tests use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon
from twisted.internet.defer import Deferred

from tests.ipfs.sources import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    blockon(Deferred.fromCoroutine(world.close()))
