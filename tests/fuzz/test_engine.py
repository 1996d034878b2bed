"""A fuzzer that sees into the parsers finds nothing in a few seconds; `make fuzz` looks for longer."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

RUNS = 2_000

pytestmark = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris is not installed: pip install 'golem[fuzz]', with Python 3.11 to 3.13"
)


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "golem.testing.fuzz", "--runs", str(RUNS), "--seconds", "30", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_no_parser_breaks_and_the_engine_sees_which_way_bytes_take_through_it() -> None:
    done = fuzz()
    assert done.returncode == 0, done.stderr[-2_000:]
    seen = [int(cover) for cover in re.findall(r"cov: (\d+)", done.stderr)]
    assert seen[-1] > 200, "branches: 350 were seen, and 2 with nothing but the target instrumented"


def test_a_parser_that_there_is_not_is_named() -> None:
    done = fuzz("nothing")
    assert done.returncode == 2 and "no target 'nothing'" in done.stderr
