"""A network per test, whose story is printed where the test fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from golem.testing.local import LocalNetwork

Networks = Callable[..., LocalNetwork]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Networks]:
    made: list[LocalNetwork] = []

    def make(*args: object, **kw: object) -> LocalNetwork:
        net = LocalNetwork(tmp_path / str(len(made)), *args, **kw)  # type: ignore[arg-type]  # checked by the constructor
        made.append(net)
        return net

    yield make
    for net in made:
        net.close()
        print(net.story())
