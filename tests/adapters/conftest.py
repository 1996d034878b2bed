"""A town per test, with Alice's deposit in its contract; without anvil, skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import blockon

from golem.adapters.anvil import program
from golem.errors import ChainFault
from golem.testing.payer import DEPOSIT
from tests.adapters.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    try:
        program()
    except ChainFault as why:
        pytest.skip(str(why))
    made = Town(tmp_path)
    try:
        blockon(made.chain().deposit("payer", DEPOSIT))
        yield made
    finally:
        made.stop()
