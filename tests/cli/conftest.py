"""A node that answers as it is told to, and the `golem` command beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from golem.testing.face import FaceServer, serving
from golem.testing.shell import Shell


@pytest.fixture
def node() -> Iterator[FaceServer]:
    """A node."""
    with serving() as running:
        yield running


@pytest.fixture
def shell(node: FaceServer) -> Shell:
    """A shell beside it."""
    return Shell(node.folder)
