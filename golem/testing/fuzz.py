"""Have atheris make bytes up for a parser: `python -m golem.testing.fuzz cid --runs 100000`, or without a name for all.

Everything of this project that the targets reach is instrumented, so bytes that come further into a parser are kept and
changed on; they begin with valid ones (`golem.testing.fuzz_targets`). `pip install 'golem[fuzz]'` brings the engine.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

MAX_BYTES = 4_096


def seed(folder: Path, valid: Sequence[bytes]) -> None:
    """Write what fuzzing begins with, as the engine reads it: a file each."""
    for number, data in enumerate(valid):
        (folder / str(number)).write_bytes(data)


def main() -> None:
    """Fuzz one target, or all in one, until something is raised or the runs or seconds are over."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("target", nargs="?", default="")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=600)
    said = parser.parse_args()
    engine = import_module("atheris")
    with engine.instrument_imports(include=["golem"]):
        targets = import_module("golem.testing.fuzz_targets")
    if said.target not in ("", *targets.TARGETS):
        parser.error(f"no target {said.target!r}; there are {', '.join(targets.TARGETS)}")
    with TemporaryDirectory() as folder:
        seed(Path(folder), targets.VALID)
        limits = [f"-runs={said.runs}", f"-max_total_time={said.seconds}", f"-max_len={MAX_BYTES}"]
        engine.Setup([sys.argv[0], *limits, folder], targets.TARGETS.get(said.target, targets.everything))
        engine.Fuzz()


if __name__ == "__main__":
    main()
